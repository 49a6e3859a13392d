package io.mapstream.server;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.mapstream.SinkClosedException;
import io.mapstream.server.DatumRecording.Outcome;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.Level;

/**
 * Decides what a failure does, counts it and logs it. Decision 5 ({@code docs/adr}) has the
 * reasons.
 *
 * <ul>
 *   <li>A handler that fails after the end of its stream, other than for lack of memory: only a
 *       report, and none if it failed because of that end.
 *   <li>An {@code Exception} or {@code StackOverflowError} under {@code FAIL}: its datum is
 *       answered with the fail mark.
 *   <li>Everything else that a handler throws: its stream ends with INTERNAL, and the server stops.
 *       The first such failure wins; later ones are suppressed on it.
 *   <li>Any failure other than a handler's (a client that is gone, a request that violates the
 *       contract, no memory) ends only its stream.
 * </ul>
 *
 * Any thread may call a method, except where it says otherwise.
 */
final class Failures {

  /** Is notified of handlers' failures, for instance to stop the server. */
  @FunctionalInterface
  interface Listener {

    /**
     * Called when a handler has failed, on any thread. Must not block.
     *
     * @param failure what it threw
     * @param kind what the failure does: one of the kinds that begin with {@code HANDLER_}
     */
    void handlerFailed(HandlerFailure failure, FailureKind kind);

    /**
     * Called when a handler or a stream has failed, and the client can't be notified. On any
     * thread; must not need memory.
     */
    default void failureLost() {}

    /** Called when a handler has failed for lack of memory. On any thread; must not need memory. */
    default void memoryFull() {}
  }

  private static final ServerLog log = ServerLog.of(Failures.class);

  private static final int TRIES = 5;

  /** The classes that are caught here when the heap is full, as in {@link HeapWatch}. */
  @SuppressWarnings("UnusedVariable")
  private static final List<Class<? extends Throwable>> CAUGHT = List.of(Throwable.class);

  private final ServerOptions options;
  private final Counters counters;
  private final Listener listener;

  /** Whether there was no memory to report a handler's failure. */
  private volatile boolean lost;

  /** The failure that stops the server; later ones are suppressed on it. */
  private final AtomicReference<@Nullable HandlerFailure> first = new AtomicReference<>();

  Failures(ServerOptions options, Counters counters, Listener listener) {
    this.options = options;
    this.counters = counters;
    this.listener = listener;
  }

  /** Returns the failure that stops the server, or null while there is none. */
  @Nullable HandlerFailure first() {
    return first.get();
  }

  /**
   * Called when a handler has thrown or its sink is broken: on its thread, or on the one that could
   * not start it. Returns the outcome.
   */
  @SuppressWarnings("CatchingUnchecked")
  Outcome handlerFailed(MapStream stream, HandlerTask task, Throwable cause) {
    if (lost) {
      return Outcome.FAILED;
    }
    if (cause instanceof OutOfMemoryError) {
      listener.memoryFull();
    }
    Outcome outcome;
    try {
      outcome = decide(stream, task, cause);
    } catch (Throwable again) {
      return stopAnyway(stream, task, cause, again);
    }
    if (outcome == Outcome.ANSWERED_WITH_FAIL) {
      reportAnsweredWithFail(task, cause);
    }
    return outcome;
  }

  private Outcome decide(MapStream stream, HandlerTask task, Throwable cause) {
    if (stream.isEnded()) {
      failedAfterTheEnd(task, cause);
      stream.handlerReturned(task);
      return Outcome.STREAM_ENDED;
    } else if (isAnsweredWithFail(cause) && !task.isSinkBroken()) {
      counters.failed(FailureKind.HANDLER_ANSWERED_WITH_FAIL);
      task.answerWithFail();
      return Outcome.ANSWERED_WITH_FAIL;
    } else {
      HandlerFailure failure = failure(task, cause);
      stream.endAfter(task, failure, failure.toStatus());
      return Outcome.FAILED;
    }
  }

  /**
   * Tries again, since a datum left open would stall the client for good. If there is still no
   * memory, or a lambda could not be linked for lack of it (which is permanent), {@link
   * Listener#failureLost} is called instead. Other handlers that fail then do not try: each try
   * takes a collection of a full heap, and there may be hundreds.
   */
  @SuppressWarnings("CatchingUnchecked")
  private Outcome stopAnyway(MapStream stream, HandlerTask task, Throwable cause, Throwable again) {
    for (int tries = 0; tries < TRIES && !lost; tries++) {
      try {
        HandlerFailure failure = failure(task, cause);
        failure.suppress(again);
        stream.endAfter(task, failure, failure.plainStatus());
        return Outcome.FAILED;
      } catch (Throwable t) {
        // Each try collects garbage first, so a few are worthwhile.
      }
    }
    lost();
    return Outcome.FAILED;
  }

  /**
   * Called when a client can't be notified of a failure, most likely for lack of memory. Any
   * thread.
   */
  void lost() {
    if (!lost) {
      listener.failureLost();
      lost = true;
    }
  }

  /** Returns whether this failure affects only its datum, according to the error policy. */
  private boolean isAnsweredWithFail(Throwable failure) {
    return options.errorPolicy() == ServerOptions.ErrorPolicy.FAIL
        && (failure instanceof Exception || failure instanceof StackOverflowError);
  }

  private HandlerFailure failure(HandlerTask task, Throwable cause) {
    return new HandlerFailure(task.id(), cause, options.containerType());
  }

  private void reportAnsweredWithFail(HandlerTask task, Throwable cause) {
    HandlerFailure failure = failure(task, cause);
    log.counted(
        Level.WARN,
        "the handler failed on datum \"{}\", answered with the fail mark",
        failure.datumId(),
        failure.printable());
    listener.handlerFailed(failure, FailureKind.HANDLER_ANSWERED_WITH_FAIL);
  }

  /** In most cases, the handler was interrupted by the end and failed because of that. */
  private void failedAfterTheEnd(HandlerTask task, Throwable cause) {
    if (comesFromTheEnd(cause)) {
      log.trace("handler of datum \"{}\" was stopped with its stream", task.id());
    } else {
      failedLate(failure(task, cause));
    }
  }

  /**
   * Returns whether a handler threw because it was interrupted or its sink was closed, or threw an
   * exception with such a cause.
   */
  static boolean comesFromTheEnd(Throwable thrown) {
    return Thrown.causes(thrown).stream()
        .anyMatch(
            cause -> cause instanceof InterruptedException || cause instanceof SinkClosedException);
  }

  /**
   * Ends the stream, and stops the server, after a handler's failure. Event loop only.
   *
   * @param stream its stream, which may have ended since the handler threw
   * @param status what the client receives
   */
  void endStream(MapStream stream, HandlerFailure failure, StatusRuntimeException status) {
    if (stream.isEnded()) {
      failedLate(failure);
      return;
    }
    try {
      stopServer(failure);
    } finally {
      stream.end(status.getStatus(), status.getTrailers(), "another handler has failed");
    }
  }

  /** Requests the stop before anything that needs memory, since there may be none. */
  private void stopServer(HandlerFailure failure) {
    boolean isFirst = first.compareAndSet(null, failure);
    listener.handlerFailed(failure, FailureKind.HANDLER_STOPPED_SERVER);
    counters.failed(FailureKind.HANDLER_STOPPED_SERVER);
    if (!isFirst) {
      reportLate(failure);
    }
  }

  /**
   * Called once per datum if a result was refused because the datum's handler had already returned.
   *
   * @param datumId in printable form
   * @param refused what {@code emit} throws
   */
  void emittedLate(String datumId, SinkClosedException refused) {
    counters.failed(FailureKind.HANDLER_EMITTED_LATE);
    log.warn(
        "a result of datum \"{}\" is lost: it was emitted after the handler had returned. A handler"
            + " must wait for its emitting threads",
        datumId);
    listener.handlerFailed(
        new HandlerFailure(datumId, refused, options.containerType()),
        FailureKind.HANDLER_EMITTED_LATE);
  }

  /** An OutOfMemoryError is not caused by the end, and would recur with the next datums. */
  private void failedLate(HandlerFailure failure) {
    if (failure.cause() instanceof OutOfMemoryError) {
      stopServer(failure);
      return;
    }
    counters.failed(FailureKind.HANDLER_LATE);
    reportLate(failure);
    listener.handlerFailed(failure, FailureKind.HANDLER_LATE);
  }

  private void reportLate(HandlerFailure late) {
    HandlerFailure stopping = first.get();
    if (stopping != null) {
      stopping.suppress(late);
    }
    log.countedBy(
        late.likeness(),
        Level.WARN,
        "the handler of datum \"{}\" failed after the end of its stream: {}{}",
        late.datumId(),
        late.description(),
        log.isDebugEnabled() ? System.lineSeparator() + late.stack() : "");
  }

  /** Logs the failure that stops the server. Not for the event loop. */
  static void reportStop(HandlerFailure failure) {
    log.error(
        "the handler failed on datum \"{}\"; the server stops",
        failure.datumId(),
        failure.printable());
  }

  // Failures other than a handler's; on the event loop.

  /** Called when a request can't be accepted. Returns the status that its stream ends with. */
  Status requestRefused(FailureKind kind, String reason) {
    counters.failed(kind);
    log.countedBy(kind.name(), Level.WARN, "stream refused: {}", reason);
    return switch (kind) {
      case REQUEST_TOO_LARGE -> Status.RESOURCE_EXHAUSTED;
      case ADMISSION_FAILED -> Status.INTERNAL;
      default -> Status.INVALID_ARGUMENT;
    };
  }

  /** Called when the client has cancelled or disconnected. */
  void clientGone(int datumsInWork, String reason) {
    if (datumsInWork > 0) {
      counters.failed(FailureKind.CLIENT_GONE);
      log.counted(Level.INFO, "stream abandoned with {} datums in work: {}", datumsInWork, reason);
    }
  }

  /** Called when a stream has ended because of a fault in a lower layer. */
  void streamFailed(FailureKind kind, String reason, Throwable cause) {
    counters.failed(kind);
    log.counted(Level.ERROR, "{}; the stream ends", reason, cause);
  }
}
