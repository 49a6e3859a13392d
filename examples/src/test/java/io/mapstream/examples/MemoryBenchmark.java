package io.mapstream.examples;

import io.mapstream.testkit.MapStreamClient;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Measures the resident memory of {@link Fanout}, idle and under each load of {@link BenchWork} in
 * turn, with several sets of JVM options: {@code examples/docker/measure.sh memory}. Linux only.
 */
public final class MemoryBenchmark {

  private static final int ROUNDS = 3;

  private MemoryBenchmark() {}

  /**
   * Prints a line for each set of options.
   *
   * @param args the function's command, then the sets, each with its options separated by spaces
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    for (String options : List.of(args).subList(1, args.length)) {
      measure(List.of(args[0]), options);
    }
  }

  private static void measure(List<String> command, String options)
      throws IOException, InterruptedException {
    String all = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn " + options;
    try (FunctionProcess server = FunctionProcess.start(command, Map.of("JAVA_OPTS", all));
        MapStreamClient client = server.connect()) {
      StringBuilder line = new StringBuilder("%-36s".formatted(options));
      add(line, "idle", server);
      for (BenchWork work : BenchWork.ALL) {
        for (int i = 0; i < ROUNDS; i++) {
          work.run(client, Duration.ofSeconds(1));
        }
        add(line, work.name(), server);
      }
      line.append(figure("peak", server.statusKib("VmHWM")));
      System.out.println(line);
    }
  }

  private static void add(StringBuilder line, String when, FunctionProcess server)
      throws IOException {
    line.append(figure(when, server.statusKib("VmRSS")));
  }

  private static String figure(String name, long kib) {
    return String.format(Locale.ROOT, " %s %4.0f MiB", name, kib / 1024.0);
  }
}
