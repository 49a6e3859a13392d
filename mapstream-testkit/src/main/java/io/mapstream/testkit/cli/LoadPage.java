package io.mapstream.testkit.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import org.HdrHistogram.Histogram;

/**
 * Writes a report as one page that needs nothing else: no script, no font and no file from
 * anywhere, so that it can be kept and mailed.
 */
final class LoadPage {

  // A chart's box, in the units of its viewBox, and the plot within it.
  private static final int WIDTH = 720;
  private static final int HEIGHT = 300;
  private static final int LEFT = 64;
  private static final int RIGHT = WIDTH - 32;
  private static final int TOP = 16;
  private static final int BOTTOM = HEIGHT - 46;

  /** Where the tail is this much longer than the median, it would flatten all else. */
  private static final double WIDE = 30;

  private static final String STYLE =
      """
      :root { color-scheme: light dark; --page: #ffffff; --text: #1b1f24; --quiet: #59636e;
        --grid: #e3e6ea; --axis: #8b949e; --one: #2a78d6; --two: #d9571e; }
      @media (prefers-color-scheme: dark) {
        :root { --page: #16191d; --text: #e9ecef; --quiet: #9aa4af; --grid: #2c3238;
          --axis: #6b7580; --one: #4c97ec; --two: #ee7c48; }
      }
      body { background: var(--page); color: var(--text); margin: 2rem auto; padding: 0 1rem;
        max-width: 46rem; font: 15px/1.5 system-ui, sans-serif; }
      h1 { font-size: 1.4rem; margin: 0; overflow-wrap: anywhere; }
      h2 { font-size: 1.05rem; margin: 2rem 0 .25rem; }
      p { color: var(--quiet); margin: .25rem 0; }
      .figures { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; margin: 1.25rem 0; }
      .figures div { color: var(--quiet); }
      .figures b { display: block; color: var(--text); font-size: 1.5rem; font-weight: 600; }
      table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
      th, td { text-align: right; padding: .3rem .5rem; border-bottom: 1px solid var(--grid); }
      th { font-weight: 500; color: var(--quiet); }
      th:first-child { text-align: left; }
      svg { display: block; width: 100%; height: auto; }
      svg text { fill: var(--quiet); font-size: 12px; }
      .grid { stroke: var(--grid); } .axis { stroke: var(--axis); }
      .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
      .under { stroke-width: 5; stroke-opacity: .45; }
      .one { stroke: var(--one); } .two { stroke: var(--two); }
      circle.one { fill: var(--one); } circle.two { fill: var(--two); }
      .key i { display: inline-block; width: 1.2em; height: 3px; vertical-align: middle;
        margin-right: .4em; border-radius: 2px; }
      .key span { margin-right: 1.5em; }
      i.one { background: var(--one); } i.two { background: var(--two); }
      """;

  private final LoadReport report;

  private LoadPage(LoadReport report) {
    this.report = report;
  }

  /** The page for a report. */
  static String of(LoadReport report) {
    return new LoadPage(report).page();
  }

  private String page() {
    String title = escaped("Load of " + report.function());
    return """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>%s</title>
    <style>
    %s</style>
    </head>
    <body>
    <h1>%s</h1>
    <p>%s</p>
    <div class="figures">
    %s</div>
    <h2>Latency in ms</h2>
    %s
    %s
    %s
    <h2>Requests per second over time</h2>
    %s
    <h2>Results per second over time</h2>
    %s
    </body>
    </html>
    """
        .formatted(
            title,
            STYLE,
            title,
            escaped(report.load()),
            figures(),
            table(),
            key(),
            latencies(),
            overTime("requests/s", report.measured().requestsBySecond()),
            overTime("results/s", report.measured().resultsBySecond()));
  }

  private String figures() {
    StringBuilder figures = new StringBuilder();
    figures.append(figure(report.requestRate(), "requests/s"));
    figures.append(figure(report.resultRate(), "results/s"));
    if (report.cpu().isPresent()) {
      figures.append(figure(LoadReport.format("%.2f", report.cores()), "cores of the server"));
    }
    if (report.memory().isPresent()) {
      String mebibytes = LoadReport.format("%,.0f MiB", report.memory().getAsLong() / 1048576.0);
      figures.append(figure(mebibytes, "memory of the server"));
    }
    if (!report.marks().isEmpty()) {
      figures.append(figure(LoadReport.format("%,d", report.measured().fails()), "fail marks"));
    }
    return figures.toString();
  }

  private static String figure(String value, String unit) {
    return "<div><b>" + escaped(value) + "</b>" + escaped(unit) + "</div>\n";
  }

  private String table() {
    StringBuilder table = new StringBuilder("<table>\n<tr><th></th>");
    LoadReport.PERCENTILES.forEach(
        each -> table.append("<th>").append(each.name()).append("</th>"));
    table.append("</tr>\n");
    table.append(row("to the first result", report.measured().first()));
    table.append(row("to the end", report.measured().end()));
    return table.append("</table>").toString();
  }

  private static String row(String name, Histogram latencies) {
    StringBuilder row = new StringBuilder("<tr><th>" + name + "</th>");
    LoadReport.PERCENTILES.forEach(each ->
        row.append("<td>").append(LoadReport.shown(latencies, each.percent())).append("</td>"));
    return row.append("</tr>\n").toString();
  }

  private static String key() {
    return "<p class=\"key\"><span><i class=\"one\"></i>to the first result</span>"
        + "<span><i class=\"two\"></i>to the end</span></p>";
  }

  // Latencies by percentile: each nine takes as much room as the one before it.

  private String latencies() {
    Histogram first = report.measured().first();
    Histogram end = report.measured().end();
    double nines =
        Math.clamp(Math.ceil(Math.log10(Math.max((double) end.getTotalCount(), 1))), 2, 5);
    double highest = Math.max(first.getMaxValue(), end.getMaxValue()) / 1e6;
    double typical = end.getValueAtPercentile(50) / 1e6;
    double lowest = Math.max(least(first, end), 1e-3);
    Axis axis = highest > WIDE * typical ? Axis.logarithmic(lowest, highest) : Axis.linear(highest);
    DoubleUnaryOperator x = u -> LEFT + u / nines * (RIGHT - LEFT);
    StringBuilder chart = new StringBuilder();
    chart.append(open("Latency by percentile"));
    chart.append(axis.drawn("ms"));
    for (int nine = 0; nine <= nines; nine++) {
      chart.append(tick(x.applyAsDouble(nine), percentile(nine)));
      if (nine == 0) {
        chart.append(tick(x.applyAsDouble(Math.log10(2)), "50%"));
      }
    }
    chart.append(xTitle("of the requests took at most as long"));
    chart.append(curve("one", "to the first result", first, nines, x, axis));
    chart.append(curve("two", "to the end", end, nines, x, axis));
    return chart.append("</svg>").toString();
  }

  private static double least(Histogram first, Histogram end) {
    double atFirst = first.getTotalCount() == 0 ? Double.MAX_VALUE : first.getMinValue() / 1e6;
    return Math.min(atFirst, end.getMinValue() / 1e6);
  }

  private static String percentile(int nines) {
    return switch (nines) {
      case 0 -> "0%";
      case 1 -> "90%";
      case 2 -> "99%";
      default -> "99." + "9".repeat(nines - 2) + "%";
    };
  }

  private static String curve(
      String style,
      String name,
      Histogram latencies,
      double nines,
      DoubleUnaryOperator x,
      Axis axis) {
    if (latencies.getTotalCount() == 0) {
      return "";
    }
    List<double[]> points = new ArrayList<>();
    for (double u = 0; u <= nines + 1e-9; u += 0.05) {
      double percent = 100 * (1 - Math.pow(10, -u));
      double millis = latencies.getValueAtPercentile(percent) / 1e6;
      points.add(new double[] {x.applyAsDouble(u), axis.y(millis)});
    }
    // Often there is nothing between the two: then the first is seen on both sides of the other.
    String shape = style.equals("one") ? "one under" : style;
    StringBuilder curve = new StringBuilder(line(shape, points));
    for (LoadReport.Percentile each : LoadReport.PERCENTILES) {
      double u = -Math.log10(1 - each.percent() / 100);
      // The maximum is at no nine: infinitely far to the right.
      if (u <= nines) {
        long nanos = latencies.getValueAtPercentile(each.percent());
        String text = each.name() + " " + name + ": " + LoadReport.millis(nanos) + " ms";
        curve.append(dot(style, x.applyAsDouble(u), axis.y(nanos / 1e6), text));
      }
    }
    return curve.toString();
  }

  // Counts by second.

  private String overTime(String unit, List<Long> counts) {
    // The last second is hardly ever a full one, and would look like a break-down.
    List<Long> full = counts.size() > 1 ? counts.subList(0, counts.size() - 1) : counts;
    double highest = full.stream().mapToDouble(Long::doubleValue).max().orElse(0);
    Axis axis = Axis.linear(Math.max(highest, 1));
    int seconds = Math.max(full.size(), 1);
    DoubleUnaryOperator x = second -> LEFT + second / seconds * (RIGHT - LEFT);
    StringBuilder chart = new StringBuilder();
    chart.append(open(unit + " over time"));
    chart.append(axis.drawn(unit));
    double step = Math.max(1, niceStep(seconds / 8.0));
    for (double second = 0; second <= seconds; second += step) {
      chart.append(tick(x.applyAsDouble(second), number(second)));
    }
    chart.append(xTitle("seconds"));
    List<double[]> points = new ArrayList<>();
    for (int second = 0; second < full.size(); second++) {
      // A count belongs to the whole second: a dot in its middle.
      points.add(new double[] {x.applyAsDouble(second + 0.5), axis.y((double) full.get(second))});
    }
    chart.append(line("one", points));
    for (int second = 0; second < full.size() && full.size() <= 120; second++) {
      double[] point = points.get(second);
      String count = LoadReport.format("%,d %s in second %d", full.get(second), unit, second + 1);
      chart.append(dot("one", point[0], point[1], count));
    }
    return chart.append("</svg>").toString();
  }

  // What charts are made of.

  private static String open(String name) {
    return LoadReport.format(
        "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">%n", WIDTH, HEIGHT, name);
  }

  private static String line(String style, List<double[]> points) {
    StringBuilder path = new StringBuilder();
    for (double[] point : points) {
      path.append(
          LoadReport.format(path.isEmpty() ? "M%.1f %.1f" : " L%.1f %.1f", point[0], point[1]));
    }
    return "<path class=\"line " + style + "\" d=\"" + path + "\"/>\n";
  }

  private static String dot(String style, double x, double y, String text) {
    return LoadReport.format(
        "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"><title>%s</title></circle>%n",
        style, x, y, escaped(text));
  }

  private static String tick(double x, String label) {
    return LoadReport.format(
        "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>"
            + "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>%n",
        x, x, BOTTOM, BOTTOM + 5, x, BOTTOM + 19, label);
  }

  private static String xTitle(String text) {
    return LoadReport.format(
        "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>%n",
        (LEFT + RIGHT) / 2, HEIGHT - 6, text);
  }

  /** The vertical axis: where a value is, and the lines at round ones. */
  private record Axis(double low, double high, boolean isLog, List<Double> ticks) {

    static Axis linear(double highest) {
      double step = niceStep(highest / 5);
      List<Double> ticks = new ArrayList<>();
      double high = Math.ceil(highest / step - 1e-9) * step;
      for (int i = 0; i * step <= high * (1 + 1e-9); i++) {
        ticks.add(i * step);
      }
      return new Axis(0, high, false, ticks);
    }

    static Axis logarithmic(double lowest, double highest) {
      double low = Math.pow(10, Math.floor(Math.log10(lowest)));
      double high = Math.pow(10, Math.ceil(Math.log10(highest)));
      List<Double> ticks = new ArrayList<>();
      for (double tick = low; tick <= high * 1.01; tick *= 10) {
        ticks.add(tick);
      }
      return new Axis(low, high, true, ticks);
    }

    double y(double value) {
      double part =
          isLog ? Math.log10(Math.max(value, low) / low) / Math.log10(high / low) : value / high;
      return BOTTOM - part * (BOTTOM - TOP);
    }

    String drawn(String unit) {
      StringBuilder axis = new StringBuilder();
      for (double tick : ticks) {
        double y = y(tick);
        axis.append(
            LoadReport.format(
                "<line class=\"%s\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
                    + "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>%n",
                tick == low ? "axis" : "grid", LEFT, RIGHT, y, y, LEFT - 8, y + 4, number(tick)));
      }
      return axis.append(
              LoadReport.format(
                  "<text transform=\"translate(13 %d) rotate(-90)\""
                      + " text-anchor=\"middle\">%s%s</text>%n",
                  (TOP + BOTTOM) / 2, unit, isLog ? ", logarithmic" : ""))
          .toString();
    }
  }

  /** 1, 2 or 5 times a power of ten, at least as large. */
  private static double niceStep(double least) {
    if (least <= 0) {
      return 1;
    }
    double power = Math.pow(10, Math.floor(Math.log10(least)));
    for (double factor : new double[] {1, 2, 5}) {
      if (factor * power >= least * (1 - 1e-9)) {
        return factor * power;
      }
    }
    return 10 * power;
  }

  private static String number(double value) {
    if (value == Math.rint(value)) {
      return LoadReport.format("%,.0f", value);
    }
    return LoadReport.format("%.3f", value).replaceAll("0+$", "");
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }
}
