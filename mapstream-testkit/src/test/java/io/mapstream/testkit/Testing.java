package io.mapstream.testkit;

import io.mapstream.Datum;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** What tests here share. */
final class Testing {

  /** More than anything takes on a busy machine, less than a test run's patience. */
  static final Duration LIMIT = Duration.ofSeconds(30);

  private static final Instant TIME = Instant.parse("2026-01-02T03:04:05.006007008Z");

  private Testing() {}

  static Datum datum(String text) {
    return Datum.builder().text(text).eventTime(TIME).watermark(TIME.minusSeconds(1)).build();
  }

  /** Waits for a latch, and fails when it doesn't open. */
  static void await(CountDownLatch latch, String what) throws InterruptedException {
    if (!latch.await(LIMIT.toNanos(), TimeUnit.NANOSECONDS)) {
      throw new AssertionError("waited " + LIMIT + " for " + what);
    }
  }

  /** Asks again and again, for what nothing tells of. */
  static void until(BooleanSupplier condition, String what) throws InterruptedException {
    Deadline deadline = Deadline.in(LIMIT);
    while (!condition.getAsBoolean()) {
      if (!deadline.pause()) {
        throw new AssertionError("waited " + LIMIT + " for " + what);
      }
    }
  }
}
