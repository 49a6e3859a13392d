package io.mapstream.testkit.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.HdrHistogram.Histogram;

/**
 * Writes a report as a self-contained HTML page, without external scripts, fonts or files, so that
 * it can be archived and mailed. The template is {@code load.html}.
 */
final class LoadPage {

  private static final Pattern PLACE = Pattern.compile("\\$\\{(\\w+)}");

  /** If the tail exceeds the median by this factor, a linear axis would flatten the curve. */
  private static final double WIDE = 30;

  /** For more seconds than this, dots would hide the line. */
  private static final int MOST_DOTS = 120;

  private LoadPage() {}

  /** Returns the page for a report. */
  static String of(LoadReport report) throws IOException {
    LoadMeter.Measured measured = report.measured();
    Map<String, String> parts =
        Map.of(
            "title", escaped("Load of " + report.function()),
            "load", escaped(report.load()),
            "figures", figures(report),
            "percentiles", LoadReport.ofEach(each -> "<th>" + each.name() + "</th>"),
            "first", cells(measured.first()),
            "end", cells(measured.end()),
            "latencies", latencies(measured.first(), measured.end()),
            "requests", overTime("requests/s", measured.requestsBySecond()),
            "results", overTime("results/s", measured.resultsBySecond()));
    return PLACE
        .matcher(template())
        .replaceAll(
            place -> Matcher.quoteReplacement(Objects.requireNonNull(parts.get(place.group(1)))));
  }

  private static String template() throws IOException {
    try (InputStream in = LoadPage.class.getResourceAsStream("load.html")) {
      return new String(Objects.requireNonNull(in, "load.html").readAllBytes(), UTF_8);
    }
  }

  private static String figures(LoadReport report) {
    StringBuilder figures = new StringBuilder();
    figures.append(figure(report.requestRate(), "requests/s"));
    figures.append(figure(report.resultRate(), "results/s"));
    if (report.cpu().isPresent()) {
      figures.append(figure(LoadReport.format("%.2f", report.cores()), "cores of the server"));
    }
    if (report.memory() > 0) {
      figures.append(figure(report.mebibytes(), "memory of the server"));
    }
    if (report.measured().hasMarks()) {
      figures.append(figure(LoadReport.format("%,d", report.measured().fails()), "fail marks"));
    }
    return figures.toString();
  }

  private static String figure(String value, String unit) {
    return "<div><b>" + value + "</b>" + unit + "</div>\n";
  }

  private static String cells(Histogram latencies) {
    return LoadReport.ofEach(
        each -> "<td>" + LoadReport.shown(latencies, each.percent()) + "</td>");
  }

  /** Draws latencies by percentile: each additional nine has the same width. */
  private static String latencies(Histogram first, Histogram end) {
    int nines =
        Math.clamp((int) Math.ceil(Math.log10((double) Math.max(end.getTotalCount(), 1))), 2, 5);
    double highest = Math.max(first.getMaxValue(), end.getMaxValue()) / 1e6;
    double typical = end.getValueAtPercentile(50) / 1e6;
    double atFirst = first.getTotalCount() == 0 ? Double.MAX_VALUE : first.getMinValue() / 1e6;
    double lowest = Math.max(Math.min(atFirst, end.getMinValue() / 1e6), 1e-3);
    Chart.Axis axis =
        highest > WIDE * typical
            ? Chart.Axis.logarithmic(lowest, highest)
            : Chart.Axis.linear(highest);
    Chart chart = new Chart("Latency by percentile", nines, axis, "ms");
    chart.tick(Math.log10(2), "50%");
    for (int nine = 0; nine <= nines; nine++) {
      chart.tick(nine, LoadReport.format("%." + Math.max(0, nine - 2) + "f%%", percentOf(nine)));
    }
    // Often the two curves coincide: then the wider first one shows on both sides of the other.
    curve(chart, "one under", "to the first result", first);
    curve(chart, "two", "to the end", end);
    return chart.drawn("of the requests took at most this long");
  }

  /** Returns the percentile with the given number of nines. */
  private static double percentOf(double nines) {
    return 100 * (1 - Math.pow(10, -nines));
  }

  private static void curve(Chart chart, String style, String name, Histogram latencies) {
    if (latencies.getTotalCount() == 0) {
      return;
    }
    chart.line(
        style,
        IntStream.rangeClosed(0, (int) (chart.width() * 20))
            .mapToObj(i -> point(i / 20.0, percentOf(i / 20.0), latencies))
            .toList());
    for (LoadReport.Percentile each : LoadReport.PERCENTILES) {
      double nines = -Math.log10(1 - each.percent() / 100);
      // The maximum would be infinitely far to the right.
      if (nines <= chart.width()) {
        String shown = LoadReport.shown(latencies, each.percent());
        chart.dot(
            style,
            point(nines, each.percent(), latencies),
            each.name() + " " + name + ": " + shown + " ms");
      }
    }
  }

  private static Chart.Point point(double nines, double percent, Histogram latencies) {
    return new Chart.Point(nines, latencies.getValueAtPercentile(percent) / 1e6);
  }

  private static String overTime(String unit, List<Long> counts) {
    // The last second is rarely complete, and would look like a drop.
    List<Long> full = counts.size() > 1 ? counts.subList(0, counts.size() - 1) : counts;
    double highest = full.stream().mapToDouble(Long::doubleValue).max().orElse(0);
    int seconds = Math.max(full.size(), 1);
    Chart chart =
        new Chart(unit + " over time", seconds, Chart.Axis.linear(Math.max(highest, 1)), unit);
    double step = Math.max(1, Chart.niceStep(seconds / 8.0));
    for (double second = 0; second <= seconds; second += step) {
      chart.tick(second, Chart.number(second));
    }
    // A count belongs to the whole second, so its dot is in the middle.
    List<Chart.Point> points =
        IntStream.range(0, full.size())
            .mapToObj(second -> new Chart.Point(second + 0.5, full.get(second)))
            .toList();
    chart.line("one", points);
    for (int second = 0; second < full.size() && full.size() <= MOST_DOTS; second++) {
      String count = LoadReport.format("%,d %s in second %d", full.get(second), unit, second + 1);
      chart.dot("one", points.get(second), count);
    }
    return chart.drawn("seconds");
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }
}
