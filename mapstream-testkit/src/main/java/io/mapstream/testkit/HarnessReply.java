package io.mapstream.testkit;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.MessageSink;
import io.mapstream.Messages;
import io.mapstream.server.InternalMapStreamServer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * A reply whose handler runs in the same process: it observes the handler, and what waits in the
 * server to be read.
 *
 * <p>It requests only what the test reads, one message at a time. So unread messages wait in the
 * server, and {@code emit} blocks when they reach the bound. Once the last message is emitted, the
 * rest arrives without being requested.
 */
final class HarnessReply extends Reply {

  private final int bound;

  /** Descriptions of messages emitted after their handler ended; shared by the whole harness. */
  private final Queue<String> lateEmits;

  // Guarded by the stream's lock.
  private @Nullable Thread thread;
  private long emitted;
  private int emitting;

  private boolean failMarkEmitted;
  private boolean handlerEnded;
  private @Nullable Throwable thrown;
  private boolean failedAfterCancel;
  private boolean failureSeen;

  /** Whether a {@link HandlerFailedException} has shown the messages. */
  private boolean messagesSeen;

  HarnessReply(
      ClientStream stream,
      String id,
      Datum datum,
      Duration timeLimit,
      int bound,
      Queue<String> lateEmits) {
    super(stream, id, datum, timeLimit);
    this.bound = bound;
    this.lateEmits = lateEmits;
  }

  // The handler's side.

  /**
   * Runs the handler on the current thread, which the server started for it. Does not call it if
   * the stream has ended, which the server may not know yet: once {@link #isRunning} has returned
   * false, it stays false.
   */
  void run(MapStreamer handler, List<String> keys, Datum datum, MessageSink sink) throws Exception {
    guard.update(() -> thread = broken ? null : Thread.currentThread());
    if (thread == null) {
      return;
    }
    try {
      handler.handle(keys, datum, observed(sink));
      ended(null);
    } catch (Throwable t) {
      ended(t);
      throw t;
    }
  }

  /** Waits, after a failure, until what was emitted has arrived: the failure ends the stream. */
  private void ended(@Nullable Throwable failure) {
    guard.update(() -> {
      thrown = failure;
      failedAfterCancel = failure != null && stream().cancelled;
      handlerEnded = true;
      pull(0);
    });
    if (failure != null) {
      guard.awaitUninterruptibly(() -> count >= emitted || broken);
    }
  }

  /** Wraps the server's sink to count what is emitted. */
  private MessageSink observed(MessageSink sink) {
    return new MessageSink() {
      @Override
      public void emit(Message message) {
        guard.update(() -> {
          emitting++;
          if (handlerEnded && !broken) {
            lateEmits.add(message + "; " + situation());
          }
        });
        boolean accepted = false;
        try {
          sink.emit(message);
          accepted = true;
        } finally {
          left(message, accepted);
        }
      }

      @Override
      public boolean isStopping() {
        return sink.isStopping();
      }
    };
  }

  private void left(Message message, boolean accepted) {
    guard.update(() -> {
      emitting--;
      emitted += accepted ? 1 : 0;
      if (accepted && message.isFail()) {
        failMarkEmitted = true;
        pull(0);
      }
    });
  }

  // The test's side.

  @Override
  void pull(int most) {
    if (handlerEnded || failMarkEmitted) {
      stream().readRest();
    } else {
      stream().request(Math.min(count + most, emitted));
    }
  }

  /** A message that was emitted is about to arrive, so it is awaited even if the limit is short. */
  @Override
  Deadline patience(Deadline given) {
    Deadline own = Deadline.in(timeLimit);
    return emitted > count && own.nanosLeft() > given.nanosLeft() ? own : given;
  }

  /** Waits until the handler has returned, and takes all messages. */
  Messages all() {
    Deadline deadline = Deadline.in(timeLimit);
    return guard.get(() -> {
      awaitEot(deadline);
      awaitEnd(deadline, false);
      if (isFailed()) {
        throwBroken("the return of the handler");
      }
      return takeArrived();
    });
  }

  @Override
  public boolean isRunning() {
    return guard.get(() -> !handlerEnded && (thread != null || !broken));
  }

  @Override
  public Optional<Throwable> failure() {
    Deadline deadline = Deadline.in(timeLimit);
    return guard.get(() -> {
      awaitEnd(deadline, false);
      failureSeen = true;
      if (!handlerEnded && !stream().cancelled) {
        return Optional.of(stream().broken("the start of the handler"));
      }
      return Optional.ofNullable(thrown);
    });
  }

  @Override
  public void awaitBlockedEmit() {
    Deadline deadline = Deadline.in(timeLimit);
    guard.update(() -> {
      waitUntil(
          deadline,
          () -> isBlocked() || handlerEnded || failMarkEmitted || broken,
          "an emit that is blocked until the test reads");
      if (!isBlocked()) {
        throw new AssertionError("no emit is blocked until the test reads: " + situation());
      }
    });
  }

  @Override
  void throwBroken(String awaited) {
    if (thrown != null && isFailed()) {
      failureSeen = true;
      messagesSeen = true;
      throw handlerFailed(situation(), thrown, awaited);
    }
    super.throwBroken(awaited);
  }

  /** Returns whether the handler has thrown something that ended the stream, or stops a server. */
  private boolean isFailed() {
    return thrown != null && stream().isInternal();
  }

  private boolean isBlocked() {
    return emitting > 0 && emitted - stream().requested() >= bound && !broken && !handlerEnded;
  }

  @Override
  String situation() {
    String doing;
    if (handlerEnded) {
      doing =
          (thrown == null ? "has returned" : "has thrown " + HandlerFailedException.text(thrown))
              + " after";
    } else if (thread == null) {
      doing = "has not started, with";
    } else if (isBlocked()) {
      doing = "is blocked in emit until the test reads (bound " + bound + "), with";
    } else {
      doing = "still runs, with";
    }
    long unread = Math.max(emitted, count) - taken();
    return "the handler of datum \""
        + id()
        + "\" "
        + doing
        + " "
        + count(emitted)
        + (handlerEnded ? "" : " emitted")
        + (unread == 0 ? "" : ", " + unread + " unread")
        + (failMarkEmitted && !handlerEnded ? ", the last one with the fail mark" : "")
        + (stream().cancelled ? "; the test has cancelled it" : "");
  }

  @Override
  String report() {
    return ": " + stack() + shownArrived();
  }

  /** Returns the situation, the datum, and the handler's stack. */
  private String stack() {
    StringBuilder text = new StringBuilder(situation()).append("\n  ").append(datum());
    if (thread != null && !handlerEnded) {
      text.append("\n  ").append(thread.getName()).append(" is at");
      for (StackTraceElement frame : thread.getStackTrace()) {
        if (frame.getClassName().equals(HarnessReply.class.getName())
            && frame.getMethodName().equals("run")) {
          break;
        }
        text.append("\n    at ").append(frame);
      }
    }
    return text.toString();
  }

  // The end of the test.

  /**
   * Waits until the handler has ended and the client knows the outcome, or, if that is enough,
   * until the handler is blocked because the test does not read.
   */
  void awaitEnd(Deadline deadline, boolean orBlocked) {
    guard.update(() ->
        waitUntil(
            deadline,
            () -> isSettled() || (orBlocked && isBlocked()),
            "the return of the handler"));
  }

  private boolean isSettled() {
    boolean isKnown = broken || (ended && (thrown == null || stream().hasEnded()));
    return isKnown && !isRunning();
  }

  /** Adds what the test did not finish or check. */
  void findLeftovers(List<String> findings, List<Throwable> failures) {
    guard.update(() -> {
      if (isRunning()) {
        findings.add("still running: " + stack());
      }
      String situation = situation();
      Messages unread = stream().cancelled || messagesSeen ? Messages.empty() : unread();
      if (!unread.isEmpty()) {
        findings.add("not read: " + situation + ": " + unread);
      }
      if (thrown != null
          && !failureSeen
          && (isFailed()
              || ((broken || failedAfterCancel)
                  && !InternalMapStreamServer.comesFromTheEnd(thrown)))) {
        findings.add("failed, and the test did not check for it: " + situation);
        failures.add(thrown);
      }
    });
  }

  /** Fetches the messages that wait in the server. */
  private Messages unread() {
    long waiting = emitted;
    pull(Integer.MAX_VALUE);
    Deadline deadline = Deadline.in(timeLimit);
    // An interruption ends the wait, and what has arrived is reported.
    MapStreamHarness.isReached(
        () -> waitUntil(deadline, () -> count >= waiting || broken, "what was emitted"));
    return takeArrived();
  }
}
