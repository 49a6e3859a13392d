package io.mapstream.testkit.cli;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The test kit's commands. {@code --help} lists their options. The exit code is 0 for success, 1 if
 * the run or a check failed, 2 for invalid options or unreadable input, 130 after SIGINT (Ctrl-C)
 * and 143 after SIGTERM.
 */
public final class Main {

  /** A system property: whether this process exits when its parent process exits. */
  static final String END_WITH_PARENT = "mapstream.endWithParent";

  static final int OK = 0;
  static final int FAILED = 1;
  static final int USAGE = 2;
  static final int INTERRUPTED = 130;

  private Main() {}

  /**
   * Runs a command and ends the process with its exit code.
   *
   * @param args the command and its options; none for help
   */
  public static void main(String[] args) {
    // Without a log binding, SLF4J would print three lines that are irrelevant to users of the
    // commands.
    if (System.getProperty("slf4j.internal.verbosity") == null) {
      System.setProperty("slf4j.internal.verbosity", "ERROR");
    }
    Thread command = Thread.currentThread();
    AtomicBoolean stopping = new AtomicBoolean();
    CompletableFuture<Boolean> finished = new CompletableFuture<>();
    // On a signal, interrupt the command and give it time to close its resources. The JVM sets the
    // exit code. A function that was started must not outlive the command, whatever that waits for.
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  stopping.set(true);
                  command.interrupt();
                  if (!finished.completeOnTimeout(false, 20, TimeUnit.SECONDS).join()) {
                    ProcessHandle.current().children().forEach(ProcessHandle::destroyForcibly);
                  }
                },
                "mapstream-interrupted"));
    if (Boolean.getBoolean(END_WITH_PARENT)) {
      ProcessHandle.current().parent().ifPresent(Main::endWith);
    }
    int code;
    try {
      code = run(Terminal.ofProcess(), stopping, args);
    } finally {
      finished.complete(true);
    }
    System.exit(code);
  }

  private static void endWith(ProcessHandle parent) {
    var unused = parent.onExit().thenRun(() -> System.exit(128 + 15));
  }

  /** Runs a command with the caller's streams; {@code stopping} is set at a signal. */
  static int run(Terminal terminal, AtomicBoolean stopping, String... args) {
    try {
      return Commands.run(terminal, stopping, args);
    } catch (NoClassDefFoundError e) {
      String name = String.valueOf(e.getMessage());
      if (!name.startsWith("picocli/") && !name.startsWith("org/HdrHistogram/")) {
        terminal.err().println("mapstream: " + e);
        return FAILED;
      }
      terminal
          .err()
          .println(
              "mapstream: not on the class path: info.picocli:picocli or"
                  + " org.hdrhistogram:HdrHistogram ("
                  + name
                  + "); add both in test scope, or use the jar with the classifier cli");
      return USAGE;
    }
  }
}
