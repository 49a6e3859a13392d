package io.mapstream.server;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.MessageSink;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** What the processes of {@link ProcessTest} run: a function that each datum tells what to do. */
final class ChildMain implements MapStreamer {

  private final CountDownLatch asked = new CountDownLatch(1);

  /** An exception that can't even be logged. */
  private static final class Unprintable extends RuntimeException {
    private static final long serialVersionUID = 1L;

    @Override
    public String getMessage() {
      throw new IllegalStateException("no message today");
    }
  }

  public static void main(String[] args) throws Exception {
    ChildMain function = new ChildMain();
    switch (args[0]) {
      case "run" -> {
        MapStreamServer.run(function);
        System.out.println("run returned");
      }
      case "run with a hook" -> {
        Runtime.getRuntime()
            .addShutdownHook(
                new Thread(() -> {
                  sleep(Duration.ofMillis(500));
                  System.out.println("hook ran");
                }));
        MapStreamServer.run(function);
      }
      case "embedded" -> {
        MapStreamServer server = MapStreamServer.builder(function).build().start();
        function.asked.await();
        server.close();
        server.awaitTermination();
        System.out.println("closed");
      }
      default -> throw new IllegalArgumentException(args[0]);
    }
  }

  @Override
  public void handle(List<String> keys, Datum datum, MessageSink sink) throws Exception {
    sink.emit(Message.of("started"));
    switch (datum.text().split(" ", 2)[0]) {
      case "echo" -> sink.emit(datum.value());
      case "wait" -> {
        waitFor(datum);
        sink.emit(Message.of("done"));
      }
      case "wait-and-fail" -> {
        waitFor(datum);
        throw new IllegalStateException("boom");
      }
      case "hang" -> {
        while (true) {
          sleep(Duration.ofMinutes(5));
        }
      }
      case "fail" -> throw new IllegalStateException("boom");
      case "fail-unprintably" -> throw new Unprintable();
      case "exhaust" -> {
        List<byte[]> kept = new ArrayList<>();
        while (kept.size() < Integer.MAX_VALUE) {
          kept.add(new byte[1024 * 1024]);
        }
      }
      case "ask" -> asked.countDown();
      case "exit" -> Thread.ofPlatform().start(() -> System.exit(3));
      case "exit-here" -> System.exit(3);
      default -> throw new IllegalArgumentException(datum.text());
    }
  }

  /** Waits until the file is there that the datum names: the test's gate. */
  private static void waitFor(Datum datum) throws InterruptedException {
    Path gate = Path.of(datum.text().split(" ", 2)[1]);
    while (!Files.exists(gate)) {
      Thread.sleep(5);
    }
  }

  /** Ignores interruption. */
  private static void sleep(Duration time) {
    try {
      Thread.sleep(time);
    } catch (InterruptedException e) {
      // ignored on purpose
    }
  }
}
