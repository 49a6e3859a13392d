package io.mapstream.testkit.cli;

import io.mapstream.testkit.ProtocolFaultError;
import io.mapstream.testkit.StreamBrokenException;
import io.mapstream.testkit.WaitTimeoutError;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;

/**
 * The test kit's commands. {@code --help} tells what they take; they end with 0 when all is well, 1
 * when the run or a check failed, 2 when they were called wrongly, and 130 when they were
 * interrupted.
 */
@Command(
    name = "mapstream",
    description = "Drives, loads and checks a running map-stream function.",
    scope = ScopeType.INHERIT,
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    showDefaultValues = true,
    sortOptions = false,
    usageHelpAutoWidth = true,
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:all is well",
      "1:the run or a check failed",
      "2:called wrongly, or with input that can't be read",
      "130:interrupted"
    })
public final class Main implements Runnable {

  /** A system property: whether the process ends with the one that has started it. */
  static final String END_WITH_PARENT = "mapstream.endWithParent";

  static final int OK = 0;
  static final int FAILED = 1;
  static final int USAGE = 2;
  static final int INTERRUPTED = 130;

  @Option(
      names = "--verbose",
      scope = ScopeType.INHERIT,
      description = "Shows the stack traces of errors, the function's own included.")
  private boolean verbose;

  private final AtomicBoolean stopping;

  private Main(AtomicBoolean stopping) {
    this.stopping = stopping;
  }

  /**
   * Runs a command and ends the process with its exit code.
   *
   * @param args the command and its options; none for help
   */
  public static void main(String[] args) {
    Thread command = Thread.currentThread();
    AtomicBoolean stopping = new AtomicBoolean();
    CountDownLatch finished = new CountDownLatch(1);
    // SIGINT: the command is told, and gets time to close what it has opened. The JVM's exit code
    // for it is 130 by itself.
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  stopping.set(true);
                  command.interrupt();
                  try {
                    finished.await(15, TimeUnit.SECONDS);
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  }
                },
                "mapstream-interrupted"));
    if (Boolean.getBoolean(END_WITH_PARENT)) {
      ProcessHandle.current().parent().ifPresent(Main::endWith);
    }
    int code = run(Terminal.ofProcess(), stopping, args);
    finished.countDown();
    System.exit(code);
  }

  private static void endWith(ProcessHandle parent) {
    var unused = parent.onExit().thenRun(() -> System.exit(128 + 15));
  }

  /** Runs a command with streams of the caller's. */
  static int run(Terminal terminal, String... args) {
    return run(terminal, new AtomicBoolean(), args);
  }

  private static int run(Terminal terminal, AtomicBoolean stopping, String... args) {
    Main main = new Main(stopping);
    CommandLine commands = new CommandLine(main);
    commands.addSubcommand(new DriveCommand(terminal));
    commands.addSubcommand(new LoadCommand(terminal));
    commands.addSubcommand(new CheckCommand(terminal));
    commands.setOut(terminal.outWriter());
    commands.setErr(terminal.errWriter());
    commands.setCaseInsensitiveEnumValuesAllowed(true);
    commands.setParameterExceptionHandler(Main::refuse);
    commands.setExecutionStrategy(parsed -> {
      try {
        return new CommandLine.RunLast().execute(parsed);
      } catch (WaitTimeoutError | ProtocolFaultError e) {
        return main.fail(terminal, e, parsed);
      }
    });
    commands.setExecutionExceptionHandler((e, command, parsed) -> main.fail(terminal, e, parsed));
    return commands.execute(args);
  }

  /** Without a command there is nothing to do but to say which there are. */
  @Override
  public void run() {
    throw new UsageFault("no command was given; there are drive, load and check (see --help)");
  }

  private static int refuse(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    String name = command.getCommandSpec().qualifiedName();
    command
        .getErr()
        .println(
            name + ": " + oneLine(String.valueOf(e.getMessage())) + " (see " + name + " --help)");
    return USAGE;
  }

  private int fail(Terminal terminal, Throwable e, ParseResult parsed) {
    ParseResult innermost = parsed;
    while (innermost.hasSubcommand()) {
      innermost = innermost.subcommand();
    }
    String name = innermost.commandSpec().qualifiedName();
    // A signal from the terminal reaches a function of --class, too, which may end first.
    if (e instanceof InterruptedException || stopping.get()) {
      terminal.err().println(name + ": interrupted");
      return INTERRUPTED;
    }
    terminal.err().println(name + ": " + oneLine(describe(e)));
    if (verbose) {
      if (e instanceof StreamBrokenException broken && !broken.status().debugInfo().isEmpty()) {
        terminal.err().println("the function says:\n" + broken.status().debugInfo());
      }
      e.printStackTrace(terminal.err());
    }
    return e instanceof UsageFault ? USAGE : FAILED;
  }

  private static String describe(Throwable e) {
    if (e instanceof NoSuchFileException missing) {
      return "no such file: " + missing.getFile();
    }
    // The file is all that their message has, or nearly.
    String message = e.getMessage();
    return message == null || e instanceof IOException ? e.toString() : message;
  }

  private static String oneLine(String text) {
    return text.strip().replaceAll("\\s*\\R\\s*", "; ");
  }
}
