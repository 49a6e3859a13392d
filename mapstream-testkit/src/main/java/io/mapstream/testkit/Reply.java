package io.mapstream.testkit;

import io.mapstream.Datum;
import io.mapstream.Message;
import io.mapstream.Messages;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * What arrives for one datum: its messages, each as soon as it is here, and the end. Made by {@code
 * send} of a {@link MapStreamHarness}, a {@link MapStreamClient} or a {@link ClientStream}.
 *
 * <p>A message is kept until it is taken, once, by {@link #next}, {@link #remaining} or {@link
 * #takeArrived()}. A stream that breaks takes away none of those that have arrived.
 *
 * <p><b>Waits.</b> Every wait has a limit: the one that is given, else the harness's or the
 * client's. When it has passed, the call throws a {@link WaitTimeoutError} that says what was
 * waited for, and in a harness shows the handler's stack. When the waiting thread is interrupted,
 * its flag stays set and the call throws an {@link AssertionError} that says the same. Nothing that
 * has arrived is lost by either.
 *
 * <p>All methods may be called from any thread.
 */
public sealed class Reply permits HarnessReply {

  private final ClientStream stream;
  private final String id;
  private final Datum datum;
  final Duration timeLimit;

  /** The stream's; guards what follows. */
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
        update(() -> {
          arrived.add(message);
          count++;
        });
      }

      @Override
      public void ended() {
        update(() -> ended = true);
      }

      @Override
      public void failed(Throwable reason) {
        update(() -> broken = true);
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

  /** {@return the stream on which it was sent; in a harness the datum is alone on it} */
  public ClientStream stream() {
    return stream;
  }

  // Reading.

  /**
   * Takes the next message. Waits for it at most for the time limit.
   *
   * @return the message, with its marks if any
   * @throws WaitTimeoutError if neither a message nor the end came in time
   * @throws HandlerFailedException in a harness or of a test server, if the handler has thrown and
   *     all messages before that are taken
   * @throws StreamBrokenException if the stream has ended without the EOT
   * @throws ProtocolFaultError if the server has broken the protocol
   * @throws AssertionError if the datum has ended and all messages are taken; if the thread is
   *     interrupted
   */
  public Message next() {
    return next(timeLimit);
  }

  /**
   * Takes the next message as {@link #next()} does, with a limit of its own.
   *
   * @param limit how long to wait at most; zero takes what is there already
   * @return the message
   * @throws IllegalArgumentException if the limit is negative
   */
  public Message next(Duration limit) {
    Deadline deadline = Deadline.in(limit);
    return read(() -> {
      if (!arrives(deadline)) {
        throw new AssertionError("there is no further message: " + situation());
      }
      return arrived.remove();
    });
  }

  /**
   * Waits until there is a message to take, or the datum has ended. At most for the time limit.
   *
   * @return true if {@link #next} has a message, false if the datum has ended
   * @throws WaitTimeoutError as {@link #next()} does
   * @throws StreamBrokenException as {@link #next()} does
   * @throws ProtocolFaultError as {@link #next()} does
   * @throws AssertionError if the thread is interrupted
   */
  public boolean hasNext() {
    return hasNext(timeLimit);
  }

  /**
   * Waits as {@link #hasNext()} does, with a limit of its own.
   *
   * @param limit how long to wait at most
   * @return true if {@link #next} has a message, false if the datum has ended
   * @throws IllegalArgumentException if the limit is negative
   */
  public boolean hasNext(Duration limit) {
    Deadline deadline = Deadline.in(limit);
    return read(() -> arrives(deadline));
  }

  private boolean arrives(Deadline deadline) {
    await(
        patience(deadline),
        () -> {
          if (arrived.isEmpty() && !ended) {
            pull();
          }
          return !arrived.isEmpty() || ended;
        },
        "message " + (taken() + 1));
    return !arrived.isEmpty();
  }

  /**
   * Waits for the end of the datum and takes all messages that are left. Waits at most for the time
   * limit over all of them. A failure loses nothing: {@link #takeArrived()} has what came.
   *
   * @return the messages that nobody has taken, in the order of their emission, often none
   * @throws WaitTimeoutError if the end did not come in time
   * @throws HandlerFailedException in a harness or of a test server, if the handler has thrown; it
   *     holds the messages
   * @throws StreamBrokenException if the stream has ended without the EOT
   * @throws ProtocolFaultError if the server has broken the protocol
   * @throws AssertionError if the thread is interrupted
   */
  public Messages remaining() {
    return remaining(timeLimit);
  }

  /**
   * Takes what is left as {@link #remaining()} does, with a limit of its own.
   *
   * @param limit how long to wait at most
   * @return the messages that nobody has taken
   * @throws IllegalArgumentException if the limit is negative
   */
  public Messages remaining(Duration limit) {
    Deadline deadline = Deadline.in(limit);
    return read(() -> {
      await(deadline, () -> ended, "the end");
      return takeArrived();
    });
  }

  /** {@return the messages that have arrived and that nobody has taken; does not wait} */
  public Messages takeArrived() {
    return read(() -> {
      Messages taken = Messages.copyOf(new ArrayList<>(arrived));
      arrived.clear();
      return taken;
    });
  }

  /** {@return how many messages have arrived so far, taken or not} */
  public long arrived() {
    return read(() -> count);
  }

  // The end.

  /**
   * {@return whether the EOT has arrived: no further message will come, though some may be left to
   * take} Does not wait.
   */
  public boolean hasEnded() {
    return read(() -> ended);
  }

  /**
   * Tells whether the handler still runs, as far as this side can know: in a harness until it has
   * returned or thrown, which may be after the EOT; elsewhere until the EOT has arrived or the
   * stream has ended. Does not wait.
   *
   * @return whether it runs, or is still to be started
   */
  public boolean isRunning() {
    return read(() -> !ended && !broken);
  }

  /**
   * Waits until the handler has ended, without taking a message, and tells what ended it if it did
   * not return. Waits at most for the time limit.
   *
   * <p>In a harness that is the exception or error that the handler threw, also after {@link
   * #cancel()}. With a test server it is what this datum's handler threw. Otherwise it is the
   * {@link StreamBrokenException} by which the stream ended.
   *
   * @return what was thrown, or empty if the handler has returned, or in a harness if it was not
   *     called because {@link #cancel()} came before its start
   * @throws WaitTimeoutError if the handler has not ended in time
   * @throws ProtocolFaultError if the server has broken the protocol
   * @throws AssertionError if the thread is interrupted
   */
  public Optional<Throwable> failure() {
    Deadline deadline = Deadline.in(timeLimit);
    return read(() -> {
      try {
        await(deadline, () -> ended, "the end");
        return Optional.empty();
      } catch (HandlerFailedException e) {
        return Optional.ofNullable(e.getCause());
      } catch (StreamBrokenException e) {
        return Optional.of(e);
      }
    });
  }

  /**
   * Waits, in a harness, until an {@code emit} of the handler waits for the test to read: the
   * handler has come as far as it can. With a {@linkplain MapStreamHarness.Builder#bound bound} of
   * 1 one message then is there to read, and one more is in {@code emit}.
   *
   * @throws WaitTimeoutError if it does not come to that within the time limit
   * @throws AssertionError if the datum ends without it; if the thread is interrupted
   * @throws UnsupportedOperationException if the reply is not one of a harness, since nobody else
   *     sees into the handler
   */
  public void awaitBlockedEmit() {
    throw new UnsupportedOperationException("only a harness sees that an emit waits");
  }

  /**
   * Cancels the stream, as a client does that gives up or disconnects: the handlers of its open
   * datums are interrupted and their {@code emit} is refused. In a harness that is this datum
   * alone. Does not wait for the handler; {@link #failure()} does. What has arrived can still be
   * read.
   */
  public void cancel() {
    stream.cancel();
  }

  // For this class and the harness. All but read, update and toString need the lock.

  final <T> T read(Supplier<T> state) {
    return guard.get(state::get);
  }

  final void update(Runnable change) {
    guard.update(change);
  }

  /** Waits until a state is reached, or the stream has broken, which is thrown. */
  private void await(Deadline deadline, BooleanSupplier reached, String awaited) {
    waitUntil(deadline, () -> reached.getAsBoolean() || broken, awaited);
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

  /** Called while a message is waited for: fetches one where that is not done without asking. */
  void pull() {}

  /** How long to wait for a message. */
  Deadline patience(Deadline given) {
    return given;
  }

  /** Throws why the datum has no EOT. */
  void throwBroken(String awaited) {
    Throwable thrown = stream.failure(id).orElse(null);
    if (thrown != null) {
      throw handlerFailed(
          "the handler of datum \"" + id + "\" has thrown " + thrown + " after " + count(count),
          thrown,
          awaited);
    }
    stream.throwEndedBefore(awaited);
  }

  final HandlerFailedException handlerFailed(String situation, Throwable thrown, String awaited) {
    Messages left = takeArrived();
    return new HandlerFailedException(
        situation + "; messages not taken before: " + left,
        left,
        thrown,
        stream.broken(awaited).status());
  }

  /** Where the datum is, in a sentence. */
  String situation() {
    String end = ended ? ", then its EOT" : broken ? ", then the stream ended" : "";
    return "datum \"" + id + "\" had " + count(count) + end;
  }

  /** All that is known, for a wait that timed out. */
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

  /** {@return where the datum is, in a sentence} */
  @Override
  public String toString() {
    return "Reply[" + read(this::situation) + "]";
  }
}
