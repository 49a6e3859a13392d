package io.mapstream.server;

import java.util.concurrent.CountDownLatch;

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

  /** Waits until the gate is open; called by handlers. */
  void pass() throws InterruptedException {
    started.countDown();
    Waits.await(open);
  }

  void awaitHandlers() throws InterruptedException {
    Waits.await(started);
  }

  void open() {
    open.countDown();
  }
}
