package io.mapstream.testkit;

import io.mapstream.Datum;
import io.mapstream.Message;
import io.mapstream.Messages;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * The reply to one datum: its messages, as they arrive, and its end. Returned by {@code send} of a
 * {@link MapStreamHarness}, a {@link MapStreamClient} or a {@link ClientStream}.
 *
 * <p>A message is kept until {@link #next}, {@link #remaining} or {@link #takeArrived()} takes it,
 * once. Messages that have arrived are not lost when the stream breaks or the handler fails: they
 * can still be taken, even if a {@link HandlerFailedException} has shown them.
 *
 * <p><b>Waits.</b> Every wait has a limit: the given one, or else that of the harness or the
 * client. After it, the call throws a {@link WaitTimeoutError} that describes what was awaited and,
 * in a harness, shows the handler's stack. If the waiting thread is interrupted, its interrupt flag
 * stays set and the call throws an {@link AssertionError} with the same description. A timeout or
 * an interruption loses no messages that have arrived.
 *
 * <p>All methods may be called from any thread.
 */
public sealed class Reply permits HarnessReply {

  private final ClientStream stream;
  private final String id;
  private final Datum datum;
  final Duration timeLimit;

  /** The stream's guard; guards the fields below. */
  final InternalGuard guard;

  private final Deque<Message> arrived = new ArrayDeque<>();

  /** How many messages have arrived. */
  long count;

  /** Whether the EOT has arrived. */
  boolean ended;

  /** Whether the stream has ended before the EOT. */
  boolean broken;

  Reply(ClientStream stream, String id, Datum datum, Duration timeLimit) {
    this.stream = stream;
    this.id = Objects.requireNonNull(id, "id");
    this.datum = Objects.requireNonNull(datum, "datum");
    this.timeLimit = timeLimit;
    this.guard = stream.guard;
  }

  ReplyListener listener() {
    return new ReplyListener() {
      @Override
      public void message(Message message) {
        guard.update(() -> {
          arrived.add(message);
          count++;
        });
      }

      @Override
      public void ended() {
        guard.update(() -> ended = true);
      }

      @Override
      public void failed(Throwable reason) {
        guard.update(() -> broken = true);
      }
    };
  }

  /** {@return the id under which the datum was sent} */
  public String id() {
    return id;
  }

  /** {@return the datum} */
  public Datum datum() {
    return datum;
  }

  /**
   * {@return the stream on which it was sent} In a harness, it accepts no other datum, and is
   * half-closed when the handler has ended. Until then, reading is paused; what a test requests
   * from the stream itself arrives before the test takes it, and no longer counts for the bound.
   */
  public ClientStream stream() {
    return stream;
  }

  // Reading.

  /**
   * Takes the next message. Waits for at most the time limit.
   *
   * @return the message, with its mark, if any
   * @throws WaitTimeoutError if neither a message nor the end came in time
   * @throws HandlerFailedException in a harness or with a test server, if the handler threw an
   *     exception and all messages before it were taken
   * @throws StreamBrokenException if the stream has ended without the EOT
   * @throws ProtocolFaultError if the server violated the protocol
   * @throws AssertionError if the datum has ended and all messages were taken, or if the thread is
   *     interrupted
   */
  public Message next() {
    return next(timeLimit);
  }

  /**
   * Takes the next message as {@link #next()} does, with the given limit.
   *
   * @param limit how long to wait at most; zero to take only a message that has arrived. A harness
   *     also waits for one that was emitted, up to its own limit, since it is about to arrive.
   * @return the message
   * @throws IllegalArgumentException if the limit is negative
   */
  public Message next(Duration limit) {
    Deadline deadline = Deadline.in(limit);
    return guard.get(() -> {
      if (!arrives(deadline)) {
        throw new AssertionError("there is no further message: " + situation());
      }
      return arrived.remove();
    });
  }

  /**
   * Waits until a message has arrived or the datum has ended, for at most the time limit.
   *
   * @return true if {@link #next} has a message, false if the datum has ended
   * @throws WaitTimeoutError as {@link #next()} does, as well as the exceptions for a failure
   * @throws AssertionError if the thread is interrupted
   */
  public boolean hasNext() {
    return hasNext(timeLimit);
  }

  /**
   * Waits as {@link #hasNext()} does, with the given limit.
   *
   * @param limit how long to wait at most
   * @return true if {@link #next} has a message, false if the datum has ended
   * @throws IllegalArgumentException if the limit is negative
   */
  public boolean hasNext(Duration limit) {
    Deadline deadline = Deadline.in(limit);
    return guard.get(() -> arrives(deadline));
  }

  private boolean arrives(Deadline deadline) {
    String awaited = "message " + (taken() + 1);
    await(patience(deadline), () -> !arrived.isEmpty() || ended, 1, awaited);
    return !arrived.isEmpty();
  }

  /**
   * Waits for the end of the datum and takes all remaining messages. Waits for at most the time
   * limit in total. If this method throws, it has taken nothing.
   *
   * @return the messages not taken before, in the order of their emission, often none
   * @throws WaitTimeoutError if the end did not come in time
   * @throws HandlerFailedException in a harness or with a test server, if the handler threw an
   *     exception; it has a copy of the messages
   * @throws StreamBrokenException if the stream has ended without the EOT
   * @throws ProtocolFaultError if the server violated the protocol
   * @throws AssertionError if the thread is interrupted
   */
  public Messages remaining() {
    return remaining(timeLimit);
  }

  /**
   * Takes the remaining messages as {@link #remaining()} does, with the given limit.
   *
   * @param limit how long to wait at most
   * @return the messages not taken before
   * @throws IllegalArgumentException if the limit is negative
   */
  public Messages remaining(Duration limit) {
    Deadline deadline = Deadline.in(limit);
    return guard.get(() -> {
      awaitEot(deadline);
      return takeArrived();
    });
  }

  /** {@return the messages that have arrived and were not taken before} Does not wait. */
  public Messages takeArrived() {
    return guard.get(() -> {
      Messages taken = Messages.copyOf(arrived);
      arrived.clear();
      return taken;
    });
  }

  /** {@return how many messages have arrived so far, taken or not} */
  public long arrived() {
    return guard.get(() -> count);
  }

  // The end.

  /**
   * {@return whether the EOT has arrived: no further message will arrive, but some may not have
   * been taken yet} Does not wait.
   */
  public boolean hasEnded() {
    return guard.get(() -> ended);
  }

  /**
   * Returns whether the handler is still running, as far as this side knows: in a harness, until it
   * has returned or thrown, which may be after the EOT; otherwise, until the EOT has arrived or the
   * stream has ended. Does not wait.
   *
   * @return true if it is running or has not been started yet
   */
  public boolean isRunning() {
    return guard.get(() -> !ended && !broken);
  }

  /**
   * Waits until the handler has ended, without taking messages, and returns what ended it if it did
   * not return normally. Waits for at most the time limit.
   *
   * <p>In a harness, this is the exception or error that the handler threw, even after {@link
   * #cancel()}. Elsewhere, the datum's EOT counts as the return of its handler, although a handler
   * may continue after the fail mark: see {@link MapStreamTestServer#awaitFailure}. What is
   * returned is with a test server what this datum's handler threw, and otherwise the {@link
   * StreamBrokenException} that ended the stream.
   *
   * @return what was thrown; empty if the handler has returned or, in a harness, if it was
   *     cancelled before it started
   * @throws WaitTimeoutError if the handler has not ended in time
   * @throws ProtocolFaultError if the server violated the protocol
   * @throws AssertionError if the thread is interrupted
   */
  public Optional<Throwable> failure() {
    Deadline deadline = Deadline.in(timeLimit);
    return guard.get(() -> {
      try {
        awaitEot(deadline);
        return Optional.empty();
      } catch (HandlerFailedException e) {
        return Optional.ofNullable(e.getCause());
      } catch (StreamBrokenException e) {
        return Optional.of(e);
      }
    });
  }

  /**
   * Waits, in a harness, until the handler is blocked in {@code emit} because the test does not
   * read. With a {@linkplain MapStreamHarness.Builder#bound bound} of 1, one message can then be
   * read, and one more is in {@code emit}.
   *
   * @throws WaitTimeoutError if that does not happen within the time limit
   * @throws AssertionError if the datum ends before that, or if the thread is interrupted
   * @throws UnsupportedOperationException if the reply is not from a harness, which alone can
   *     observe the handler
   */
  public void awaitBlockedEmit() {
    throw new UnsupportedOperationException("only a harness can detect a blocked emit");
  }

  /**
   * Cancels the stream, as a client that gives up or disconnects does: the handlers of its open
   * datums are interrupted and their {@code emit} is refused. In a harness, this affects only this
   * datum. Does not wait for the handler; {@link #failure()} does. Messages that have arrived can
   * still be read.
   */
  public void cancel() {
    stream.cancel();
  }

  // Used by this class and HarnessReply. All but toString require the lock.

  /** Waits until the EOT and everything before it has arrived; throws if the stream has broken. */
  final void awaitEot(Deadline deadline) {
    await(deadline, () -> ended, Integer.MAX_VALUE, "the end");
  }

  /** Requests messages until a state is reached; throws if the stream has broken. */
  private void await(Deadline deadline, BooleanSupplier reached, int most, String awaited) {
    waitUntil(
        deadline,
        () -> {
          pull(reached.getAsBoolean() ? 0 : most);
          return reached.getAsBoolean() || broken;
        },
        awaited);
    if (!reached.getAsBoolean()) {
      throwBroken(awaited + " of datum \"" + id + "\" (" + count + " arrived)");
    }
  }

  /** Waits until a state is reached. */
  final void waitUntil(Deadline deadline, BooleanSupplier reached, String awaited) {
    try {
      guard.await(deadline, reached, () -> awaited + report());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted while waiting for " + awaited + report(), e);
    }
  }

  /** Called while messages are awaited: requests them, if they do not arrive unrequested. */
  void pull(int most) {}

  /** Returns the deadline for a message. */
  Deadline patience(Deadline given) {
    return given;
  }

  /** Throws the reason why the datum has no EOT. */
  void throwBroken(String awaited) {
    Throwable thrown = stream.failure(id).orElse(null);
    if (thrown != null) {
      throw handlerFailed(
          "the handler of datum \"%s\" has thrown %s after %s"
              .formatted(id, HandlerFailedException.text(thrown), count(count)),
          thrown,
          awaited);
    }
    stream.throwIfEndedBefore(awaited);
  }

  final HandlerFailedException handlerFailed(String situation, Throwable thrown, String awaited) {
    Messages left = Messages.copyOf(arrived);
    return new HandlerFailedException(
        situation + "; messages not taken before: " + left,
        left,
        thrown,
        stream.broken(awaited).status());
  }

  /** Returns a sentence that describes the state of the datum. */
  String situation() {
    String end = ended ? ", then its EOT" : broken ? ", then the stream ended" : "";
    return "datum \"" + id + "\" had " + count(count) + end;
  }

  /** Returns everything that is known, for the message of a timed-out wait. */
  String report() {
    return ": " + situation() + stream.situation() + "\n  " + datum + shownArrived();
  }

  final String shownArrived() {
    return arrived.isEmpty() ? "" : "\n  messages not taken: " + Messages.copyOf(arrived);
  }

  static String count(long messages) {
    return messages == 1 ? "1 message" : messages + " messages";
  }

  final long taken() {
    return count - arrived.size();
  }

  /** {@return a sentence that describes the state of the datum} */
  @Override
  public String toString() {
    return "Reply[" + guard.get(this::situation) + "]";
  }
}
