package io.mapstream.testkit;

import io.mapstream.Datum;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Helpers for the tests of this package. */
final class Testing {

  /** Longer than any step takes on a busy machine. */
  static final Duration LIMIT = Duration.ofSeconds(30);

  private static final Instant TIME = Instant.parse("2026-01-02T03:04:05.006007008Z");

  private Testing() {}

  static Datum datum(String text) {
    return Datum.builder().text(text).eventTime(TIME).watermark(TIME.minusSeconds(1)).build();
  }

  /** Waits for a latch, and fails if it does not open. */
  static void await(CountDownLatch latch, String what) throws InterruptedException {
    if (!latch.await(LIMIT.toNanos(), TimeUnit.NANOSECONDS)) {
      throw new AssertionError("waited " + LIMIT + " for " + what);
    }
  }

  /** Polls until the condition holds, and fails if it does not. */
  static void until(BooleanSupplier condition, String what) throws InterruptedException {
    Deadline deadline = Deadline.in(LIMIT);
    while (!condition.getAsBoolean()) {
      if (!deadline.pause()) {
        throw new AssertionError("waited " + LIMIT + " for " + what);
      }
    }
  }
}
