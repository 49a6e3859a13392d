package io.mapstream.testkit;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.function.BooleanSupplier;

/** The moment at which a wait gives up. */
final class Deadline {

  private static final Duration LONGEST = Duration.ofNanos(Long.MAX_VALUE / 2);

  private final Duration limit;
  private final long end;

  private Deadline(Duration limit) {
    this.limit = limit;
    this.end = System.nanoTime() + nanos(limit);
  }

  static Deadline in(Duration limit) {
    return new Deadline(limit);
  }

  private static long nanos(Duration limit) {
    return limit.compareTo(LONGEST) > 0 ? LONGEST.toNanos() : limit.toNanos();
  }

  /** The limit as it was given, for the message of a wait that was in vain. */
  Duration limit() {
    return limit;
  }

  /** What is left; zero or less when the moment has passed. */
  long nanosLeft() {
    return end - System.nanoTime();
  }

  Duration left() {
    return Duration.ofNanos(Math.max(0, nanosLeft()));
  }

  boolean hasPassed() {
    return nanosLeft() <= 0;
  }

  /**
   * Waits on a condition until something has come about. The caller holds the condition's lock.
   *
   * @return false if the moment passed before
   */
  boolean await(Condition changed, BooleanSupplier comeAbout) throws InterruptedException {
    long left = nanosLeft();
    while (!comeAbout.getAsBoolean()) {
      if (left <= 0) {
        return false;
      }
      left = Math.min(changed.awaitNanos(left), nanosLeft());
    }
    return true;
  }

  /**
   * Lets a little time pass, for what can only be found out by asking again: a file that another
   * process writes, a server that is not there yet.
   *
   * @return false if the moment had passed before
   */
  boolean pause() throws InterruptedException {
    long left = nanosLeft();
    if (left <= 0) {
      return false;
    }
    TimeUnit.NANOSECONDS.sleep(Math.min(left, TimeUnit.MILLISECONDS.toNanos(10)));
    return true;
  }
}
