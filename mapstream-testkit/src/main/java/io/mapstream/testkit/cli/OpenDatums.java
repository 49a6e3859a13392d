package io.mapstream.testkit.cli;

import io.mapstream.Datum;
import io.mapstream.Message;
import io.mapstream.proto.Durations;
import io.mapstream.testkit.ClientStream;
import io.mapstream.testkit.ReplyListener;
import io.mapstream.testkit.WaitTimeoutError;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Counts the datums that have no EOT yet, and keeps the first failure. Waits here are limited by
 * how long nothing arrives: a function that answers slowly and steadily may take its time.
 */
final class OpenDatums {

  private final Duration patience;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  // Guarded by lock.
  private int open;
  private long arrivals;

  /** Whether something has arrived and is being printed, which may take as long as its reader. */
  private boolean printing;

  private @Nullable Throwable failure;

  OpenDatums(Duration patience) {
    this.patience = patience;
  }

  /** Waits until fewer than {@code most} are open. */
  void awaitFewerThan(int most) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (!await(() -> open < most)) {
        // Something has arrived: the time starts again.
      }
    } finally {
      lock.unlock();
    }
  }

  /** Waits until a state is reached, or anything has arrived; false in the second case. */
  private boolean await(BooleanSupplier reached) throws InterruptedException {
    long seen = arrivals;
    long left = patience.toNanos();
    while (failure == null && !reached.getAsBoolean()) {
      if (arrivals != seen) {
        return false;
      }
      if (printing) {
        left = patience.toNanos();
      }
      if (left <= 0) {
        throw new WaitTimeoutError(
            "nothing arrived for "
                + Durations.text(patience)
                + ", and "
                + open
                + " datum(s) have no EOT");
      }
      left = changed.awaitNanos(left);
    }
    throwFailure();
    return true;
  }

  /** Throws what has ended a datum without an EOT, if anything has. */
  void throwFailure() {
    lock.lock();
    try {
      switch (failure) {
        case null -> {}
        case Error error -> throw error;
        case RuntimeException exception -> throw exception;
        default -> throw new IllegalStateException(failure);
      }
    } finally {
      lock.unlock();
    }
  }

  int count() {
    lock.lock();
    try {
      return open;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Sends a datum and counts it in. Waits for as long as the function holds the client back because
   * nobody reads what is printed.
   */
  void send(ClientStream stream, String id, Datum datum, ReplyListener listener)
      throws InterruptedException {
    ReplyListener counting = enter(listener);
    while (true) {
      try {
        stream.send(id, datum, counting);
        return;
      } catch (WaitTimeoutError e) {
        if (!isPrinting()) {
          throw e;
        }
      }
    }
  }

  private boolean isPrinting() {
    lock.lock();
    try {
      return printing;
    } finally {
      lock.unlock();
    }
  }

  /** Counts a datum in; the listener that is returned counts it out. */
  ReplyListener enter(ReplyListener listener) {
    update(() -> open++);
    return new ReplyListener() {
      @Override
      public void message(Message message) {
        update(() -> printing = true);
        try {
          listener.message(message);
        } finally {
          update(() -> {
            printing = false;
            arrivals++;
          });
        }
      }

      @Override
      public void ended() {
        listener.ended();
        update(() -> {
          open--;
          arrivals++;
        });
      }

      @Override
      public void failed(Throwable reason) {
        listener.failed(reason);
        update(() -> {
          open--;
          failure = failure == null ? reason : failure;
        });
      }
    };
  }

  private void update(Runnable change) {
    lock.lock();
    try {
      change.run();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
