package io.mapstream.examples;

import io.mapstream.Datum;
import io.mapstream.testkit.MapStreamClient;
import io.mapstream.testkit.Reply;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Measures how long a trivial datum takes while handlers compute ({@link Computing}), with and
 * without additional carriers: {@code mvn -q -DskipTests -Pbench package -Dbench.tables=fairness}.
 */
final class FairnessBenchmark {

  private static final int ROUNDS = 5;
  private static final int COMPUTED_RESULTS = 1_000;
  private static final Duration LIMIT = Duration.ofSeconds(60);

  /** The time of the trivial datum, and that of the computing datums. */
  private record Round(double trivialMillis, double computingMillis) {}

  private FairnessBenchmark() {}

  /** Returns a table's lines. The settings alternate in each round, so that noise affects both. */
  static List<String> table(List<String> java) throws IOException, InterruptedException {
    List<String> lines = new ArrayList<>();
    lines.add("| computing handlers | `maxCarriers` | trivial datum, ms | computing datums, ms |");
    lines.add("|---|---|---|---|");
    int processors = Runtime.getRuntime().availableProcessors();
    for (int computing : List.of(processors, 2 * processors)) {
      List<Round> off = new ArrayList<>();
      List<Round> on = new ArrayList<>();
      for (int i = 0; i < ROUNDS; i++) {
        off.add(round(java, computing, Map.of("MAPSTREAM_MAX_CARRIERS", "0")));
        on.add(round(java, computing, Map.of()));
      }
      lines.add(line(computing, "0, which is off", off));
      lines.add(line(computing, "default", on));
    }
    return lines;
  }

  /** Uses a new process, so that the first demand for carriers is part of the measurement. */
  private static Round round(List<String> java, int computing, Map<String, String> environment)
      throws IOException, InterruptedException {
    List<String> command = PerformanceBenchmark.command(java, Computing.class);
    try (FunctionProcess server = FunctionProcess.start(command, environment);
        MapStreamClient client = server.connect()) {
      for (int i = 0; i < 100; i++) {
        client.send(datum(1)).remaining(LIMIT);
      }
      List<Reply> replies = new ArrayList<>();
      long begin = System.nanoTime();
      for (int i = 0; i < computing; i++) {
        replies.add(client.send(datum(COMPUTED_RESULTS)));
      }
      // When as many handlers as there are processors compute, all carriers are busy.
      for (Reply reply : replies.subList(0, Runtime.getRuntime().availableProcessors())) {
        reply.next(LIMIT);
      }
      long sent = System.nanoTime();
      client.send(datum(0)).remaining(LIMIT);
      double trivial = (System.nanoTime() - sent) / 1e6;
      for (Reply reply : replies) {
        reply.remaining(LIMIT);
      }
      return new Round(trivial, (System.nanoTime() - begin) / 1e6);
    }
  }

  private static Datum datum(int results) {
    return Datum.builder()
        .text("" + results)
        .eventTime(Instant.EPOCH)
        .watermark(Instant.EPOCH)
        .build();
  }

  private static String line(int computing, String setting, List<Round> rounds) {
    return String.format(
        Locale.ROOT,
        "| %d | %s | %s | %s |",
        computing,
        setting,
        range(rounds.stream().mapToDouble(Round::trivialMillis).sorted().toArray()),
        range(rounds.stream().mapToDouble(Round::computingMillis).sorted().toArray()));
  }

  private static String range(double[] sorted) {
    return String.format(
        Locale.ROOT,
        "%.0f (%.0f to %.0f)",
        sorted[sorted.length / 2],
        sorted[0],
        sorted[sorted.length - 1]);
  }
}
