package io.mapstream.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.mapstream.Datum;
import io.mapstream.Message;
import io.mapstream.testkit.ClientStream;
import io.mapstream.testkit.MapStreamClient;
import io.mapstream.testkit.ReplyListener;
import io.mapstream.testkit.WaitTimeoutError;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Shows a map-stream function at work: starts {@link FlatMap}, or another example, as a server
 * process of its own, sends it the lines of a file as the data plane would, many at a time, and
 * prints each message as it arrives. A drop prints nothing, a nack and a fail their name.
 *
 * <p>Messages go to standard output, one per line; all else goes to standard error. The exit code
 * is 0 at the end of the input, 1 if the server failed, 2 if the input can't be read.
 */
public final class Demo {

  private static final int MOST_DATUMS = 500;
  private static final long MOST_BYTES = 8 * 1024 * 1024;

  /** Maven, when it is killed alone, doesn't take the processes with it that it has started. */
  private static final String END_WITH_PARENT = "mapstream.demo.endWithParent";

  private static final int SIGTERM_CODE = 128 + 15;

  private static final Duration STARTUP = Duration.ofSeconds(60);

  /** For what takes as long as the person who reads the output. */
  private static final Duration FOR_EVER = Duration.ofDays(10_000);

  /** Ends of a demo. */
  private sealed interface Ending {
    /** All lines were sent, and answered. */
    record Complete() implements Ending {}

    /** Nobody reads standard output any more, as with {@code | head}. */
    record Unread() implements Ending {}

    /** The input can't be read. */
    record BadInput(String message) implements Ending {}

    /** Standard output takes no more, for instance on a full disk. */
    record BadOutput(String message) implements Ending {}

    /** The server, or the way to it, is broken. */
    record Failed(String message) implements Ending {}
  }

  private final DemoInput input;
  private final DemoServer server;
  private final DemoReport report = new DemoReport(System.err);
  private final Window window = new Window();
  private final CompletableFuture<Ending> ending = new CompletableFuture<>();
  private final DemoOutput output =
      new DemoOutput(
          new FileOutputStream(FileDescriptor.out), report::erase, this::outputTakesNoMore);

  private long lastId;
  private volatile boolean closing;

  private Demo(DemoInput input, String function) {
    this.input = input;
    this.server = new DemoServer(function, code -> fail("the server has exited with code " + code));
  }

  /**
   * Runs the demo and ends the process.
   *
   * @param args a path, or {@code -} for standard input; then, if it is not to be {@link FlatMap},
   *     the name of an example or of any class with a {@code main} on the class path
   */
  public static void main(String[] args) {
    System.exit(run(args));
  }

  private static int run(String[] args) {
    if (args.length < 1 || args.length > 2 || args[0].isEmpty()) {
      System.err.println("usage: Demo FILE [FUNCTION]   (- for standard input)");
      return 2;
    }
    String function = className(args.length == 2 ? args[1] : FlatMap.class.getSimpleName());
    try {
      Class.forName(function, false, Demo.class.getClassLoader());
    } catch (ClassNotFoundException e) {
      System.err.println("demo: there is no function " + function);
      return 2;
    }
    DemoInput input;
    try {
      input = DemoInput.open(args[0]);
    } catch (IOException e) {
      System.err.println("demo: " + e.getMessage());
      return 2;
    }
    return new Demo(input, function).run();
  }

  /** An example goes by its simple name. */
  private static String className(String function) {
    return function.contains(".") ? function : Demo.class.getPackageName() + "." + function;
  }

  private int run() {
    // Ctrl-C and SIGTERM end the process without coming back here.
    Runtime.getRuntime().addShutdownHook(new Thread(this::close, "demo-close"));
    if (Boolean.getBoolean(END_WITH_PARENT)) {
      endWithParent();
    }
    output.start();
    // A thread that the end of the process doesn't wait for: it may be reading from a terminal.
    Thread.ofPlatform().daemon().name("demo-input").start(() -> ending.complete(drive()));
    int code = exitCode(ending.join());
    close();
    return code;
  }

  private static void endWithParent() {
    ProcessHandle.current()
        .parent()
        .ifPresent(parent -> {
          var unused = parent.onExit().thenRun(() -> System.exit(SIGTERM_CODE));
        });
  }

  private int exitCode(Ending end) {
    output.flush();
    return switch (end) {
      case Ending.Complete complete -> 0;
      case Ending.Unread unread -> insteadOfSummary("", 0);
      case Ending.BadInput bad -> insteadOfSummary(bad.message(), 2);
      case Ending.BadOutput bad -> insteadOfSummary(bad.message(), 1);
      case Ending.Failed failed -> afterFailure(failed.message());
    };
  }

  private int afterFailure(String message) {
    server.awaitExit();
    if (closing) {
      // Ctrl-C reaches the server, too, and maybe first.
      return 0;
    }
    int code = insteadOfSummary(message, 1);
    server.lastWords().forEach(line -> System.err.println("server: " + line));
    return code;
  }

  private int insteadOfSummary(String message, int code) {
    report.end();
    if (!message.isEmpty()) {
      System.err.println("demo: " + message);
    }
    return code;
  }

  /** Leaves nothing behind, and sums up if nobody has yet. */
  private void close() {
    closing = true;
    server.close();
    report.summary();
  }

  private Ending drive() {
    try {
      server.start();
    } catch (IOException e) {
      return new Ending.Failed("the server can't be started: " + e.getMessage());
    }
    try (MapStreamClient client =
        MapStreamClient.builder(server.socketPath())
            .serverInfoFile(server.serverInfoFile())
            .timeout(STARTUP)
            .connect()) {
      ClientStream stream = client.stream();
      report.start();
      for (byte[] line = input.next(); line != null; line = input.next()) {
        window.enter(line.length);
        send(stream, line);
      }
      stream.complete(FOR_EVER);
      return new Ending.Complete();
    } catch (IOException e) {
      return new Ending.BadInput(String.valueOf(e.getMessage()));
    } catch (IllegalStateException | InterruptedException e) {
      return new Ending.Failed(String.valueOf(e.getMessage()));
    }
  }

  private void send(ClientStream stream, byte[] line) throws InterruptedException {
    Instant now = Instant.now();
    Datum datum = Datum.builder().value(line).eventTime(now).watermark(now).build();
    SentLine sent = new SentLine(line.length);
    long id = ++lastId;
    while (true) {
      try {
        stream.send(Long.toString(id), datum, sent);
        return;
      } catch (WaitTimeoutError e) {
        // Nothing moves while nobody reads standard output, and that may take as long as it likes.
      }
    }
  }

  private void fail(String message) {
    ending.complete(new Ending.Failed(message));
  }

  private void outputTakesNoMore(IOException e) {
    String reason = String.valueOf(e.getMessage());
    ending.complete(
        reason.contains("Broken pipe")
            ? new Ending.Unread()
            : new Ending.BadOutput("can't write to standard output: " + reason));
  }

  /** One line on its way, and what comes back for it. */
  private final class SentLine implements ReplyListener {

    private final long sentAt = System.nanoTime();
    private final int length;
    private boolean answered;

    SentLine(int length) {
      this.length = length;
    }

    private static byte[] shown(Message message) {
      String mark = message.isNack() ? "(nack)" : message.isFail() ? "(fail)" : "";
      return mark.isEmpty() ? message.value() : mark.getBytes(UTF_8);
    }

    @Override
    public void message(Message message) {
      if (!answered) {
        answered = true;
        report.firstResult(System.nanoTime() - sentAt);
      }
      if (message.isDrop()) {
        report.dropped();
      } else {
        report.message();
        output.line(shown(message));
      }
    }

    @Override
    public void ended() {
      report.datum();
      window.leave(length);
    }

    @Override
    public void failed(Throwable reason) {
      fail(String.valueOf(reason.getMessage()));
    }
  }

  /** Lets so many datums be open at once, as the data plane does, and so many bytes. */
  private static final class Window {

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition left = lock.newCondition();

    // Guarded by lock.
    private int datums;
    private long bytes;

    void enter(int length) throws InterruptedException {
      lock.lock();
      try {
        while (datums == MOST_DATUMS || (datums > 0 && bytes + length > MOST_BYTES)) {
          left.await();
        }
        datums++;
        bytes += length;
      } finally {
        lock.unlock();
      }
    }

    void leave(int length) {
      lock.lock();
      try {
        datums--;
        bytes -= length;
        left.signal();
      } finally {
        lock.unlock();
      }
    }
  }
}
