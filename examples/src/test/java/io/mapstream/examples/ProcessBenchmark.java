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
  private static final Duration LIMIT = Duration.ofSeconds(60);

  /** Starts a new process and returns one figure of it. */
  private interface Figure {
    double of(List<String> command) throws IOException, InterruptedException;
  }

  private ProcessBenchmark() {}

  /** Returns a table's lines. */
  static List<String> table(List<String> java, List<String> smallHeap)
      throws IOException, InterruptedException {
    return List.of(
        "| of a new process | mapstream | ready-made | ratio |",
        "|---|---|---|---|",
        line(
            "start to the first EOT, ms",
            PerformanceBenchmark.command(java, Fanout.class),
            ReadyMade.command(java, BenchWork.FAN1, 0),
            command -> StartBenchmark.start(command).millis()),
        line(
            "delay of a first result, ms",
            PerformanceBenchmark.command(java, Fanout.class),
            ReadyMade.command(java, BenchWork.FAN1, DUE_MILLIS),
            ProcessBenchmark::firstResult),
        line(
            "peak resident under fan20 with `-Xmx64m`, MiB",
            PerformanceBenchmark.command(smallHeap, Fanout.class),
            ReadyMade.command(smallHeap, BenchWork.FAN20, 0),
            ProcessBenchmark::resident));
  }

  private static String line(String name, List<String> ours, List<String> readyMade, Figure figure)
      throws IOException, InterruptedException {
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
        PerformanceBenchmark.median(first),
        PerformanceBenchmark.median(second),
        PerformanceBenchmark.median(ratios),
        ratios[0],
        ratios[PAIRS - 1]);
  }

  /** Sends some datums together, twice, and returns the median of the second time. */
  private static double firstResult(List<String> command) throws IOException, InterruptedException {
    try (FunctionProcess server = FunctionProcess.start(command, Map.of());
        MapStreamClient client = server.connect()) {
      firstResult(client);
      return firstResult(client);
    }
  }

  private static double firstResult(MapStreamClient client) throws InterruptedException {
    ClientStream stream = client.openStream();
    CountDownLatch answers = new CountDownLatch(TOGETHER);
    double[] millis = new double[TOGETHER];
    Datum datum =
        Datum.builder()
            .keys(List.of("key-0"))
            .value(("1 100 " + DUE_MILLIS).getBytes(US_ASCII))
            .eventTime(Instant.EPOCH)
            .watermark(Instant.EPOCH)
            .build();
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
    return PerformanceBenchmark.median(millis) - DUE_MILLIS;
  }

  private static double resident(List<String> command) throws IOException, InterruptedException {
    try (FunctionProcess server = FunctionProcess.start(command, Map.of());
        MapStreamClient client = server.connect()) {
      BenchWork.FAN20.run(client, LOAD);
      return server.statusKib("VmHWM") / 1024.0;
    }
  }

  private static double millisSince(long nanos) {
    return (System.nanoTime() - nanos) / 1e6;
  }
}
