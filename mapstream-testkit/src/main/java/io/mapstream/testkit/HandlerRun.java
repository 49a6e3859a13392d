package io.mapstream.testkit;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.MessageSink;
import io.mapstream.MessageTooLargeException;
import io.mapstream.Messages;
import io.mapstream.SinkClosedException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One datum in work: its handler on a virtual thread of its own, the sink that the handler emits
 * to, and what the test has not read yet. In the server these are a task, a sink and a writer; here
 * nothing is encoded and nobody is to be kept from waiting, so one lock guards all of it.
 *
 * <p>The sink closes once, and the first reason stays, but for a cancel, which comes on top. The
 * handler leaves once. Either may come first: a fail mark closes the sink of a handler that goes on
 * running.
 */
final class HandlerRun implements MessageSink {

  // Why a sink is closed, as an emit that comes too late is told.
  static final String HANDLER_RETURNED = "the handler has returned";
  static final String FAIL_MARK_EMITTED =
      "a message with the fail mark was emitted, and nothing may follow it";
  static final String CANCELLED = "the client cancelled the stream or disconnected";
  static final String GIVEN_UP = "the test has given the datum up";
  static final String HARNESS_CLOSED = "the harness was closed";

  /** How a handler left. */
  sealed interface Outcome {
    /** It returned. */
    record Returned() implements Outcome {}

    /**
     * It threw.
     *
     * @param cause what it threw
     */
    record Failed(Throwable cause) implements Outcome {}
  }

  private final MapStreamer handler;
  private final long number;
  private final String id;
  private final Datum datum;
  private final int bound;
  private final int maxMessageSize;
  private final Thread thread;

  private final ReentrantLock lock = new ReentrantLock();

  /** For the test: something was emitted, or has ended, or an emit began to wait. */
  private final Condition news = lock.newCondition();

  /** For emits that wait: something was read, or the sink has closed. */
  private final Condition room = lock.newCondition();

  // Guarded by the lock.
  private final ArrayDeque<Message> unread = new ArrayDeque<>();
  private long emitted;
  private int waitingEmits;
  private @Nullable String closedBecause;
  private boolean givenUp;
  private boolean stopped;
  private @Nullable Outcome outcome;
  private boolean failureSeen;

  HandlerRun(MapStreamer handler, long number, Datum datum, int bound, int maxMessageSize) {
    this.handler = handler;
    this.number = number;
    this.id = Long.toString(number);
    this.datum = datum.id().isEmpty() ? datum.toBuilder().id(id).build() : datum;
    this.bound = bound;
    this.maxMessageSize = maxMessageSize;
    this.thread = Thread.ofVirtual().name("mapstream-" + id).unstarted(this::run);
  }

  long number() {
    return number;
  }

  void start() {
    thread.start();
  }

  // The handler's side.

  /** The handler's failures are values here, as they are in the server. */
  @SuppressWarnings("CatchingUnchecked")
  private void run() {
    Outcome left;
    try {
      handler.handle(datum.keys(), datum, this);
      left = new Outcome.Returned();
    } catch (Throwable t) {
      left = new Outcome.Failed(t);
    }
    lock.lock();
    try {
      outcome = left;
      closeSink(HANDLER_RETURNED);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void emit(Message message) {
    long size = ResponseSize.of(id, Objects.requireNonNull(message, "message"));
    if (size > maxMessageSize) {
      throw new MessageTooLargeException(size, maxMessageSize);
    }
    lock.lock();
    try {
      awaitRoom();
      unread.add(message);
      emitted++;
      news.signalAll();
      if (message.isFail()) {
        closeSink(FAIL_MARK_EMITTED);
      }
    } finally {
      lock.unlock();
    }
  }

  /** As in the server, an interrupt flag matters only to an emit that has to wait. */
  private void awaitRoom() {
    while (closedBecause == null && unread.size() >= bound) {
      waitingEmits++;
      news.signalAll();
      try {
        room.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw refusal("the handler's thread was interrupted while it waited for the client", e);
      } finally {
        waitingEmits--;
      }
    }
    if (closedBecause != null) {
      throw refusal(closedBecause, null);
    }
  }

  private SinkClosedException refusal(String otherwise, @Nullable InterruptedException cause) {
    String message = "emit refused: " + (closedBecause != null ? closedBecause : otherwise);
    return cause == null
        ? new SinkClosedException(message)
        : new SinkClosedException(message, cause);
  }

  private void closeSink(String reason) {
    if (closedBecause == null) {
      closedBecause = reason;
    }
    news.signalAll();
    room.signalAll();
  }

  // The test's side.

  /** The next message, or null where none can come any more. Waits for one of both. */
  @Nullable Message next(TimeLimit limit) {
    record Read(@Nullable Message message) {}
    return this.<Read>await(
            () -> "message " + (read() + 1),
            limit,
            () -> {
              if (!unread.isEmpty()) {
                room.signalAll();
                return new Read(unread.remove());
              }
              return closedBecause == null ? null : new Read(null);
            })
        .message();
  }

  /** Waits until the handler has left. */
  Outcome awaitOutcome(TimeLimit limit) {
    return await(() -> "the return of the handler", limit, () -> outcome);
  }

  /** Waits until the handler has left, or the test has given the datum up. */
  void awaitOutcomeOrStop(TimeLimit limit) {
    var unused =
        await(
            () -> "the return of the handler",
            limit,
            () -> (stopped || outcome != null) ? Boolean.TRUE : null);
  }

  /** Waits until an emit waits for the test to read. */
  void awaitBlockedEmit(TimeLimit limit) {
    boolean blocked =
        await(
            () -> "an emit that waits for the test to read",
            limit,
            () -> isBlocked() ? Boolean.TRUE : closedBecause != null ? Boolean.FALSE : null);
    if (!blocked) {
      throw new AssertionError("no emit waits for the test to read: " + state());
    }
  }

  /**
   * Waits until the handler has left, or can't because it waits for a reader that will not come.
   *
   * @return whether one of both came to be within the limit
   */
  boolean awaitLeftOrBlocked(TimeLimit limit) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (outcome == null && !isBlocked()) {
        long left = limit.nanosLeft();
        if (left <= 0) {
          return false;
        }
        var unused = news.awaitNanos(left);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  private <T> T await(Supplier<String> awaited, TimeLimit limit, Supplier<@Nullable T> probe) {
    lock.lock();
    try {
      T answer = probe.get();
      while (answer == null) {
        long left = limit.nanosLeft();
        if (left <= 0) {
          throw new AssertionError(
              "waited " + limit + " in vain for " + awaited.get() + ": " + report());
        }
        var unused = news.awaitNanos(left);
        answer = probe.get();
      }
      return answer;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(
          "interrupted while waiting for " + awaited.get() + ": " + report(), e);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Gives the datum up: closes the sink, and interrupts the handler if it still runs. The flag is
   * set before the lock is released, so an emit that this ends finds it set. Where the handler has
   * left before, its messages need not be read any more, and the rest is as it was.
   */
  void stop(String reason) {
    lock.lock();
    try {
      givenUp = true;
      if (outcome == null) {
        stopped = true;
        closedBecause = reason;
        thread.interrupt();
        closeSink(reason);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Waits for the end of the thread itself. */
  boolean join(TimeLimit limit) throws InterruptedException {
    return thread.join(Duration.ofNanos(Math.max(0, limit.nanosLeft())));
  }

  boolean isSinkClosed() {
    lock.lock();
    try {
      return closedBecause != null;
    } finally {
      lock.unlock();
    }
  }

  boolean isRunning() {
    lock.lock();
    try {
      return outcome == null;
    } finally {
      lock.unlock();
    }
  }

  /** The handler's failure, unless it was stopped before; the test has seen it with that. */
  @Nullable HandlerFailedException seeFailure(Messages messages) {
    lock.lock();
    try {
      if (stopped || !(outcome instanceof Outcome.Failed failed)) {
        return null;
      }
      failureSeen = true;
      return new HandlerFailedException(
          state() + "; messages not read before: " + messages, messages, failed.cause());
    } finally {
      lock.unlock();
    }
  }

  /** What the handler threw, stopped or not, or null; the test has seen it with that. */
  @Nullable Throwable seeThrown() {
    lock.lock();
    try {
      failureSeen = true;
      return outcome instanceof Outcome.Failed failed ? failed.cause() : null;
    } finally {
      lock.unlock();
    }
  }

  /** A failure that no call has shown to the test, and that isn't the answer to a stop. */
  @Nullable Throwable unseenFailure() {
    lock.lock();
    try {
      return !failureSeen
              && outcome instanceof Outcome.Failed failed
              && !(stopped && isAnswerToStop(failed.cause()))
          ? failed.cause()
          : null;
    } finally {
      lock.unlock();
    }
  }

  private static boolean isAnswerToStop(Throwable thrown) {
    int depth = 0;
    for (Throwable t = thrown; t != null && depth < 20; t = t.getCause()) {
      if (t instanceof InterruptedException || t instanceof SinkClosedException) {
        return true;
      }
      depth++;
    }
    return false;
  }

  /** What the test should have read: nothing of a datum that it gave up. */
  Messages unread() {
    lock.lock();
    try {
      return givenUp ? Messages.empty() : Messages.copyOf(unread);
    } finally {
      lock.unlock();
    }
  }

  private boolean isBlocked() {
    return waitingEmits > 0 && closedBecause == null && unread.size() >= bound;
  }

  private long read() {
    return emitted - unread.size();
  }

  /** One sentence about where the datum is. */
  String state() {
    lock.lock();
    try {
      String messages = emitted == 1 ? "1 message" : emitted + " messages";
      String doing =
          switch (outcome) {
            case null ->
                isBlocked()
                    ? "waits in emit for the test to read (bound " + bound + "), with"
                    : "still runs, with";
            case Outcome.Returned returned -> "has returned after";
            case Outcome.Failed failed -> "has thrown " + failed.cause() + " after";
          };
      return "the handler of datum \""
          + id
          + "\" "
          + doing
          + " "
          + messages
          + (outcome == null ? " emitted" : "")
          + (unread.isEmpty() ? "" : ", " + unread.size() + " unread")
          + (stopped ? ", stopped since " + closedBecause : "")
          + (!stopped && outcome == null && closedBecause != null ? "; " + closedBecause : "");
    } finally {
      lock.unlock();
    }
  }

  /** The state, the datum, and what the handler does just now. */
  String report() {
    var text = new StringBuilder(state()).append("\n  ").append(datum);
    StackTraceElement[] stack = thread.getStackTrace();
    if (stack.length == 0) {
      return text.toString();
    }
    text.append("\n  ").append(thread.getName()).append(" is at");
    for (StackTraceElement frame : stack) {
      if (frame.getClassName().equals(HandlerRun.class.getName())
          && frame.getMethodName().equals("run")) {
        break;
      }
      text.append("\n    at ").append(frame);
    }
    return text.toString();
  }
}
