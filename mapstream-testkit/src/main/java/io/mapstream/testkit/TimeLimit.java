package io.mapstream.testkit;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A wait's limit that runs since it was made. The only clock that the harness reads.
 *
 * @param given the limit, for the text of a failure
 * @param start when it began
 */
record TimeLimit(Duration given, long start) {

  /** No limit that is meant as one is longer; nanoseconds can't count further. */
  private static final Duration LONGEST = Duration.ofNanos(Long.MAX_VALUE);

  static TimeLimit of(Duration given) {
    return new TimeLimit(given, System.nanoTime());
  }

  /** What is left; zero or less when it has passed. */
  long nanosLeft() {
    long nanos = given.compareTo(LONGEST) < 0 ? given.toNanos() : Long.MAX_VALUE;
    return nanos - (System.nanoTime() - start);
  }

  /** Refuses what is no limit; {@code name} is the name of the argument. */
  static Duration checkNotNegative(String name, @Nullable Duration given) {
    if (given == null) {
      throw new IllegalArgumentException(name + " is required but was null");
    }
    if (given.isNegative()) {
      throw new IllegalArgumentException(name + " must not be negative but was " + given);
    }
    return given;
  }

  @Override
  public String toString() {
    if (given.toNanosPart() == 0) {
      return given.toSeconds() + " s";
    }
    return given.toSeconds() == 0 && given.toNanosPart() % 1_000_000 == 0
        ? given.toMillis() + " ms"
        : given.toString();
  }
}
