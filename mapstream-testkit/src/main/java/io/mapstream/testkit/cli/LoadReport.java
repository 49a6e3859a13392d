package io.mapstream.testkit.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import org.HdrHistogram.Histogram;

/**
 * What a load was and what came of it.
 *
 * @param function its name
 * @param load the load in words
 * @param measured what was measured
 * @param cpu the processor time of the server while it was measured
 * @param memory the most resident memory that the server was seen to have
 */
record LoadReport(
    String function,
    String load,
    LoadMeter.Measured measured,
    Optional<Duration> cpu,
    OptionalLong memory) {

  /** A percentile that is told, by the name that JSON has for it. */
  record Percentile(String name, double percent) {}

  static final List<Percentile> PERCENTILES =
      List.of(
          new Percentile("p50", 50),
          new Percentile("p90", 90),
          new Percentile("p99", 99),
          new Percentile("p99.9", 99.9),
          new Percentile("max", 100));

  /** A latency in milliseconds to three digits or so. */
  static String millis(long nanos) {
    double millis = nanos / 1e6;
    return format(
        millis < 1 ? "%.3f" : millis < 10 ? "%.2f" : millis < 100 ? "%.1f" : "%,.0f", millis);
  }

  /** The same in every locale. */
  // The annotation that is missed would be a library's; the tests print with each format.
  @SuppressWarnings("AnnotateFormatMethod")
  static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }

  /** A rate: whole where it is large. */
  static String rate(double perSecond) {
    return format(perSecond < 100 ? "%.1f" : "%,.0f", perSecond);
  }

  String requestRate() {
    return rate(measured.perSecond(measured.requests()));
  }

  String resultRate() {
    return rate(measured.perSecond(measured.results()));
  }

  double cores() {
    double nanos = (double) cpu.orElse(Duration.ZERO).toNanos();
    return measured.nanos() == 0 ? 0 : nanos / measured.nanos();
  }

  private double microsPer(long count) {
    return count == 0 ? 0 : cpu.orElse(Duration.ZERO).toNanos() / 1e3 / count;
  }

  /** The processor and memory of the server, in words; empty if they aren't known. */
  String server() {
    String processor =
        cpu.isEmpty()
            ? ""
            : format(
                "%.2f cores, %.1f µs per request, %.1f µs per result",
                cores(), microsPer(measured.requests()), microsPer(measured.results()));
    String resident =
        memory.isEmpty() ? "" : format("%,.0f MiB of memory", memory.getAsLong() / 1048576.0);
    return processor.isEmpty() || resident.isEmpty()
        ? processor + resident
        : processor + ", " + resident;
  }

  /** The marks among the results, in words; empty if there are none. */
  String marks() {
    return measured.drops() + measured.nacks() + measured.fails() == 0
        ? ""
        : format(
            "%,d drops, %,d nacks, %,d fails among the results",
            measured.drops(), measured.nacks(), measured.fails());
  }

  String text() {
    StringBuilder text = new StringBuilder();
    text.append(format("%s: %s%n", function, load));
    text.append(format("requests  %,12d  %12s/s%n", measured.requests(), requestRate()));
    text.append(
        format(
            "results   %,12d  %12s/s  %.1f MiB/s%n",
            measured.results(), resultRate(), measured.perSecond(measured.bytes()) / 1048576));
    if (!marks().isEmpty()) {
      text.append("marks     ").append(marks()).append(System.lineSeparator());
    }
    text.append("latency in ms     ");
    PERCENTILES.forEach(each -> text.append(format("%10s", each.name())));
    text.append(System.lineSeparator());
    text.append(row("to first result   ", measured.first()));
    text.append(row("to the end        ", measured.end()));
    if (!server().isEmpty()) {
      text.append("server    ").append(server()).append(System.lineSeparator());
    }
    return text.toString();
  }

  private static String row(String name, Histogram latencies) {
    StringBuilder row = new StringBuilder(name);
    for (Percentile each : PERCENTILES) {
      row.append(format("%10s", shown(latencies, each.percent())));
    }
    return row.append(System.lineSeparator()).toString();
  }

  static String shown(Histogram latencies, double percentile) {
    return latencies.getTotalCount() == 0
        ? "–"
        : millis(latencies.getValueAtPercentile(percentile));
  }

  JsonObject json() {
    JsonObject json = new JsonObject();
    json.addProperty("function", function);
    json.addProperty("load", load);
    json.addProperty("seconds", measured.nanos() / 1e9);
    json.addProperty("requests", measured.requests());
    json.addProperty("requestsPerSecond", measured.perSecond(measured.requests()));
    json.addProperty("results", measured.results());
    json.addProperty("resultsPerSecond", measured.perSecond(measured.results()));
    json.addProperty("resultBytes", measured.bytes());
    json.addProperty("drops", measured.drops());
    json.addProperty("nacks", measured.nacks());
    json.addProperty("fails", measured.fails());
    json.add("firstResultMs", latencies(measured.first()));
    json.add("endMs", latencies(measured.end()));
    json.add("requestsBySecond", array(measured.requestsBySecond()));
    json.add("resultsBySecond", array(measured.resultsBySecond()));
    cpu.ifPresent(time -> json.addProperty("serverCpuSeconds", time.toNanos() / 1e9));
    memory.ifPresent(bytes -> json.addProperty("serverMemoryBytes", bytes));
    return json;
  }

  private static JsonObject latencies(Histogram latencies) {
    JsonObject json = new JsonObject();
    if (latencies.getTotalCount() > 0) {
      PERCENTILES.forEach(each ->
          json.addProperty(each.name(), latencies.getValueAtPercentile(each.percent()) / 1e6));
    }
    return json;
  }

  private static JsonArray array(List<Long> counts) {
    JsonArray array = new JsonArray();
    counts.forEach(array::add);
    return array;
  }
}
