package io.mapstream.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * An example as a process of its own, on a socket in a temporary folder. What it logs goes to a
 * file there: standard output belongs to the messages.
 */
final class DemoServer implements AutoCloseable {

  private static final int SHOWN_LOG_LINES = 20;
  private static final long PATIENCE_SECONDS = 5;

  private final IntConsumer onExit;

  // Guarded by this.
  private @Nullable Path folder;
  private final String function;
  private @Nullable Process process;
  private CompletableFuture<Void> exited = CompletableFuture.completedFuture(null);
  private boolean closed;

  /**
   * A server that is not started yet.
   *
   * @param function the class whose {@code main} serves it
   * @param onExit told the exit code when the process has ended, whatever ended it
   */
  DemoServer(String function, IntConsumer onExit) {
    this.function = function;
    this.onExit = onExit;
  }

  /** Starts the process, with the JDK and the class path of this one. */
  synchronized void start() throws IOException {
    if (closed) {
      throw new IOException("the demo was stopped before its server was started");
    }
    folder = Files.createTempDirectory("mapstream-demo");
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            function);
    builder.environment().put("MAPSTREAM_SOCKET_PATH", socketPath().toString());
    builder.environment().put("MAPSTREAM_SERVER_INFO_FILE", serverInfoFile().toString());
    // Whoever stops the demo doesn't want the rest of its results.
    builder.environment().put("MAPSTREAM_SHUTDOWN_GRACE_SECONDS", "1");
    process = builder.redirectErrorStream(true).redirectOutput(log().toFile()).start();
    exited = process.onExit().thenAccept(ended -> onExit.accept(ended.exitValue()));
  }

  /** Waits until the process has ended, but not for long: a server that has failed is about to. */
  void awaitExit() {
    CompletableFuture<Void> end;
    synchronized (this) {
      end = exited.copy();
    }
    end.completeOnTimeout(null, PATIENCE_SECONDS, TimeUnit.SECONDS).join();
  }

  Path socketPath() {
    return file("s");
  }

  Path serverInfoFile() {
    return file("info");
  }

  private Path log() {
    return file("log");
  }

  private synchronized Path file(String name) {
    return Objects.requireNonNull(folder, "the server was not started").resolve(name);
  }

  /** The end of the server's log, as lines to show. */
  synchronized List<String> lastWords() {
    if (folder == null) {
      return List.of();
    }
    try {
      List<String> lines = Files.readAllLines(log(), UTF_8);
      return lines.subList(Math.max(0, lines.size() - SHOWN_LOG_LINES), lines.size());
    } catch (IOException e) {
      return List.of("(the server's log is not readable: " + e + ")");
    }
  }

  /**
   * Ends the process, waits for that, and removes the folder. May be called any number of times.
   */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      if (process != null) {
        stop(process);
      }
      if (folder != null) {
        delete(folder);
      }
    }
  }

  private static void stop(Process process) {
    process.destroy();
    try {
      if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }

  private static void delete(Path folder) {
    try (Stream<Path> walk = Files.walk(folder)) {
      for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    } catch (IOException e) {
      System.err.println("demo: the temporary folder was not removed: " + e);
    }
  }
}
