package io.mapstream.testkit.cli;

import io.mapstream.testkit.InternalTemporaryFolder;
import io.mapstream.testkit.MapStreamClient;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The function that a command calls: either already running, or started by the command.
 *
 * @param name its name in reports
 * @param serverInfo its server info file, if it is to be read
 * @param process its process, if known
 * @param child the started process; null if the function was already running
 */
record FunctionProcess(
    String name,
    Path socketPath,
    @Nullable Path serverInfo,
    @Nullable ProcessHandle process,
    @Nullable Child child)
    implements AutoCloseable {

  /** Longer than a server waits for its handlers to return when no client is waiting for them. */
  private static final Duration END = Duration.ofSeconds(10);

  /** How long to wait for a killed process to end and its remaining output to be copied. */
  private static final Duration OUTPUT_TIMEOUT = Duration.ofSeconds(2);

  /** A process that a command started; {@code copied} completes when all its output is copied. */
  record Child(Process process, CompletableFuture<Void> copied, InternalTemporaryFolder folder) {}

  /** Returns a function that is already running, in a process whose id may be known. */
  static FunctionProcess running(Path socketPath, @Nullable Path serverInfo, @Nullable Long pid) {
    ProcessHandle process =
        pid == null
            ? null
            : ProcessHandle.of(pid)
                .orElseThrow(() -> new UsageFault("no process has the pid " + pid));
    String name = "the function on " + socketPath;
    return new FunctionProcess(name, socketPath, serverInfo, process, null);
  }

  /** Starts the main method of a class in a new process. */
  static FunctionProcess started(String className, Terminal terminal) throws IOException {
    var folder = InternalTemporaryFolder.create();
    Path socketPath = folder.resolve("s");
    Path serverInfo = folder.resolve("info");
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            className);
    builder.environment().put("MAPSTREAM_SOCKET_PATH", socketPath.toString());
    builder.environment().put("MAPSTREAM_SERVER_INFO_FILE", serverInfo.toString());
    Process started = null;
    try {
      // The function's output is not a result, so all of it goes to standard error.
      Process process = builder.redirectErrorStream(true).start();
      started = process;
      process.getOutputStream().close();
      var copied =
          CompletableFuture.runAsync(
              () -> copy(process.getInputStream(), terminal),
              Thread.ofPlatform().daemon().name("mapstream-function-output")::start);
      Child child = new Child(process, copied, folder);
      return new FunctionProcess(className, socketPath, serverInfo, process.toHandle(), child);
    } catch (IOException | Error e) {
      if (started != null) {
        started.destroyForcibly();
      }
      folder.delete();
      throw e;
    }
  }

  private static void copy(InputStream from, Terminal to) {
    try (from) {
      from.transferTo(to.err());
    } catch (IOException e) {
      to.err().println("the output of the function can't be read: " + e.getMessage());
    }
  }

  /** Waits until the function is ready or has exited. */
  MapStreamClient connect(Duration timeout) throws InterruptedException {
    MapStreamClient.Builder builder = MapStreamClient.builder(socketPath).timeout(timeout);
    if (serverInfo != null) {
      builder.serverInfoFile(serverInfo);
    }
    if (child == null) {
      return builder.connect();
    }
    FutureTask<MapStreamClient> connecting = new FutureTask<>(builder::connect);
    Thread.startVirtualThread(connecting);
    var unused = child.process().onExit().thenRun(() -> connecting.cancel(true));
    try {
      return connecting.get();
    } catch (CancellationException e) {
      throw new IllegalStateException(
          name + " ended with exit code " + child.process().exitValue() + " before it was ready");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Error fault) { // a timeout, for instance
        throw fault;
      }
      throw (RuntimeException) e.getCause();
    } finally {
      connecting.cancel(true);
    }
  }

  /** Sends SIGTERM. */
  boolean terminate() {
    return process != null && process.destroy();
  }

  /** Completes when the process has ended, with its exit code; only a child's can be read. */
  CompletableFuture<Optional<Integer>> exit() {
    if (child != null) {
      return child.process().onExit().thenApply(ended -> Optional.of(ended.exitValue()));
    }
    return Objects.requireNonNull(process).onExit().thenApply(ended -> Optional.empty());
  }

  /** Returns the user and system CPU time used since the start, if available. */
  Optional<Duration> cpu() {
    return process == null ? Optional.empty() : process.info().totalCpuDuration();
  }

  /** Returns the resident memory in bytes, or 0 if unknown. Available only on Linux. */
  long memory() {
    Path status = Path.of("/proc", process == null ? "" : process.pid() + "", "status");
    try (Stream<String> lines = Files.lines(status)) {
      String kibibytes = lines.filter(line -> line.startsWith("VmRSS:")).findFirst().orElse("0");
      return Long.parseLong(kibibytes.replaceAll("[^0-9]", "")) * 1024;
    } catch (IOException | UncheckedIOException e) {
      return 0; // not Linux, no process is known, or it has ended
    }
  }

  /** Stops a process that was started. An interruption kills it at once. */
  @Override
  public void close() {
    if (child == null) {
      return;
    }
    // Process.destroy would close the output before the rest of it is read.
    child.process().toHandle().destroy();
    boolean ended = false;
    try {
      ended = child.process().waitFor(END.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (!ended) {
      child.process().toHandle().destroyForcibly();
    }
    CompletableFuture.allOf(child.process().onExit(), child.copied())
        .completeOnTimeout(null, OUTPUT_TIMEOUT.toSeconds(), TimeUnit.SECONDS)
        .join(); // even if this thread is interrupted: the process has ended or was killed
    child.folder().delete();
  }
}
