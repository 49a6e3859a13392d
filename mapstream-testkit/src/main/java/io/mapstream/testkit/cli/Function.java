package io.mapstream.testkit.cli;

import io.mapstream.testkit.InternalTemporaryFolder;
import io.mapstream.testkit.MapStreamClient;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A function as a command calls it: one that runs, or one that was started for the command.
 *
 * @param name how it is named in reports
 * @param serverInfo its server info file, if that is to be read
 * @param process its process, if that is known
 * @param child what was started; null if it ran before
 */
record Function(
    String name,
    Path socketPath,
    @Nullable Path serverInfo,
    @Nullable ProcessHandle process,
    @Nullable Child child)
    implements AutoCloseable {

  /** More than a server gives its handlers to return when nobody waits for them any more. */
  private static final Duration END = Duration.ofSeconds(10);

  /** How long a killed process may take to end, and its remaining output to be copied. */
  private static final Duration OUTPUT_TIMEOUT = Duration.ofSeconds(2);

  /** What a command has started itself; {@code copied} is done when all it printed is shown. */
  record Child(Process process, CompletableFuture<Void> copied, InternalTemporaryFolder folder) {

    /** Waits also where the calling thread is interrupted; the process has been killed then. */
    void awaitEnd() {
      CompletableFuture.allOf(process.onExit(), copied)
          .completeOnTimeout(null, OUTPUT_TIMEOUT.toSeconds(), TimeUnit.SECONDS)
          .join();
    }
  }

  /** A function that runs, in a process whose id may be known. */
  static Function running(Path socketPath, @Nullable Path serverInfo, @Nullable Long pid) {
    ProcessHandle process =
        pid == null
            ? null
            : ProcessHandle.of(pid)
                .orElseThrow(() -> new UsageFault("no process has the pid " + pid));
    return new Function("the function on " + socketPath, socketPath, serverInfo, process, null);
  }

  /** Starts the main method of a class in a process of its own. */
  static Function started(String className, Terminal terminal) throws IOException {
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
    // What the function prints is no result, so it all goes where messages go.
    Process process = builder.redirectErrorStream(true).start();
    process.getOutputStream().close();
    var copied =
        CompletableFuture.runAsync(
            () -> copy(process.getInputStream(), terminal),
            Thread.ofPlatform().daemon().name("mapstream-function-output")::start);
    return new Function(
        className, socketPath, serverInfo, process.toHandle(), new Child(process, copied, folder));
  }

  private static void copy(InputStream from, Terminal to) {
    try (from) {
      from.transferTo(to.err());
    } catch (IOException e) {
      to.err().println("the output of the function can't be read: " + e.getMessage());
    }
  }

  /** Waits until the function is ready, or has died. */
  MapStreamClient connect(Duration timeout) throws InterruptedException {
    MapStreamClient.Builder builder = MapStreamClient.builder(socketPath).timeout(timeout);
    if (serverInfo != null) {
      builder.serverInfoFile(serverInfo);
    }
    return child == null ? builder.connect() : connect(builder, child.process());
  }

  private MapStreamClient connect(MapStreamClient.Builder builder, Process own)
      throws InterruptedException {
    FutureTask<MapStreamClient> connecting = new FutureTask<>(builder::connect);
    Thread.startVirtualThread(connecting);
    var unused = own.onExit().thenRun(() -> connecting.cancel(true));
    try {
      return connecting.get();
    } catch (CancellationException e) {
      throw new IllegalStateException(
          name + " ended with exit code " + own.exitValue() + " before it was ready");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException fault) {
        throw fault;
      }
      if (e.getCause() instanceof AssertionError fault) { // the wait was too long, for instance
        throw fault;
      }
      throw new IllegalStateException(e.getCause());
    } finally {
      connecting.cancel(true);
    }
  }

  /** Sends SIGTERM. */
  boolean terminate() {
    return process != null && process.destroy();
  }

  /** Done when the process has ended: with its exit code, or with 0 where nobody can know it. */
  CompletableFuture<Integer> exit() {
    if (child != null) {
      return child.process().onExit().thenApply(Process::exitValue);
    }
    return process == null
        ? CompletableFuture.completedFuture(0)
        : process.onExit().thenApply(ended -> 0);
  }

  /** The processor time that it has used since its start, user and system; where it is told. */
  Optional<Duration> cpu() {
    return process == null ? Optional.empty() : process.info().totalCpuDuration();
  }

  /** Its resident memory in bytes; 0 where that is unknown. Told by Linux alone. */
  long memory() {
    if (process != null) {
      try {
        for (String line : Files.readAllLines(Path.of("/proc", process.pid() + "", "status"))) {
          if (line.startsWith("VmRSS:")) {
            return Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024;
          }
        }
      } catch (IOException e) {
        // Not Linux, or the process has ended.
      }
    }
    return 0;
  }

  /** Ends what was started. An interruption makes that short. */
  @Override
  public void close() {
    if (child == null) {
      return;
    }
    // Not by the Process itself, which would close its output before the rest of it is read.
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
    child.awaitEnd();
    child.folder().delete();
  }
}
