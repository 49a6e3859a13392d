package io.mapstream.examples;

import io.mapstream.testkit.ClientStream;
import io.mapstream.testkit.MapStreamClient;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Measures {@link Fanout} in a server process of its own, with the test kit's client: {@code mvn -q
 * -DskipTests -Pbench package}. The client is a gRPC client in Java and takes most of the
 * processor, so that requests per second say less than the server's CPU time per result, which
 * shows a regression of the engine; compare two versions on the same machine, one right after the
 * other.
 */
public final class FanoutBenchmark {

  private static final int WARM_UPS = 3;
  private static final int ROUNDS = 3;

  private FanoutBenchmark() {}

  /** Prints a line for each kind of work and round. */
  public static void main(String[] args) throws IOException, InterruptedException {
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx1g",
            "--enable-native-access=ALL-UNNAMED",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-cp",
            System.getProperty("java.class.path"),
            Fanout.class.getName());
    try (FunctionProcess server = FunctionProcess.start(command, Map.of());
        MapStreamClient client = server.connect()) {
      for (BenchWork work : BenchWork.ALL) {
        for (int i = 0; i < WARM_UPS; i++) {
          work.run(client.stream());
        }
        for (int i = 0; i < ROUNDS; i++) {
          measure(client.stream(), work, server);
        }
      }
    }
  }

  private static void measure(ClientStream stream, BenchWork work, FunctionProcess server)
      throws InterruptedException {
    long cpu = server.cpuNanos();
    long start = System.nanoTime();
    work.run(stream);
    double seconds = (System.nanoTime() - start) / 1e9;
    double cpuMicros = (server.cpuNanos() - cpu) / 1e3;
    System.out.printf(
        Locale.ROOT,
        "%-6s %9.0f datums/s %9.0f results/s %7.1f us server CPU/result%n",
        work.name(),
        work.datums() / seconds,
        work.results() / seconds,
        cpuMicros / work.results());
  }
}
