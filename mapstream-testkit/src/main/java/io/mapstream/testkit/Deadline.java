package io.mapstream.testkit;

import io.mapstream.proto.Durations;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * The time at which a wait times out. Its text is the limit that was given.
 *
 * @param end on the clock of {@link System#nanoTime}
 */
record Deadline(Duration limit, long end) {

  private static final Duration LONGEST = Duration.ofNanos(Long.MAX_VALUE / 2);

  /** Returns the deadline that is {@code limit} from now. */
  static Deadline in(Duration limit) {
    return new Deadline(limit, System.nanoTime() + nanos(Arguments.notNegative("limit", limit)));
  }

  /** Returns a limit that a test has given in nanoseconds; at most 146 years. */
  static long nanos(Duration limit) {
    return (limit.compareTo(LONGEST) > 0 ? LONGEST : limit).toNanos();
  }

  /** Returns the time left, in nanoseconds; zero or less if the deadline has passed. */
  long nanosLeft() {
    return end - System.nanoTime();
  }

  Duration left() {
    return Duration.ofNanos(Math.max(0, nanosLeft()));
  }

  /**
   * Sleeps briefly, to poll for a state that gives no notification: a file that another process
   * writes, a server that has not started yet.
   *
   * @return false if the deadline had already passed
   */
  boolean pause() throws InterruptedException {
    long left = nanosLeft();
    if (left <= 0) {
      return false;
    }
    TimeUnit.NANOSECONDS.sleep(Math.min(left, TimeUnit.MILLISECONDS.toNanos(10)));
    return true;
  }

  @Override
  public String toString() {
    return Durations.text(limit);
  }
}
