package io.mapstream.testkit.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.mapstream.testkit.MapStreamClient;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A function as a command calls it. */
final class Function implements AutoCloseable {

  /** More than a server's own patience with its handlers when nobody waits for them any more. */
  private static final Duration END = Duration.ofSeconds(10);

  /** Of 103 bytes that macOS gives the path of a Unix socket; the rest is for names in it. */
  private static final int LONGEST = 70;

  private final Path socketPath;
  private final @Nullable Path serverInfo;
  private final Duration timeout;
  private final @Nullable Process process;
  private final @Nullable Path folder;
  private final String name;

  private Function(
      Path socketPath,
      @Nullable Path serverInfo,
      Duration timeout,
      String name,
      @Nullable Process process,
      @Nullable Path folder) {
    this.socketPath = socketPath;
    this.serverInfo = serverInfo;
    this.timeout = timeout;
    this.name = name;
    this.process = process;
    this.folder = folder;
  }

  static Function running(Path socketPath, @Nullable Path serverInfo, Duration timeout) {
    return new Function(
        socketPath, serverInfo, timeout, "the function on " + socketPath, null, null);
  }

  static Function started(String className, Duration timeout, Terminal terminal)
      throws IOException {
    Path folder = folder(Path.of(System.getProperty("java.io.tmpdir")));
    Path socketPath = folder.resolve("s");
    Path serverInfo = folder.resolve("info");
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            className);
    builder
        .environment()
        .putAll(
            Map.of(
                "MAPSTREAM_SOCKET_PATH", socketPath.toString(),
                "MAPSTREAM_SERVER_INFO_FILE", serverInfo.toString()));
    // What the function prints is no result, so it all goes where messages go.
    Process process = builder.redirectErrorStream(true).start();
    process.getOutputStream().close();
    Thread.ofPlatform()
        .daemon()
        .name("mapstream-function-output")
        .start(() -> copy(process.getInputStream(), terminal));
    return new Function(socketPath, serverInfo, timeout, className, process, folder);
  }

  /** A new folder for a socket: in {@code usual}, or in {@code /tmp} where the path is too long. */
  static Path folder(Path usual) throws IOException {
    boolean isShort = usual.toString().getBytes(UTF_8).length <= LONGEST;
    return Files.createTempDirectory(isShort ? usual : Path.of("/tmp"), "mapstream");
  }

  private static void copy(InputStream from, Terminal to) {
    try (from) {
      from.transferTo(to.err());
    } catch (IOException e) {
      to.err().println("the output of the function can't be read: " + e.getMessage());
    }
  }

  /** Waits until the function is ready, or has died. */
  MapStreamClient connect() throws InterruptedException {
    MapStreamClient.Builder builder = MapStreamClient.builder(socketPath).timeout(timeout);
    if (serverInfo != null) {
      builder.serverInfoFile(serverInfo);
    }
    return process == null ? builder.connect() : connect(builder, process);
  }

  private MapStreamClient connect(MapStreamClient.Builder builder, Process child)
      throws InterruptedException {
    CompletableFuture<MapStreamClient> connected = new CompletableFuture<>();
    Thread connecting =
        Thread.ofVirtual()
            .start(() -> {
              try {
                connected.complete(builder.connect());
              } catch (InterruptedException | RuntimeException e) {
                connected.completeExceptionally(e);
              }
            });
    try {
      CompletableFuture.anyOf(connected, child.onExit()).get();
      if (!connected.isDone()) {
        throw new IllegalStateException(
            name + " ended with exit code " + child.exitValue() + " before it was ready");
      }
      return connected.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException fault) {
        throw fault;
      }
      throw new IllegalStateException(e.getCause());
    } finally {
      connecting.interrupt();
    }
  }

  Path socketPath() {
    return socketPath;
  }

  Optional<Path> serverInfo() {
    return Optional.ofNullable(serverInfo);
  }

  /** The process, where it is this command's own. */
  Optional<Process> process() {
    return Optional.ofNullable(process);
  }

  OptionalLong pid() {
    return process == null ? OptionalLong.empty() : OptionalLong.of(process.pid());
  }

  /** How it is named in reports. */
  String name() {
    return name;
  }

  /** Ends what was started. An interruption makes that short. */
  @Override
  public void close() {
    if (process != null) {
      // Not by the Process itself, which would close its output before the last words are read.
      process.toHandle().destroy();
      try {
        if (!process.waitFor(END.toSeconds(), TimeUnit.SECONDS)) {
          process.destroyForcibly();
        }
      } catch (InterruptedException e) {
        process.destroyForcibly();
        Thread.currentThread().interrupt();
      }
    }
    if (folder != null) {
      try {
        Files.deleteIfExists(folder.resolve("s"));
        Files.deleteIfExists(folder.resolve("info"));
        Files.deleteIfExists(folder);
      } catch (IOException e) {
        throw new UncheckedIOException("the temporary folder was not removed: " + folder, e);
      }
    }
  }
}
