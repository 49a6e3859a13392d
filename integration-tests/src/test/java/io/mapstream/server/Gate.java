package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Where handlers wait until the test lets them continue; the test can wait for them to arrive. */
final class Gate {

  private final CountDownLatch started;
  private final CountDownLatch open = new CountDownLatch(1);

  /** A closed gate for one handler. */
  Gate() {
    this(1);
  }

  /** A closed gate for some handlers. */
  Gate(int handlers) {
    this.started = new CountDownLatch(handlers);
  }

  /**
   * Waits until the gate is open; called by handlers. The limit is far above that of a test's own
   * waits, so that a handler that should be interrupted does not end by itself first.
   */
  void pass() throws InterruptedException {
    started.countDown();
    assertTrue(open.await(5, TimeUnit.MINUTES), "the gate is still closed");
  }

  void awaitHandlers() throws InterruptedException {
    Waits.await(started);
  }

  void open() {
    open.countDown();
  }
}
