package io.mapstream.testkit.cli;

import java.time.Duration;
import java.util.Formatter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.HdrHistogram.Histogram;

/**
 * The report of a load.
 *
 * @param function the name of the function
 * @param load a description of the load
 * @param measured the measurements
 * @param cpu the CPU time that the server used during the measurement
 * @param memory the highest observed resident memory of the server; 0 if unknown
 */
record LoadReport(
    String function,
    String load,
    LoadMeter.Measured measured,
    Optional<Duration> cpu,
    long memory) {

  /** A reported percentile, with its name in JSON. */
  record Percentile(String name, double percent) {}

  static final List<Percentile> PERCENTILES =
      List.of(
          new Percentile("p50", 50),
          new Percentile("p90", 90),
          new Percentile("p99", 99),
          new Percentile("p99.9", 99.9),
          new Percentile("max", 100));

  /** Formats a latency in milliseconds, to about three digits. */
  static String millis(long nanos) {
    double millis = nanos / 1e6;
    return format(
        millis < 1 ? "%.3f" : millis < 10 ? "%.2f" : millis < 100 ? "%.1f" : "%,.0f", millis);
  }

  /** Formats independently of the locale. */
  // The annotation would need another library; the tests use every format.
  @SuppressWarnings("AnnotateFormatMethod")
  static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }

  /** Formats a rate, as an integer if it is large. */
  static String rate(double perSecond) {
    return format(perSecond < 100 ? "%.1f" : "%,.0f", perSecond);
  }

  static String shown(Histogram latencies, double percentile) {
    return latencies.getTotalCount() == 0
        ? "–"
        : millis(latencies.getValueAtPercentile(percentile));
  }

  /** Concatenates a text for each percentile. */
  static String ofEach(Function<Percentile, String> text) {
    return PERCENTILES.stream().map(text).collect(Collectors.joining());
  }

  /** Returns a line with the progress of a load. */
  static String progress(LoadMeter.Measured now, int inFlight) {
    // The last complete second.
    int second = (int) (now.nanos() / TimeUnit.SECONDS.toNanos(1)) - 1;
    return format(
        "%3.0f s  %,d requests/s  %,d results/s  %,d in flight  p50 %s ms  p99 %s ms",
        now.nanos() / 1e9,
        second < 0 ? 0L : now.requestsBySecond().get(second),
        second < 0 ? 0L : now.resultsBySecond().get(second),
        inFlight,
        shown(now.end(), 50),
        shown(now.end(), 99));
  }

  String requestRate() {
    return rate(measured.perSecond(measured.requests()));
  }

  String resultRate() {
    return rate(measured.perSecond(measured.results()));
  }

  /** Formats the memory of the server. */
  String mebibytes() {
    return format("%,.0f MiB", memory / 1048576.0);
  }

  double cores() {
    double nanos = (double) cpu.orElse(Duration.ZERO).toNanos();
    return measured.nanos() == 0 ? 0 : nanos / measured.nanos();
  }

  private double microsPer(long count) {
    return count == 0 ? 0 : cpu.orElse(Duration.ZERO).toNanos() / 1e3 / count;
  }

  String text() {
    Formatter text = new Formatter(Locale.ROOT);
    text.format("%s: %s%n", function, load);
    text.format("requests  %,12d  %12s/s%n", measured.requests(), requestRate());
    text.format(
        "results   %,12d  %12s/s  %.1f MiB/s%n",
        measured.results(), resultRate(), measured.perSecond(measured.bytes()) / 1048576);
    if (measured.hasMarks()) {
      text.format(
          "marks     %,d drops, %,d nacks, %,d fails among the results%n",
          measured.drops(), measured.nacks(), measured.fails());
    }
    text.format("latency in ms     %s%n", ofEach(each -> format("%10s", each.name())));
    text.format("to first result   %s%n", row(measured.first()));
    text.format("to the end        %s%n", row(measured.end()));
    if (cpu.isPresent() || memory > 0) {
      text.format("server    %s%n", server());
    }
    return text.toString();
  }

  private static String row(Histogram latencies) {
    return ofEach(each -> format("%10s", shown(latencies, each.percent())));
  }

  /** Formats the CPU use and memory of the server. */
  private String server() {
    String processor =
        cpu.isEmpty()
            ? ""
            : format(
                "%.2f cores, %.1f µs per request, %.1f µs per result",
                cores(), microsPer(measured.requests()), microsPer(measured.results()));
    String resident = memory == 0 ? "" : mebibytes() + " of memory";
    return processor + (processor.isEmpty() || resident.isEmpty() ? "" : ", ") + resident;
  }

  String json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("function", function);
    json.put("load", load);
    json.put("seconds", measured.nanos() / 1e9);
    json.put("requests", measured.requests());
    json.put("requestsPerSecond", measured.perSecond(measured.requests()));
    json.put("results", measured.results());
    json.put("resultsPerSecond", measured.perSecond(measured.results()));
    json.put("resultBytes", measured.bytes());
    json.put("drops", measured.drops());
    json.put("nacks", measured.nacks());
    json.put("fails", measured.fails());
    json.put("firstResultMs", latencies(measured.first()));
    json.put("endMs", latencies(measured.end()));
    json.put("requestsBySecond", measured.requestsBySecond());
    json.put("resultsBySecond", measured.resultsBySecond());
    cpu.ifPresent(time -> json.put("serverCpuSeconds", time.toNanos() / 1e9));
    if (memory > 0) {
      json.put("serverMemoryBytes", memory);
    }
    return JsonValue.write(json);
  }

  private static Map<String, Double> latencies(Histogram latencies) {
    Map<String, Double> millis = new LinkedHashMap<>();
    if (latencies.getTotalCount() > 0) {
      PERCENTILES.forEach(
          each -> millis.put(each.name(), latencies.getValueAtPercentile(each.percent()) / 1e6));
    }
    return millis;
  }
}
