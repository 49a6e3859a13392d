package io.mapstream.testkit;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Orders a test's steps; waits for ten seconds at most. */
final class Gate {

  private final CountDownLatch latch = new CountDownLatch(1);

  void open() {
    latch.countDown();
  }

  /** Waits until the gate is open. */
  void await() throws InterruptedException {
    if (!latch.await(10, TimeUnit.SECONDS)) {
      throw new AssertionError("the gate was not opened within 10 s");
    }
  }
}
