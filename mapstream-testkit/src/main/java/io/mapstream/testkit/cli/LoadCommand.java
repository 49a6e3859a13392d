package io.mapstream.testkit.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.mapstream.Datum;
import io.mapstream.testkit.ClientStream;
import io.mapstream.testkit.MapStreamClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Puts load on a function and reports its throughput and latencies. */
@Command(
    name = "load",
    description = {
      "Puts load on a running function over one stream, as the platform does, and reports its"
          + " throughput and latencies.",
      "",
      "Either keeps a number of datums open (--concurrency), or sends requests at a --rate,"
          + " independent of the answers. At a rate, latencies are measured from the time at which"
          + " a request was due, so that back-pressure does not make a function look faster.",
      ""
    })
final class LoadCommand implements Callable<Integer> {

  private static final int DEFAULT_CONCURRENCY = 100;
  private static final int DEFAULT_SIZE = 100;
  private static final Duration DEFAULT_DURATION = Duration.ofSeconds(10);

  private final Terminal terminal;

  @Mixin private Target target = new Target();

  @Option(
      names = "--concurrency",
      paramLabel = "N",
      description = "How many datums are open at any time; 100 if --rate is not given.")
  private @Nullable Integer concurrency;

  @Option(names = "--rate", paramLabel = "N", description = "How many requests to send per second.")
  private @Nullable Double rate;

  @Option(
      names = "--duration",
      paramLabel = "DURATION",
      description =
          "How long to send; 10s if --count is not given. All requests due by then are sent.")
  private @Nullable Duration duration;

  @Option(
      names = "--count",
      paramLabel = "N",
      description = "The maximum number of requests to send after the warm-up.")
  private @Nullable Long count;

  @Option(
      names = "--warmup",
      paramLabel = "DURATION",
      description =
          "How long to send before measuring and counting start; 2s by default, 0s for none.")
  private Duration warmup = Duration.ofSeconds(2);

  @Option(names = "--value", paramLabel = "TEXT", description = "The value of each datum.")
  private @Nullable String value;

  @Option(
      names = "--payload",
      paramLabel = "FILE",
      description = "A file with the value of each datum.")
  private @Nullable Path payload;

  @Option(
      names = "--size",
      paramLabel = "SIZE",
      converter = Units.SizeConverter.class,
      description =
          "Pads the value with spaces to this size, such as 1KiB; 100 if no value is given.")
  private @Nullable Integer size;

  @Mixin private DatumOptions options = new DatumOptions();

  @Option(
      names = "--pid",
      paramLabel = "PID",
      description =
          "The function's process, to report its CPU time and memory; known with --class.")
  private @Nullable Long pid;

  @Option(
      names = "--progress",
      description = "Prints a line per second, even if standard error is not a terminal.")
  private boolean progress;

  @Option(names = "--json", description = "Prints the summary as one JSON object.")
  private boolean json;

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description = "Also writes the summary with charts to an HTML page.")
  private @Nullable Path html;

  private long lastId;

  LoadCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    byte[] bytes = value();
    verify();
    try (FunctionProcess function = target.open(terminal, pid);
        MapStreamClient client = function.connect(target.timeout)) {
      load(client.stream(), function, bytes);
      target.complete(client.stream());
    }
    return Main.OK;
  }

  private void verify() {
    Units.refuseBoth("--rate", rate, "--concurrency", concurrency);
    if (rate != null && !(rate > 0 && rate <= 1e7)) {
      throw new UsageFault("--rate must be more than 0 and at most 10000000 but was " + rate);
    }
    Units.requireAtLeastOne("--concurrency", inFlight());
    if (count != null) {
      Units.requireAtLeastOne("--count", count);
    }
    if (duration != null) {
      Units.requirePositive("--duration", duration);
    }
    if (html != null
        && (Files.isDirectory(html)
            || !Files.isWritable(
                Files.exists(html) ? html : html.toAbsolutePath().resolveSibling("")))) {
      throw new UsageFault("--html " + html + " is a folder, or can't be written");
    }
  }

  private int inFlight() {
    return concurrency == null ? DEFAULT_CONCURRENCY : concurrency;
  }

  private byte[] value() {
    Units.refuseBoth("--value", value, "--payload", payload);
    byte[] given = value == null ? new byte[0] : value.getBytes(UTF_8);
    if (payload != null) {
      try {
        given = Files.readAllBytes(payload);
      } catch (IOException e) {
        throw new UsageFault("--payload " + payload + " can't be read: " + e);
      }
    }
    boolean isGiven = value != null || payload != null;
    int length = size != null ? size : isGiven ? given.length : DEFAULT_SIZE;
    if (given.length > length) {
      throw new UsageFault(
          "--size " + length + " is less than the " + given.length + " bytes of the value");
    }
    byte[] filled = Arrays.copyOf(given, length);
    Arrays.fill(filled, given.length, length, (byte) (isGiven ? ' ' : 'x'));
    return filled;
  }

  @SuppressWarnings("try") // The progress line is never used, only closed.
  private void load(ClientStream stream, FunctionProcess function, byte[] bytes)
      throws IOException, InterruptedException {
    if (!warmup.isZero()) {
      send(stream, bytes, new LoadMeter(target.timeout), warmup.toNanos(), Long.MAX_VALUE);
    }
    Duration cpuBefore = function.cpu().orElse(Duration.ZERO);
    AtomicLong memory = new AtomicLong();
    Runnable look = () -> memory.accumulateAndGet(function.memory(), Math::max);
    LoadMeter meter = new LoadMeter(target.timeout);
    Supplier<String> line =
        () -> {
          look.run();
          return LoadReport.progress(meter.measured(), meter.inFlight());
        };
    long nanos =
        duration != null
            ? duration.toNanos()
            : count != null ? Long.MAX_VALUE : DEFAULT_DURATION.toNanos();
    look.run();
    try (ProgressLine shown = new ProgressLine(terminal, progress, 1, line)) {
      send(stream, bytes, meter, nanos, count == null ? Long.MAX_VALUE : count);
    } finally {
      // Report what was measured even if the load was interrupted or ended by the function.
      look.run();
      LoadMeter.Measured measured = meter.measured();
      if (measured.requests() > 0) {
        report(
            new LoadReport(
                function.name(),
                words(bytes.length, measured),
                measured,
                function.cpu().map(after -> after.minus(cpuBefore)),
                memory.get()));
      }
    }
  }

  /**
   * Sends for a time or a number of requests, whichever ends first, and waits for all answers. At a
   * rate, a request's latency is measured from when it was due, even if back-pressure delayed the
   * sending: otherwise, the waits caused by a slow function would be missing from its latencies
   * (coordinated omission).
   */
  private void send(ClientStream stream, byte[] value, LoadMeter meter, long nanos, long most)
      throws InterruptedException {
    for (long sent = 0; sent < most; sent++) {
      if (rate == null) {
        meter.awaitFewerThan(inFlight());
      }
      long due = rate == null ? System.nanoTime() : meter.start() + (long) (sent * 1e9 / rate);
      if (due - meter.start() >= nanos) {
        break;
      }
      sleepUntil(due, meter, stream);
      Datum datum = options.builder(null).value(value).build();
      meter.send(stream, Long.toString(++lastId), datum, due, null);
    }
    meter.awaitFewerThan(1);
  }

  /** Returns early if the stream has ended: the next request then can't be sent. */
  private static void sleepUntil(long due, LoadMeter meter, ClientStream stream)
      throws InterruptedException {
    for (long early; (early = due - System.nanoTime()) > 0 && !stream.hasEnded(); meter.verify()) {
      TimeUnit.NANOSECONDS.sleep(Math.min(early, TimeUnit.MILLISECONDS.toNanos(100)));
    }
  }

  private String words(int bytes, LoadMeter.Measured measured) {
    String loop =
        rate == null
            ? LoadReport.format("%,d in flight", inFlight())
            : LoadReport.rate(rate) + " requests/s (open loop)";
    return LoadReport.format(
        "%s, values of %,d bytes, %.1f s after %.1f s of warm-up",
        loop, bytes, measured.nanos() / 1e9, warmup.toNanos() / 1e9);
  }

  private void report(LoadReport report) throws IOException {
    terminal.print(json ? report.json() + "\n" : report.text());
    if (html != null) {
      Files.writeString(html, LoadPage.of(report));
    }
  }
}
