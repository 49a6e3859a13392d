package io.mapstream.examples;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.mapstream.Datum;
import io.mapstream.Message;
import io.mapstream.testkit.ClientStream;
import io.mapstream.testkit.MapStreamClient;
import io.mapstream.testkit.ReplyListener;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Measures new processes of {@link Fanout} and of {@link ReadyMade} in turn, which shows how much
 * of the start, of the first results and of the memory are the JVM's and gRPC's: {@code mvn -q
 * -DskipTests -Pbench package -Dbench.tables=process}. Linux only.
 */
final class ProcessBenchmark {

  private static final int PAIRS = 9;
  private static final int TOGETHER = 20;
  private static final int DUE_MILLIS = 20;
  private static final Duration LOAD = Duration.ofSeconds(5);
  private static final BenchWork FAN20 = BenchWork.of("fan20", 20, 100);
  private static final Duration LIMIT = Duration.ofSeconds(60);

  /** Starts a new process and returns one figure of it. */
  private interface Figure {
    double of(List<String> command) throws IOException, InterruptedException;
  }

  private ProcessBenchmark() {}

  /** Returns a table's lines. */
  static List<String> table(List<String> java, List<String> smallHeap)
      throws IOException, InterruptedException {
    List<String> lines = new ArrayList<>();
    lines.add("| of a new process | mapstream | ready-made | ratio |");
    lines.add("|---|---|---|---|");
    lines.add(line("start to the first EOT, ms", java, "1", "0", ProcessBenchmark::untilEot));
    lines.add(
        line(
            "delay of a first result, ms",
            java,
            "1",
            "" + DUE_MILLIS,
            ProcessBenchmark::firstResult));
    lines.add(
        line(
            "peak resident under fan20 with `-Xmx64m`, MiB",
            smallHeap,
            "20",
            "0",
            ProcessBenchmark::resident));
    return lines;
  }

  /** Returns the lines of a table of the cost while the JIT compiler works. */
  static List<String> warmUp(List<String> java) throws IOException, InterruptedException {
    List<String> lines = new ArrayList<>();
    lines.add(
        "| seconds under load | datums/s | CPU µs/datum | ready-made: datums/s | CPU µs/datum |");
    lines.add("|---|---|---|---|---|");
    List<String> readyMade = command(java, ReadyMade.class.getName(), "20", "100", "1", "0");
    try (FunctionProcess ceiling = start(readyMade);
        MapStreamClient client = ceiling.connect()) {
      FAN20.run(client, LOAD); // warms the client up
    }
    try (FunctionProcess ours = start(command(java, Fanout.class.getName()));
        MapStreamClient client = ours.connect();
        FunctionProcess ceiling = start(readyMade);
        MapStreamClient other = ceiling.connect()) {
      int from = 0;
      for (int to : List.of(2, 4, 8, 16, 32)) {
        Duration time = Duration.ofSeconds(to - from);
        lines.add(
            "| %d to %d | %s | %s |"
                .formatted(from, to, load(ours, client, time), load(ceiling, other, time)));
        from = to;
      }
    }
    return lines;
  }

  private static String load(FunctionProcess server, MapStreamClient client, Duration time)
      throws InterruptedException {
    long cpu = server.cpuNanos();
    long begin = System.nanoTime();
    long datums = FAN20.run(client, time);
    return String.format(
        Locale.ROOT,
        "%,.0f | %.1f",
        datums * 1e3 / millisSince(begin),
        (server.cpuNanos() - cpu) / 1e3 / datums);
  }

  private static List<String> command(List<String> java, String... function) {
    List<String> command = new ArrayList<>(java);
    command.addAll(List.of(function));
    return command;
  }

  private static FunctionProcess start(List<String> command) throws IOException {
    return FunctionProcess.start(command, Map.of());
  }

  private static String line(
      String name, List<String> java, String results, String delayMillis, Figure figure)
      throws IOException, InterruptedException {
    List<String> ours = command(java, Fanout.class.getName());
    List<String> readyMade =
        command(java, ReadyMade.class.getName(), results, "100", "1", delayMillis);
    double[] first = new double[PAIRS];
    double[] second = new double[PAIRS];
    double[] ratios = new double[PAIRS];
    for (int i = -1; i < PAIRS; i++) {
      double mapstream = figure.of(ours);
      double ceiling = figure.of(readyMade);
      if (i >= 0) { // The first pair warms the client up.
        first[i] = mapstream;
        second[i] = ceiling;
        ratios[i] = mapstream / ceiling;
      }
    }
    Arrays.sort(ratios);
    return String.format(
        Locale.ROOT,
        "| %s | %.1f | %.1f | %.2f (%.2f to %.2f) |",
        name,
        median(first),
        median(second),
        median(ratios),
        ratios[0],
        ratios[PAIRS - 1]);
  }

  private static double median(double[] values) {
    Arrays.sort(values);
    return values[values.length / 2];
  }

  private static double untilEot(List<String> command) throws IOException, InterruptedException {
    long begin = System.nanoTime();
    try (FunctionProcess server = start(command);
        MapStreamClient client = server.connect()) {
      client.send(datum(0)).remaining(LIMIT);
      return millisSince(begin);
    }
  }

  /** Sends some datums together, twice, and returns the median of the second time. */
  private static double firstResult(List<String> command) throws IOException, InterruptedException {
    try (FunctionProcess server = start(command);
        MapStreamClient client = server.connect()) {
      firstResult(client);
      return firstResult(client);
    }
  }

  private static double firstResult(MapStreamClient client) throws InterruptedException {
    ClientStream stream = client.openStream();
    CountDownLatch answers = new CountDownLatch(TOGETHER);
    double[] millis = new double[TOGETHER];
    Datum datum = datum(DUE_MILLIS);
    for (int i = 0; i < TOGETHER; i++) {
      int number = i;
      long sent = System.nanoTime();
      stream.send(
          "" + i,
          datum,
          new ReplyListener() {
            @Override
            public void message(Message message) {
              millis[number] = millisSince(sent);
            }

            @Override
            public void ended() {
              answers.countDown();
            }

            @Override
            public void failed(Throwable reason) {
              throw new IllegalStateException(reason);
            }
          });
    }
    if (!answers.await(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
      throw new IllegalStateException(answers.getCount() + " were not answered within " + LIMIT);
    }
    stream.complete(LIMIT);
    return median(millis) - DUE_MILLIS;
  }

  private static double resident(List<String> command) throws IOException, InterruptedException {
    try (FunctionProcess server = start(command);
        MapStreamClient client = server.connect()) {
      FAN20.run(client, LOAD);
      return server.statusKib("VmHWM") / 1024.0;
    }
  }

  private static double millisSince(long nanos) {
    return (System.nanoTime() - nanos) / 1e6;
  }

  private static Datum datum(int delayMillis) {
    return Datum.builder()
        .keys(List.of("key-0"))
        .value(("1 100 " + delayMillis).getBytes(US_ASCII))
        .eventTime(Instant.EPOCH)
        .watermark(Instant.EPOCH)
        .build();
  }
}
