package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;

/** Waits until a thread is parked, for example because it waits for permits. */
final class Parked {

  private static final Duration LIMIT = Duration.ofSeconds(10);

  private Parked() {}

  /** Returns once the thread is parked; fails with its state if that takes too long. */
  static void await(Thread thread) {
    long begun = System.nanoTime();
    while (thread.getState() != Thread.State.WAITING) {
      assertTrue(
          System.nanoTime() - begun < LIMIT.toNanos(),
          () -> thread + " is " + thread.getState() + " after " + LIMIT);
      Thread.onSpinWait();
    }
  }
}
