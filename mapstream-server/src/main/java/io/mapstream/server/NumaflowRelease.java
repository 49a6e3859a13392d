package io.mapstream.server;

import io.mapstream.Message;
import java.util.Comparator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A release of the platform, and the marks that it knows. */
record NumaflowRelease(int major, int minor, int patch) implements Comparable<NumaflowRelease> {

  /** The first release with map-stream functions. */
  private static final NumaflowRelease OLDEST = new NumaflowRelease(1, 4, 0);

  private static final NumaflowRelease FIRST_WITH_NACK = new NumaflowRelease(1, 8, 2);

  /** The fail mark is in the platform's main branch, and not in any release as of August 2026. */
  private static final NumaflowRelease LAST_WITHOUT_FAIL = new NumaflowRelease(1, 8, 3);

  private static final Pattern TEXT = Pattern.compile("v?(\\d{1,9})\\.(\\d{1,9})\\.(\\d{1,9})");

  private static final Comparator<NumaflowRelease> ORDER =
      Comparator.comparingInt(NumaflowRelease::major)
          .thenComparingInt(NumaflowRelease::minor)
          .thenComparingInt(NumaflowRelease::patch);

  /** A mark that not every release knows. */
  enum Mark {
    NACK("nack", "Numaflow 1.8.2 or newer"),
    FAIL("fail", "a Numaflow release after 1.8.3");

    private final String word;
    private final String known;

    Mark(String word, String known) {
      this.word = word;
      this.known = known;
    }

    /**
     * Returns the mark of a message; null if it has none, and for a drop, which all releases know.
     */
    static @Nullable Mark of(Message message) {
      return message.isNack() ? NACK : message.isFail() ? FAIL : null;
    }

    String word() {
      return word;
    }

    /** Returns the releases that know it. */
    String known() {
      return known;
    }
  }

  /**
   * Reads {@code 1.8.3} or {@code v1.8.3}.
   *
   * @throws IllegalArgumentException if it is not a release, or one without map-stream
   */
  static NumaflowRelease parse(String text) {
    Matcher parts = TEXT.matcher(text);
    if (!parts.matches()) {
      throw new IllegalArgumentException(
          "numaflowVersion must be a release such as 1.8.3 but was " + text);
    }
    NumaflowRelease release =
        new NumaflowRelease(
            Integer.parseInt(parts.group(1)),
            Integer.parseInt(parts.group(2)),
            Integer.parseInt(parts.group(3)));
    if (release.compareTo(OLDEST) < 0) {
      throw new IllegalArgumentException(
          "numaflowVersion must be at least "
              + OLDEST
              + ", the first release with map-stream functions, but was "
              + text);
    }
    return release;
  }

  boolean knows(Mark mark) {
    return switch (mark) {
      case NACK -> compareTo(FIRST_WITH_NACK) >= 0;
      case FAIL -> compareTo(LAST_WITHOUT_FAIL) > 0;
    };
  }

  @Override
  public int compareTo(NumaflowRelease other) {
    return ORDER.compare(this, other);
  }

  /** Returns text such as {@code 1.8.3}. */
  @Override
  public String toString() {
    return major + "." + minor + "." + patch;
  }
}
