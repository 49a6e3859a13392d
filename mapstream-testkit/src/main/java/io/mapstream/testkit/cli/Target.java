package io.mapstream.testkit.cli;

import io.mapstream.testkit.ClientStream;
import io.mapstream.testkit.StreamBrokenException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that select the function: a running one, or one to start. */
final class Target {

  @Option(
      names = "--socket",
      paramLabel = "PATH",
      description =
          "The Unix socket of a running function; by default $MAPSTREAM_SOCKET_PATH, or"
              + " /var/run/numaflow/mapstream.sock if that is not set.")
  @Nullable Path socket;

  @Option(
      names = "--server-info",
      paramLabel = "PATH",
      description = "Its server info file. If given, the command first waits for it and checks it.")
  @Nullable Path serverInfo;

  @Option(
      names = "--class",
      paramLabel = "CLASS",
      description =
          "Starts a function instead: the main method of this class, in a JVM with this command's"
              + " class path, on a temporary socket.")
  @Nullable String functionClass;

  @Option(
      names = "--timeout",
      paramLabel = "DURATION",
      description =
          "How long to wait for the function to be ready, and for its next answer while a datum is"
              + " open; 30s by default.")
  Duration timeout = Duration.ofSeconds(30);

  /**
   * Starts the function if requested; closing the result stops it.
   *
   * @param pid the process of a running function, if known
   */
  FunctionProcess open(Terminal terminal, @Nullable Long pid) throws IOException {
    Units.requirePositive("--timeout", timeout);
    if (functionClass == null) {
      Path path = socket == null ? socketOf(System.getenv()) : socket;
      return FunctionProcess.running(path, serverInfo, pid);
    }
    Units.refuseBoth("--socket", socket, "--class", functionClass);
    Units.refuseBoth("--server-info", serverInfo, "--class", functionClass);
    Units.refuseBoth("--pid", pid, "--class", functionClass);
    return FunctionProcess.started(functionClass, terminal);
  }

  /** Returns the path that a function uses, whose other settings do not concern a client. */
  static Path socketOf(Map<String, String> environment) {
    String path = environment.getOrDefault("MAPSTREAM_SOCKET_PATH", "").strip();
    return Path.of(path.isEmpty() ? "/var/run/numaflow/mapstream.sock" : path);
  }

  /** Half-closes a stream whose datums all have their EOT, and waits for its end. */
  void complete(ClientStream stream) throws InterruptedException {
    try {
      stream.complete(timeout);
    } catch (StreamBrokenException e) {
      // A draining function ends an open stream with this status.
      if (!e.status().code().equals("UNAVAILABLE")) {
        throw e;
      }
    }
  }
}
