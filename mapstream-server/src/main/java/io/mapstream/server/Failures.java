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
 * What a failure does: the one place that decides it, counts it and says it in the log. Decision 5
 * ({@code docs/adr}) has the reasons.
 *
 * <ul>
 *   <li>A handler that fails after the end of its stream: nothing more than a report, and none if
 *       it failed because of that end.
 *   <li>An {@code Exception} or {@code StackOverflowError} under {@code FAIL}: its datum is
 *       answered with the fail mark.
 *   <li>All else that a handler throws: its stream ends with INTERNAL, and the server stops. The
 *       first such failure wins; those that follow are suppressed on it.
 *   <li>What is no handler's failure (a client that is gone, a request that breaks the contract, no
 *       memory) ends its stream only.
 * </ul>
 *
 * Any thread, except where a method says otherwise.
 */
final class Failures {

  /** Who wants to know of handlers' failures, for instance to stop the server. */
  @FunctionalInterface
  interface Listener {

    /**
     * A handler has failed. On the event loop for {@link FailureKind#HANDLER_STOPPED_SERVER}, on
     * any thread for the others; must not block.
     *
     * @param failure what it threw
     * @param kind what the failure does: one of the kinds that begin with {@code HANDLER_}
     */
    void handlerFailed(HandlerFailure failure, FailureKind kind);

    /**
     * A handler or a stream has failed, and the client can't be told. On any thread; must not need
     * memory.
     */
    default void failureLost() {}

    /** A handler that has failed found no memory. On any thread; must not need memory. */
    default void memoryFull() {}
  }

  private static final ServerLog log = ServerLog.of(Failures.class);

  private static final int TRIES = 5;

  /** What is caught here with a full heap, as in {@link HeapWatch}. */
  @SuppressWarnings("UnusedVariable")
  private static final List<Class<? extends Throwable>> CAUGHT = List.of(Throwable.class);

  private final ServerOptions options;
  private final Counters counters;
  private final Listener listener;

  /** There was no memory to report a handler's failure. */
  private volatile boolean lost;

  /** The failure that stops the server; later ones are suppressed on it. */
  private final AtomicReference<@Nullable HandlerFailure> first = new AtomicReference<>();

  Failures(ServerOptions options, Counters counters, Listener listener) {
    this.options = options;
    this.counters = counters;
    this.listener = listener;
  }

  /** The failure that stops the server, or null while there is none. */
  @Nullable HandlerFailure first() {
    return first.get();
  }

  /**
   * A handler has thrown, or its sink is broken. Called on its thread, or on the event loop where
   * the thread could not be started. Returns what that did.
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
   * A datum left open would stall the client for good, so this is tried again. If there is no
   * memory in the end, or a lambda could not be linked for lack of it, which is for good, the
   * listener has to help itself. Other handlers that fail then don't try: each try takes a
   * collection of a full heap, and there may be hundreds.
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
        // Each try collects garbage first, so this is worth a few.
      }
    }
    lost();
    return Outcome.FAILED;
  }

  /** A client will not learn of a failure; most likely there is no memory. Any thread. */
  void lost() {
    if (!lost) {
      listener.failureLost();
      lost = true;
    }
  }

  /** Whether this failure concerns its datum alone, by the error policy. */
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

  /** Mostly the handler was interrupted by the end, which is then the cause of its failure. */
  private void failedAfterTheEnd(HandlerTask task, Throwable cause) {
    if (comesFromTheEnd(cause)) {
      log.trace("handler of datum \"{}\" was stopped with its stream", task.id());
    } else {
      failedLate(failure(task, cause));
    }
  }

  /** Whether a handler threw because it was interrupted or its sink closed, wrapped or not. */
  static boolean comesFromTheEnd(Throwable thrown) {
    return Thrown.causes(thrown).stream()
        .anyMatch(
            cause -> cause instanceof InterruptedException || cause instanceof SinkClosedException);
  }

  /**
   * A handler's failure is to end its stream and the server. Event loop only.
   *
   * @param stream its stream, which may have ended since the handler threw
   * @param status what the client is to see
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

  /** The stop is asked for before anything that needs memory, which may be full. */
  private void stopServer(HandlerFailure failure) {
    boolean isFirst = first.compareAndSet(null, failure);
    listener.handlerFailed(failure, FailureKind.HANDLER_STOPPED_SERVER);
    counters.failed(FailureKind.HANDLER_STOPPED_SERVER);
    if (!isFirst) {
      reportLate(failure);
    }
  }

  /**
   * A result was refused because the handler of its datum had returned before; told once per datum.
   *
   * @param datumId for people to read
   * @param refused what {@code emit} throws
   */
  void emittedLate(String datumId, SinkClosedException refused) {
    counters.failed(FailureKind.HANDLER_EMITTED_LATE);
    log.warn(
        "a result of datum \"{}\" is lost: it was emitted after the handler had returned. A handler"
            + " has to wait for the threads that emit for it",
        datumId);
    listener.handlerFailed(
        new HandlerFailure(datumId, refused, options.containerType()),
        FailureKind.HANDLER_EMITTED_LATE);
  }

  /** The end does not cause an OutOfMemoryError, which would come again with the next datums. */
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
        "the handler of datum \"{}\" failed after its stream's end: {}{}",
        late.datumId(),
        late.description(),
        log.isDebugEnabled() ? System.lineSeparator() + late.stack() : "");
  }

  /** The failure that stops the server, in the log. Not for the event loop. */
  static void reportStop(HandlerFailure failure) {
    log.error(
        "the handler failed on datum \"{}\"; the server stops",
        failure.datumId(),
        failure.printable());
  }

  // What is no handler's failure; on the event loop.

  /** A request can't be taken. Returns the status that its stream ends with. */
  Status requestRefused(FailureKind kind, String reason) {
    counters.failed(kind);
    log.countedBy(kind.name(), Level.WARN, "stream refused: {}", reason);
    return switch (kind) {
      case REQUEST_TOO_LARGE -> Status.RESOURCE_EXHAUSTED;
      case ADMISSION_FAILED -> Status.INTERNAL;
      default -> Status.INVALID_ARGUMENT;
    };
  }

  /** The client has cancelled or disconnected. */
  void clientGone(int datumsInWork, String reason) {
    if (datumsInWork > 0) {
      counters.failed(FailureKind.CLIENT_GONE);
      log.counted(Level.INFO, "stream given up with {} datums in work: {}", datumsInWork, reason);
    }
  }

  /** A stream has ended because of a fault below it. */
  void streamFailed(FailureKind kind, String reason, Throwable cause) {
    counters.failed(kind);
    log.counted(Level.ERROR, "{}, the stream ends", reason, cause);
  }
}
