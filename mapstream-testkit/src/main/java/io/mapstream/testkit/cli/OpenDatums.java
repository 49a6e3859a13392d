package io.mapstream.testkit.cli;

import io.mapstream.Datum;
import io.mapstream.Message;
import io.mapstream.proto.Durations;
import io.mapstream.testkit.ClientStream;
import io.mapstream.testkit.InternalGuard;
import io.mapstream.testkit.ReplyListener;
import io.mapstream.testkit.WaitTimeoutError;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Counts the datums that have no EOT yet, and keeps the first failure. Waits here are limited by
 * how long nothing arrives: a function that answers slowly and steadily may take its time.
 */
final class OpenDatums {

  private final Duration patience;
  private final InternalGuard guard = new InternalGuard();

  // Guarded by it.
  private int open;

  /** Whether something has arrived and is being printed, which may take as long as its reader. */
  private boolean printing;

  /** How many prints have ended. */
  private long printed;

  private @Nullable Throwable failure;

  OpenDatums(Duration patience) {
    this.patience = patience;
  }

  /** Waits until fewer than {@code most} are open. */
  void awaitFewerThan(int most) throws InterruptedException {
    long before = printed();
    while (!guard.awaitWhileChanging(patience, () -> failure != null || open < most)) {
      if (!isPrintingSince(before)) {
        throw new WaitTimeoutError(
            "nothing arrived for "
                + Durations.text(patience)
                + ", and "
                + count()
                + " datum(s) have no EOT");
      }
      before = printed();
    }
    throwFailure();
  }

  /** Throws what has ended a datum without an EOT, if anything has. */
  void throwFailure() {
    switch (guard.get(() -> failure)) {
      case null -> {}
      case Error error -> throw error;
      case RuntimeException exception -> throw exception;
      case Throwable other -> throw new IllegalStateException(other);
    }
  }

  int count() {
    return guard.get(() -> open);
  }

  /**
   * Sends a datum and counts it in. Waits for as long as the function holds the client back because
   * nobody reads what is printed.
   */
  void send(ClientStream stream, String id, Datum datum, ReplyListener listener)
      throws InterruptedException {
    ReplyListener counting = enter(listener);
    while (true) {
      long before = printed();
      try {
        stream.send(id, datum, counting);
        return;
      } catch (WaitTimeoutError e) {
        if (!isPrintingSince(before)) {
          throw e;
        }
      }
    }
  }

  private long printed() {
    return guard.get(() -> printed);
  }

  /** Whether something is being printed, or was while a wait went on: it can end with the wait. */
  private boolean isPrintingSince(long before) {
    return guard.get(() -> printing || printed != before);
  }

  /** Counts a datum in; the listener that is returned counts it out. */
  ReplyListener enter(ReplyListener listener) {
    guard.run(() -> open++);
    return new ReplyListener() {
      @Override
      public void message(Message message) {
        guard.update(() -> printing = true);
        try {
          listener.message(message);
        } finally {
          guard.update(() -> {
            printing = false;
            printed++;
          });
        }
      }

      @Override
      public void ended() {
        listener.ended();
        guard.update(() -> open--);
      }

      @Override
      public void failed(Throwable reason) {
        listener.failed(reason);
        guard.update(() -> {
          open--;
          failure = failure == null ? reason : failure;
        });
      }
    };
  }
}
