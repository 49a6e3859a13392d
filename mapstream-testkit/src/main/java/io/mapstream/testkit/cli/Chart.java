package io.mapstream.testkit.cli;

import java.util.Formatter;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.DoubleStream;

/** A line chart as an SVG. Its x axis begins at 0. */
final class Chart {

  // The chart and the plot in it, in units of the viewBox.
  private static final int WIDTH = 720;
  private static final int HEIGHT = 300;
  private static final int LEFT = 64;
  private static final int RIGHT = WIDTH - 32;
  private static final int TOP = 16;
  private static final int BOTTOM = HEIGHT - 46;

  /** A point, in values of the axes. */
  record Point(double x, double y) {}

  private final double width;
  private final Axis axis;
  private final Formatter svg = new Formatter(Locale.ROOT);

  /**
   * Creates an empty chart.
   *
   * @param name what it shows; must need no escaping
   * @param width where the x axis ends
   */
  Chart(String name, double width, Axis axis, String unit) {
    this.width = width;
    this.axis = axis;
    svg.format("<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">%n", WIDTH, HEIGHT, name);
    for (double tick : axis.ticks()) {
      double y = y(tick);
      svg.format(
          "<line class=\"%s\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
              + "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>%n",
          tick == axis.low() ? "axis" : "grid", LEFT, RIGHT, y, y, LEFT - 8, y + 4, number(tick));
    }
    svg.format(
        "<text transform=\"translate(13 %d) rotate(-90)\" text-anchor=\"middle\">%s%s</text>%n",
        (TOP + BOTTOM) / 2, unit, axis.isLogarithmic() ? ", logarithmic" : "");
  }

  double width() {
    return width;
  }

  void tick(double x, String label) {
    svg.format(
        "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>"
            + "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>%n",
        x(x), x(x), BOTTOM, BOTTOM + 5, x(x), BOTTOM + 19, label);
  }

  void line(String style, List<Point> points) {
    StringBuilder path = new StringBuilder();
    for (Point point : points) {
      String format = path.isEmpty() ? "M%.1f %.1f" : " L%.1f %.1f";
      path.append(LoadReport.format(format, x(point.x()), y(point.y())));
    }
    svg.format("<path class=\"line %s\" d=\"%s\"/>%n", style, path);
  }

  /** Adds a point that shows {@code text}, which must need no escaping, as its tooltip. */
  void dot(String style, Point at, String text) {
    svg.format(
        "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"><title>%s</title></circle>%n",
        style, x(at.x()), y(at.y()), text);
  }

  /** Returns the SVG, with a title below the x axis. */
  String drawn(String title) {
    svg.format(
        "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>%n</svg>",
        (LEFT + RIGHT) / 2, HEIGHT - 6, title);
    return svg.toString();
  }

  private double x(double value) {
    return LEFT + value / width * (RIGHT - LEFT);
  }

  private double y(double value) {
    return BOTTOM - axis.part(value) * (BOTTOM - TOP);
  }

  /** The vertical axis: the position of a value, and the grid lines at round values. */
  record Axis(double low, double high, boolean isLogarithmic, List<Double> ticks) {

    static Axis linear(double highest) {
      double step = niceStep(highest / 5);
      double high = Math.ceil(highest / step - 1e-9) * step;
      return new Axis(0, high, false, ticks(0, high, tick -> tick + step));
    }

    static Axis logarithmic(double lowest, double highest) {
      double low = Math.pow(10, Math.floor(Math.log10(lowest)));
      double high = Math.pow(10, Math.ceil(Math.log10(highest)));
      return new Axis(low, high, true, ticks(low, high, tick -> tick * 10));
    }

    private static List<Double> ticks(double low, double high, DoubleUnaryOperator next) {
      // Rounding may put the last one slightly above.
      return DoubleStream.iterate(low, tick -> tick <= high * 1.01, next).boxed().toList();
    }

    /** Returns the position of a value, from 0 at the bottom to 1 at the top. */
    double part(double value) {
      return isLogarithmic
          ? Math.log10(Math.max(value, low) / low) / Math.log10(high / low)
          : value / high;
    }
  }

  /** Returns the smallest of 1, 2 or 5 times a power of ten that is at least {@code least}. */
  static double niceStep(double least) {
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

  static String number(double value) {
    if (value == Math.rint(value)) {
      return LoadReport.format("%,.0f", value);
    }
    return LoadReport.format("%.3f", value).replaceAll("0+$", "");
  }
}
