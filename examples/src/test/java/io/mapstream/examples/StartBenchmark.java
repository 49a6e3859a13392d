package io.mapstream.examples;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.mapstream.Datum;
import io.mapstream.testkit.MapStreamClient;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Measures how long {@link Fanout} takes from the start of its process to the first EOT, started in
 * several ways in turn: {@code examples/docker/measure.sh start}. The client is in this process and
 * warm, so it adds only a few milliseconds.
 */
public final class StartBenchmark {

  private static final int WARM_UPS = 2;
  private static final Duration LIMIT = Duration.ofSeconds(60);

  /** One start: the time until the first EOT, and the processor time that it took. */
  record Start(double millis, double cpuMillis) {}

  private StartBenchmark() {}

  /**
   * Prints a line for each way, with its ratio to the first way, the median over all turns.
   *
   * @param args the number of starts, then each way as {@code name=command}, its words separated by
   *     spaces
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    int starts = Integer.parseInt(args[0]);
    List<String> names = new ArrayList<>();
    List<List<String>> commands = new ArrayList<>();
    List<List<Start>> measured = new ArrayList<>();
    for (String way : List.of(args).subList(1, args.length)) {
      String[] parts = way.split("=", 2);
      names.add(parts[0]);
      commands.add(List.of(parts[1].split(" ")));
      measured.add(new ArrayList<>());
    }
    for (int turn = -WARM_UPS; turn < starts; turn++) {
      for (int way = 0; way < commands.size(); way++) {
        Start start = start(commands.get(way));
        if (turn >= 0) {
          measured.get(way).add(start);
        }
      }
    }
    for (int way = 0; way < names.size(); way++) {
      print(names.get(way), measured.get(way), measured.getFirst());
    }
  }

  /** Starts a process, and ends it after the first EOT. */
  static Start start(List<String> command) throws IOException, InterruptedException {
    byte[] value = "1 100 0".getBytes(US_ASCII);
    Datum datum = Datum.of(List.of("k"), value, Instant.EPOCH, Instant.EPOCH, Map.of());
    long begin = System.nanoTime();
    try (FunctionProcess server = FunctionProcess.start(command, Map.of());
        MapStreamClient client = server.connect()) {
      client.send(datum).remaining(LIMIT);
      return new Start((System.nanoTime() - begin) / 1e6, server.cpuNanos() / 1e6);
    }
  }

  private static void print(String name, List<Start> starts, List<Start> first) {
    double[] ratios =
        IntStream.range(0, starts.size())
            .mapToDouble(i -> starts.get(i).millis() / first.get(i).millis())
            .sorted()
            .toArray();
    double[] millis = sorted(starts, Start::millis);
    System.out.printf(
        Locale.ROOT,
        "%-20s %4.0f ms (%.0f to %.0f), CPU %4.0f ms, %.2f of the first (%.2f to %.2f)%n",
        name,
        median(millis),
        millis[0],
        millis[millis.length - 1],
        median(sorted(starts, Start::cpuMillis)),
        median(ratios),
        ratios[0],
        ratios[ratios.length - 1]);
  }

  private static double[] sorted(List<Start> starts, ToDoubleFunction<Start> figure) {
    return starts.stream().mapToDouble(figure).sorted().toArray();
  }

  private static double median(double[] sorted) {
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
