package io.mapstream.server.hostile;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Waits, each with a limit, for states that nothing announces. */
public final class Await {

  /** Far more than any step takes, since the machine may be busy. */
  public static final Duration LIMIT = Duration.ofSeconds(Integer.getInteger("await.seconds", 30));

  private static final long PAUSE_NANOS = 1_000_000;

  private Await() {}

  /** Returns once {@code state} holds; fails with what is there instead when it takes too long. */
  public static void until(String expected, BooleanSupplier state, Supplier<?> instead) {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    while (!state.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError(
            "not within %s: %s, but %s".formatted(LIMIT, expected, instead.get()));
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  /** Like {@link #until}, with the heap's unreachable objects collected before each look. */
  public static void untilCollected(String expected, BooleanSupplier state, Supplier<?> instead) {
    until(
        expected,
        () -> {
          System.gc();
          return state.getAsBoolean();
        },
        instead);
  }

  /** Fails as soon as {@code state} does not hold, for all of {@code time}. */
  public static void holdsFor(Duration time, BooleanSupplier state, Supplier<?> instead) {
    long end = System.nanoTime() + time.toNanos();
    while (System.nanoTime() - end < 0) {
      if (!state.getAsBoolean()) {
        throw new AssertionError(String.valueOf(instead.get()));
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }
}
