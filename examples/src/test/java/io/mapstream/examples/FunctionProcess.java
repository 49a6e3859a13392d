package io.mapstream.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.mapstream.testkit.MapStreamClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A function in its own process, with its socket in a temporary folder. */
final class FunctionProcess implements AutoCloseable {

  private static final Duration LIMIT = Duration.ofSeconds(60);

  private final Path folder;
  private final Process process;

  private FunctionProcess(Path folder, Process process) {
    this.folder = folder;
    this.process = process;
  }

  static FunctionProcess start(List<String> command, Map<String, String> environment)
      throws IOException {
    Path folder = Files.createTempDirectory("function");
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    // Settings of the build's own tracing must not reach the function.
    builder.environment().keySet().removeIf(name -> name.startsWith("OTEL_"));
    builder.environment().put("MAPSTREAM_SOCKET_PATH", folder.resolve("s").toString());
    builder.environment().put("MAPSTREAM_SERVER_INFO_FILE", folder.resolve("info").toString());
    builder.environment().putAll(environment);
    builder.redirectOutput(folder.resolve("log").toFile());
    return new FunctionProcess(folder, builder.start());
  }

  /** Connects as the platform does: when the server info exists and the server is ready. */
  MapStreamClient connect() throws IOException, InterruptedException {
    Path info = folder.resolve("info");
    long deadline = System.nanoTime() + LIMIT.toNanos();
    while (!Files.exists(info)) {
      if (!process.isAlive() || System.nanoTime() > deadline) {
        throw new IllegalStateException("serves nothing: " + log());
      }
      Thread.sleep(1);
    }
    return MapStreamClient.builder(folder.resolve("s")).serverInfoFile(info).connect();
  }

  /** Returns what the process has printed. */
  String log() throws IOException {
    return Files.readString(folder.resolve("log"), UTF_8);
  }

  /** Returns the program that the process runs now, or an empty string if it is unknown. */
  String program() {
    return process.info().command().orElse("");
  }

  long cpuNanos() {
    return process.info().totalCpuDuration().map(Duration::toNanos).orElse(0L);
  }

  /** Returns a figure in KiB from Linux's status of the process, such as VmRSS. */
  long statusKib(String name) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/" + process.pid() + "/status"))) {
      if (line.startsWith(name + ":")) {
        return Long.parseLong(line.replaceAll("[^0-9]", ""));
      }
    }
    throw new IllegalStateException("no " + name + " of the process: " + log());
  }

  /**
   * Ends the process with SIGTERM, as the platform does, and returns what it has printed.
   *
   * @throws IllegalStateException if its exit code is not 0, or if it had to be killed
   */
  String end() throws IOException {
    process.destroy();
    Process ended =
        process.onExit().completeOnTimeout(process, LIMIT.toSeconds(), TimeUnit.SECONDS).join();
    if (ended.isAlive()) {
      ended.destroyForcibly();
      throw new IllegalStateException("still ran after " + LIMIT + ": " + log());
    }
    if (ended.exitValue() != 0) {
      throw new IllegalStateException("ended with " + ended.exitValue() + ": " + log());
    }
    return log();
  }

  /**
   * {@linkplain #end() Ends} the process, if it still runs, and removes its folder.
   *
   * @throws IOException if the process has left its socket or its server info
   */
  @Override
  public void close() throws IOException {
    end();
    Files.delete(folder.resolve("log"));
    Files.delete(folder);
  }
}
