package io.mapstream.testkit;

import io.mapstream.Datum;
import io.mapstream.Message;
import io.mapstream.Messages;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One datum whose handler is at work while the test reads its messages one by one; made by {@link
 * MapStreamHarness#stream(Datum)}.
 *
 * <p>Every call that waits has a limit: the harness's, or the one it is given. When it is over, or
 * the waiting thread is interrupted (its flag then stays set), the call throws an {@link
 * AssertionError} that says what was waited for and shows the handler's stack.
 *
 * <p>A handler's failure has to be seen by the test, through {@link #next()}, {@link #remaining()}
 * or {@link #failure()}; else closing the harness fails with it.
 *
 * <p>Safe for use by several threads, each message going to one of them.
 */
public final class DatumStream {

  private final HandlerRun run;
  private final Datum datum;
  private final Duration timeLimit;

  DatumStream(HandlerRun run, Datum datum, Duration timeLimit) {
    this.run = run;
    this.datum = datum;
    this.timeLimit = timeLimit;
  }

  /** {@return what the handler was given} */
  public Datum datum() {
    return datum;
  }

  /**
   * Takes the next message, and with that makes room for another one if the handler waits for it.
   *
   * <p>Waits, at most for the harness's time limit, until the handler has emitted one.
   *
   * @return the message, which may be a drop, nack or fail
   * @throws HandlerFailedException if there is none because the handler has thrown
   * @throws AssertionError if there is none because the handler has returned, a fail mark was read
   *     or the test has cancelled; if none comes within the limit; if the thread is interrupted
   */
  public Message next() {
    return next(timeLimit);
  }

  /**
   * Takes the next message as {@link #next()} does, with a time limit of its own.
   *
   * @param limit how long to wait at most; zero takes what is there already
   * @return the message
   * @throws HandlerFailedException as {@link #next()} does
   * @throws AssertionError as {@link #next()} does
   * @throws IllegalArgumentException if the limit is negative or {@code null}
   */
  public Message next(Duration limit) {
    Message message = run.next(TimeLimit.of(TimeLimit.checkNotNegative("limit", limit)));
    if (message == null) {
      throwFailure(Messages.empty());
      throw new AssertionError("there is no further message: " + run.state());
    }
    return message;
  }

  /**
   * Takes all messages that have not been read, up to the end of the datum.
   *
   * <p>Waits, at most for the harness's time limit over all of them, until the handler has
   * returned; its emits find room meanwhile. After {@link #cancel()} it doesn't wait, and gives
   * what was emitted before.
   *
   * @return the messages in the order of their emission, often none
   * @throws HandlerFailedException if the handler has thrown; it holds the messages
   * @throws AssertionError if the handler does not return within the limit; if the thread is
   *     interrupted
   */
  public Messages remaining() {
    TimeLimit limit = TimeLimit.of(timeLimit);
    List<Message> read = new ArrayList<>();
    try {
      Message message = run.next(limit);
      while (message != null) {
        read.add(message);
        message = run.next(limit);
      }
      run.awaitOutcomeOrStop(limit);
    } catch (AssertionError e) {
      throw new AssertionError(
          e.getMessage() + "\n  messages until then: " + Messages.copyOf(read), e.getCause());
    }
    Messages messages = Messages.copyOf(read);
    throwFailure(messages);
    return messages;
  }

  private void throwFailure(Messages messages) {
    HandlerFailedException failure = run.seeFailure(messages);
    if (failure != null) {
      throw failure;
    }
  }

  /**
   * Tells whether the datum takes no more messages: the handler has returned or thrown, has emitted
   * a fail mark, or was cancelled. What was emitted before may still be there to read. Doesn't
   * wait.
   *
   * @return whether an emit would be refused
   */
  public boolean hasEnded() {
    return run.isSinkClosed();
  }

  /**
   * Tells whether the handler still runs, which it may also do after a fail mark or a cancel.
   * Doesn't wait.
   *
   * @return whether the handler has neither returned nor thrown
   */
  public boolean isRunning() {
    return run.isRunning();
  }

  /**
   * Tells what the handler threw.
   *
   * <p>Waits, at most for the harness's time limit, until the handler has left. Doesn't read: a
   * handler that waits for room goes on waiting, and the limit passes. After {@link #cancel()} the
   * answer is often a {@link io.mapstream.SinkClosedException} or an {@link InterruptedException},
   * which a server takes no notice of then.
   *
   * @return the exception or error, or empty if the handler has returned
   * @throws AssertionError if the handler doesn't leave within the limit; if the thread is
   *     interrupted
   */
  public Optional<Throwable> failure() {
    var unused = run.awaitOutcome(TimeLimit.of(timeLimit));
    return Optional.ofNullable(run.seeThrown());
  }

  /**
   * Makes sure that the handler has come as far as it can without being read: that an {@code emit}
   * waits for room. With a {@linkplain MapStreamHarness.Builder#bound bound} of 1 one message then
   * is there to read, and one more is in the hands of the handler.
   *
   * <p>Waits for it at most for the harness's time limit.
   *
   * @throws AssertionError if the datum ends without it, since there was room for all its messages;
   *     if it doesn't come to it within the limit; if the thread is interrupted
   */
  public void awaitBlockedEmit() {
    run.awaitBlockedEmit(TimeLimit.of(timeLimit));
  }

  /**
   * Gives the datum up as a client does that cancels or disconnects: interrupts the handler, and
   * has its emits refused with a {@link io.mapstream.SinkClosedException}, a waiting one included.
   *
   * <p>Doesn't wait until the handler reacts; {@link #failure()} does. What was emitted before can
   * still be read, but need not be. That is all it does where the handler has left already.
   */
  public void cancel() {
    run.stop(HandlerRun.CANCELLED);
  }

  /** {@return one sentence about what the handler does, and how many messages there are} */
  @Override
  public String toString() {
    return "DatumStream[" + run.state() + "]";
  }
}
