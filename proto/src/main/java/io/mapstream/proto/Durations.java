package io.mapstream.proto;

import java.time.Duration;

/** Formats times for people, in logs and messages: {@code 30 s}, {@code 0.25 s}. */
public final class Durations {

  private static final Duration LONG = Duration.ofDays(1_000_000);

  private Durations() {}

  /**
   * Formats seconds to the millisecond, rounded; whole seconds if the time is beyond all clocks.
   *
   * @param time any duration
   * @return the text
   */
  public static String text(Duration time) {
    if (time.compareTo(LONG) > 0) {
      return time.toSeconds() + " s";
    }
    long millis = time.abs().plusNanos(500_000).toMillis();
    String text = (time.isNegative() ? "-" : "") + millis / 1000;
    if (millis % 1000 > 0) {
      text += "." + Long.toString(1000 + millis % 1000).substring(1);
      while (text.endsWith("0")) {
        text = text.substring(0, text.length() - 1);
      }
    }
    return text + " s";
  }
}
