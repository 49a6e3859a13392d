package io.mapstream.server;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.MessageSink;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The function that the processes of {@link ProcessTest} run: each datum is a list of commands. */
final class ChildMain implements MapStreamer {

  private static final Logger LOG = LoggerFactory.getLogger(ChildMain.class);

  /** The memory that handlers retain, as a linked list, so that no array has to grow. */
  @SuppressWarnings("ArrayRecordComponent") // Its purpose is to take memory.
  private record Kept(byte[] bytes, Kept before) {}

  private static final AtomicReference<Kept> KEPT = new AtomicReference<>();

  private final CountDownLatch asked = new CountDownLatch(1);
  private final CountDownLatch stopping = new CountDownLatch(1);

  /** An exception whose own methods fail, so that it can't even be logged. */
  static final class Unprintable extends RuntimeException {
    private static final long serialVersionUID = 1L;

    @Override
    public String getMessage() {
      throw new IllegalStateException("no message today");
    }
  }

  public static void main(String[] args) throws Exception {
    ChildMain function = new ChildMain();
    switch (args[0]) {
      case "run" -> function.run();
      case "scripted" -> MapStreamServer.run(new ScriptedHandler());
      case "run with a hook" -> {
        addSlowHook(Duration.ofMillis(500));
        MapStreamServer.run(function);
      }
      case "run with a slow end" -> {
        addSlowHook(Duration.ofSeconds(8));
        MapStreamServer.run(function);
        sleep(Duration.ofSeconds(10));
        System.out.println("main ends");
      }
      case "run with an idle pool" -> {
        fillPool();
        function.run();
      }
      case "run in a pool" -> {
        Callable<Void> run = function::run;
        Executors.newFixedThreadPool(1).submit(run).get();
      }
      case "run on a daemon" -> {
        Future<Void> run = Waits.computed(function::run);
        while (!run.isDone()) {
          sleep(Duration.ofSeconds(1));
        }
      }
      case "run on a daemon that stays" -> {
        var returned = new CountDownLatch(1);
        var unused =
            Waits.inBackground(() -> {
              function.run();
              returned.countDown();
              LockSupport.park();
            });
        returned.await();
      }
      case "run without a folder" -> {
        fillPool();
        MapStreamServer.builder(function).socketPath(Path.of("/none/s.sock")).build().run();
      }
      case "run and catch" -> {
        try {
          MapStreamServer.run(function);
        } catch (ExecutionException e) {
          System.out.println("until the exit runs: " + nonDaemons());
        }
      }
      case "run and fail afterwards" -> {
        fillPool();
        MapStreamServer.run(function);
        throw new IllegalStateException("after run");
      }
      case "run with a callback" ->
          MapStreamServer.builder(function)
              .onStop(() -> {
                System.out.println("stopping");
                function.stopping.countDown();
                throw new IllegalStateException("in the callback");
              })
              .build()
              .run();
      case "run with another's signal handler" -> {
        handleTermByPrinting();
        MapStreamServer.run(function);
      }
      case "start with a hook" -> startWithHook(function);
      case "run with a flag" -> runWithFlag(function);
      case "run without a loop" -> function.loopEndsWhenAsked().run();
      case "start without a loop" -> {
        function.loopEndsWhenAsked().start();
        new CountDownLatch(1).await();
      }
      case "report an error" -> {
        var failure = new HandlerFailure("1", new IllegalStateException("boom"), "udf");
        Path folder = Path.of(System.getenv("MAPSTREAM_SERVER_INFO_FILE")).getParent();
        new ErrorReport(folder).writeOnce(failure, Instant.ofEpochSecond(1));
        LogThread.OF_PROCESS.flush(Duration.ofSeconds(30));
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

  private Void run() throws IOException, ExecutionException, InterruptedException {
    MapStreamServer.run(this);
    System.out.println("run returned");
    return null;
  }

  /** A server that is made to believe that its event loop has died, when a datum requests it. */
  private MapStreamServer loopEndsWhenAsked() {
    MapStreamServer server = MapStreamServer.builder(this).build();
    Thread.ofPlatform()
        .daemon()
        .start(() -> {
          try {
            asked.await();
            server.shutdown().loopEnded();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
    return server;
  }

  private static List<String> nonDaemons() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("mapstream-") && !thread.isDaemon())
        .map(Thread::getName)
        .toList();
  }

  private static void startWithHook(MapStreamer handler) throws Exception {
    MapStreamServer server = MapStreamServer.builder(handler).build().start();
    Runtime.getRuntime().addShutdownHook(new Thread(server::close));
    server.awaitTermination();
  }

  private static void runWithFlag(MapStreamer handler) throws Exception {
    var stopping = new AtomicBoolean();
    MapStreamServer.builder(handler).onStop(() -> stopping.set(true)).build().run();
    System.out.println("stopping is " + stopping);
  }

  private static void addSlowHook(Duration time) {
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  sleep(time);
                  System.out.println("hook ran");
                },
                "cleanup handler"));
  }

  /** A pool of idle non-daemon threads. */
  private static void fillPool() throws Exception {
    var pool = Executors.newFixedThreadPool(2);
    for (int i = 0; i < 2; i++) {
      pool.submit(() -> {}).get();
    }
  }

  private static void handleTermByPrinting() throws ReflectiveOperationException {
    Class<?> signal = Class.forName("sun.misc.Signal");
    Class<?> handler = Class.forName("sun.misc.SignalHandler");
    signal
        .getMethod("handle", signal, handler)
        .invoke(
            null,
            signal.getConstructor(String.class).newInstance("TERM"),
            Proxy.newProxyInstance(
                ChildMain.class.getClassLoader(),
                new Class<?>[] {handler},
                (self, method, given) -> {
                  System.out.println("their handler");
                  return null;
                }));
  }

  @Override
  public void handle(List<String> keys, Datum datum, MessageSink sink) throws Exception {
    sink.emit(Message.of("started"));
    for (String command : datum.text().split("; ", -1)) {
      String[] words = command.split(" ", 2);
      switch (words[0]) {
        case "echo" -> sink.emit(datum.value());
        case "wait" -> waitFor(Path.of(words[1]));
        case "hang" -> {
          while (true) {
            sleep(Duration.ofMinutes(5));
          }
        }
        case "mark" -> sink.emit(words[1].equals("nack") ? Message.toNack() : Message.toFail());
        case "fail" -> throw new IllegalStateException("boom");
        case "fail-unprintably" -> throw new Unprintable();
        case "missing-file" -> throw new NoSuchFileException("nofile");
        case "exhaust" -> {
          List<byte[]> kept = new ArrayList<>();
          while (kept.size() < Integer.MAX_VALUE) {
            kept.add(new byte[Integer.parseInt(words[1])]);
          }
        }
        case "keep" -> keep(Integer.parseInt(words[1]));
        case "keep-all-but" -> keepAllBut(Integer.parseInt(words[1]) * 1024L * 1024);
        case "until-stop" -> {
          stopping.await();
          sink.emit(Message.of("stopped"));
        }
        case "log" -> LOG.info("the handler goes on");
        case "fill-stderr" -> Thread.ofPlatform().daemon().start(ChildMain::fillStandardError);
        case "ask" -> asked.countDown();
        case "exit" -> System.exit(Integer.parseInt(words[1]));
        case "exit-elsewhere" -> Thread.ofPlatform().start(() -> System.exit(3));
        case "exit-on-a-virtual-thread" -> Thread.startVirtualThread(() -> System.exit(7));
        case "sleep" -> sleep(Duration.ofMinutes(5));
        default -> throw new IllegalArgumentException(command);
      }
    }
  }

  private static void keep(int size) {
    byte[] bytes = new byte[size];
    KEPT.updateAndGet(before -> new Kept(bytes, before));
  }

  private static void keepAllBut(long left) {
    System.gc();
    Runtime jvm = Runtime.getRuntime();
    int piece = 10_000;
    long free = jvm.maxMemory() - (jvm.totalMemory() - jvm.freeMemory());
    for (; free > left; free -= piece) {
      keep(piece);
    }
  }

  /** Writes until the pipe is full, and then blocks forever if it is not read. */
  private static void fillStandardError() {
    while (true) {
      System.err.println("x".repeat(1_000));
    }
  }

  /** Waits until a file exists: the test's gate. */
  private static void waitFor(Path gate) throws InterruptedException {
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
