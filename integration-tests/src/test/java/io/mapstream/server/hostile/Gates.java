package io.mapstream.server.hostile;

import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** Gates in a row, numbered from 1: each is opened once and for good, with all before it. */
final class Gates {

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition opened = lock.newCondition();
  private int open;

  void open(int upTo) {
    lock.lock();
    try {
      open = Math.max(open, upTo);
      opened.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Waits until the gate is open. */
  void pass(int gate) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (gate > open) {
        opened.await();
      }
    } finally {
      lock.unlock();
    }
  }
}
