package io.mapstream.server;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.mapstream.Message;
import io.mapstream.SinkClosedException;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The life of one {@code MapFn} stream, from the handshake to its end. Everything here happens on
 * the event loop, except what handler threads report; that is passed on to the loop.
 */
final class MapStream implements StreamObserver<Request> {

  /** Where a stream is in its life; it only moves downwards. */
  enum State {
    /** Nothing but a handshake is accepted. */
    AWAITING_HANDSHAKE,
    /** Datums are admitted as there is room. */
    OPEN,
    /** No datum is accepted any more; the stream ends when the last one in work is answered. */
    DRAINING,
    /**
     * The end was sent, or there is nobody to send it to. Handlers that still run are on their own.
     */
    ENDED
  }

  private static final Logger log = LoggerFactory.getLogger(MapStream.class);

  /** Causes may form a circle. */
  private static final int LONGEST_CHAIN = 32;

  private final MapService service;
  private final ServerCallStreamObserver<Response> client;
  private final ResponseWriter writer;
  private final InFlight inFlight;
  private final Runnable onRoom = this::useRoom;
  private final StreamRecording recording = new StreamRecording();

  /** Datums taken on. */
  private long admitted;

  private State state = State.AWAITING_HANDSHAKE;
  private Status statusWhenDrained = Status.OK;

  /**
   * A datum that was asked for when there was room, and has come when another stream had taken it.
   * It waits for its turn, and no further one is asked for.
   */
  private Request.@Nullable Data arrived;

  /** The state as handler threads see it: ENDED or not yet. */
  private volatile boolean over;

  MapStream(MapService service, ServerCallStreamObserver<Response> client) {
    this.service = service;
    this.client = client;
    this.writer =
        new ResponseWriter(
            client, service.loop(), service.limits(), service.counters(), this::writingFailed);
    this.inFlight = new InFlight(service.admission());
    client.disableAutoRequest();
    client.setOnReadyThreshold(service.readyThreshold());
    client.setOnReadyHandler(writer::drain);
    client.setOnCancelHandler(() -> clientGone("the client cancelled the stream or disconnected"));
    // Also the end of a call that gRPC gave up by itself: an Error while a message was read or
    // sent.
    client.setOnCloseHandler(() -> clientGone("gRPC has closed the stream"));
    client.request(1);
  }

  // What the client does.

  @Override
  public void onNext(Request request) {
    switch (state) {
      case AWAITING_HANDSHAKE -> shakeHands(request);
      case OPEN -> accept(request);
      // Asked for before the end was in sight. It gets no EOT, so the client sends it again.
      case DRAINING, ENDED -> log.trace("left to be sent again: {}", describe(request));
    }
  }

  private void shakeHands(Request request) {
    if (request instanceof Request.Handshake handshake && handshake.sot()) {
      state = State.OPEN;
      writer.handshake();
      client.request(1);
    } else {
      refuse("the first message has to be a handshake with sot = true, got " + describe(request));
    }
  }

  private void accept(Request request) {
    if (request instanceof Request.Data data) {
      arrived = data;
      service.arrived(data);
      service.admission().whenRoom(onRoom);
    } else {
      refuse(
          request instanceof Request.Refused refused
              ? refused.reason()
              : "a second handshake came on the same stream: " + describe(request));
    }
  }

  /** There is room for one datum: takes on the one that has arrived, or asks for one. */
  @SuppressWarnings("CatchingUnchecked")
  private void useRoom() {
    Request.Data data = arrived;
    if (data == null) {
      client.request(1);
      return;
    }
    arrived = null;
    HandlerTask task = null;
    try {
      task = new HandlerTask(this, service.handler(), service.threads(), data, writer);
      inFlight.add(task);
      admitted++;
      service.counters().admitted(data.size());
      service.start(task);
    } catch (Throwable t) {
      // Out of memory: the datum is gone, and only an end of the stream has it sent again.
      if (task != null) {
        task.abandon();
      }
      failedItself(FailureKind.ADMISSION_FAILED, "a datum can't be taken on", t);
    }
    if (state == State.OPEN) {
      service.admission().whenRoom(onRoom);
    }
  }

  private static String describe(Request request) {
    return switch (request) {
      case Request.Handshake handshake -> "a handshake with sot = " + handshake.sot();
      case Request.Data data -> "a datum with id \"" + Printable.text(data.id()) + "\"";
      case Request.Refused refused -> refused.reason();
    };
  }

  private void refuse(String complete) {
    String reason = HandlerFailure.beginning(Printable.text(complete), HandlerFailure.SENT_MESSAGE);
    log.warn("stream refused: {}", reason);
    service.counters().failed(FailureKind.REQUEST_REFUSED);
    end(Status.INVALID_ARGUMENT.withDescription(reason), null, reason);
  }

  /** The client has sent all it had: what is open is finished, then the stream closes with OK. */
  @Override
  public void onCompleted() {
    drain(Status.OK);
  }

  @Override
  public void onError(Throwable t) {
    clientGone("the client's side of the stream failed: " + t.getMessage());
  }

  private void clientGone(String reason) {
    if (state != State.ENDED) {
      int inWork = inFlight.size();
      leave();
      writer.abandon(reason);
      stopHandlers();
      recording.end(admitted, writer.written(), Status.Code.CANCELLED, reason);
      if (inWork > 0) {
        service.counters().failed(FailureKind.CLIENT_GONE);
        log.info("stream given up with {} datums in work: {}", inWork, reason);
      }
    }
    service.closed(this);
  }

  // What the server does.

  /**
   * Accepts no datum any more and ends with {@code status} when the last one in work is answered. A
   * client that has half-closed was answered in full then, and sees OK; one that has not may have
   * sent datums that nobody took, and is told by another status that those are still its own.
   */
  void drain(Status status) {
    if (state == State.AWAITING_HANDSHAKE || state == State.OPEN) {
      state = State.DRAINING;
      statusWhenDrained = status;
      if (!status.isOk() || arrived == null) {
        // What has arrived and was not taken on is the client's to send again, unless it has gone.
        arrived = null;
        service.admission().forget(onRoom);
      }
      endIfDrained();
    }
  }

  /** Ends the stream at once with handlers still running, which are interrupted. */
  void abort(Status status) {
    end(status, null, String.valueOf(status.getDescription()));
  }

  /** Whether {@code thread} runs a handler of this stream. */
  boolean isHandler(Thread thread) {
    boolean[] found = {false};
    inFlight.forEach(task -> found[0] |= task.runsOn(thread));
    return found[0];
  }

  // What handlers do.

  /** Whether the datum's id is to be in the MDC of its handler's thread. Any thread. */
  boolean namesDatumsInLog() {
    return service.namesDatumsInLog();
  }

  /** The stream has ended: nothing that handlers emit goes anywhere. Any thread. */
  boolean isOver() {
    return over;
  }

  /** A handler has ended without anything left to write that would tell. Any thread. */
  void handlerLeft(HandlerTask task) {
    onLoop(() -> releaseIfDone(task));
  }

  /** A handler has thrown, or left a sink that is broken. Called on its thread. */
  @SuppressWarnings("CatchingUnchecked")
  DatumOutcome handlerFailed(HandlerTask task, Throwable cause) {
    DatumOutcome outcome;
    try {
      outcome = endAfter(task, cause);
    } catch (Throwable again) {
      return stopAnyway(task, cause, again);
    }
    if (outcome == DatumOutcome.ANSWERED_WITH_FAIL) {
      service.failedAlone(task, cause);
    }
    return outcome;
  }

  /** A datum left open would stall the client for good, so this is tried until there is memory. */
  private DatumOutcome stopAnyway(HandlerTask task, Throwable cause, Throwable again) {
    while (true) {
      try {
        HandlerFailure failure = service.failure(task, cause);
        failure.suppress(again);
        stopFor(task, failure, failure.plainStatus());
        return DatumOutcome.FAILED;
      } catch (OutOfMemoryError e) {
        // Each try collects garbage first, so this is no loop that only spins.
      }
    }
  }

  private DatumOutcome endAfter(HandlerTask task, Throwable cause) {
    if (over) {
      // Interrupted by the end of the stream, as a rule: a consequence of it and not its cause.
      failedAfterTheEnd(task, cause);
      handlerLeft(task);
      return DatumOutcome.STREAM_ENDED;
    } else if (service.isAnsweredWithFail(cause) && !task.isSinkBroken()) {
      service.counters().failed(FailureKind.HANDLER_ANSWERED_WITH_FAIL);
      task.answerWith(Message.toFail());
      return DatumOutcome.ANSWERED_WITH_FAIL;
    } else {
      HandlerFailure failure = service.failure(task, cause);
      stopFor(task, failure, failure.toStatus());
      return DatumOutcome.FAILED;
    }
  }

  private void stopFor(HandlerTask task, HandlerFailure failure, StatusRuntimeException status) {
    onLoop(() -> {
      try {
        failed(failure, status);
      } finally {
        releaseIfDone(task);
      }
    });
  }

  private void failed(HandlerFailure failure, StatusRuntimeException status) {
    if (state == State.ENDED) {
      service.failedLate(failure);
      return;
    }
    try {
      service.failed(failure);
    } finally {
      end(status.getStatus(), status.getTrailers(), "another handler has failed");
    }
  }

  private void failedAfterTheEnd(HandlerTask task, Throwable cause) {
    if (comesFromTheEnd(cause)) {
      log.trace("handler of datum \"{}\" was stopped with its stream", task.id());
    } else {
      service.failedLate(service.failure(task, cause));
    }
  }

  /** Whether a handler threw because it was interrupted or its sink closed, wrapped or not. */
  private static boolean comesFromTheEnd(Throwable thrown) {
    Throwable cause = thrown;
    for (int depth = 0; cause != null && depth < LONGEST_CHAIN; depth++) {
      if (cause instanceof InterruptedException || cause instanceof SinkClosedException) {
        return true;
      }
      cause = cause.getCause();
    }
    return false;
  }

  /** The EOT of this datum was written. */
  void answered(HandlerTask task) {
    service.counters().answered();
    releaseIfDone(task);
  }

  private void releaseIfDone(HandlerTask task) {
    if (task.isDone() && task.claimRelease()) {
      inFlight.remove(task);
      endIfDrained();
      service.released(task);
    }
  }

  private void onLoop(Runnable action) {
    try {
      service.loop().execute(action);
    } catch (RejectedExecutionException e) {
      log.debug("the transport has stopped before the handler did", e);
    }
  }

  // The end.

  private void writingFailed(Throwable cause) {
    failedItself(FailureKind.WRITE_FAILED, "responses can't be written", cause);
  }

  /** The end first: with a full heap the log may fail, too. */
  private void failedItself(FailureKind kind, String reason, Throwable cause) {
    try {
      end(Status.INTERNAL.withDescription(reason), null, reason);
    } finally {
      service.counters().failed(kind);
      log.error("{}, the stream ends", reason, cause);
    }
  }

  private void endIfDrained() {
    if (state == State.DRAINING && inFlight.isEmpty() && arrived == null) {
      String reason =
          statusWhenDrained.isOk() ? "the stream is complete" : "the server is stopping";
      end(statusWhenDrained, null, reason);
    }
  }

  private void end(Status status, @Nullable Metadata trailers, String reason) {
    if (state != State.ENDED) {
      leave();
      try {
        writer.end(status, trailers, reason);
      } finally {
        stopHandlers();
        recording.end(admitted, writer.written(), status.getCode(), reason);
        log.debug("stream ended: {}", reason);
      }
    }
  }

  private void leave() {
    state = State.ENDED;
    over = true;
    arrived = null;
    service.admission().forget(onRoom);
  }

  /** After the writer has closed, so that an interrupted handler finds its sink closed. */
  private void stopHandlers() {
    inFlight.forEach(task -> {
      if (task.hasLeft()) {
        releaseIfDone(task);
      } else {
        task.interrupt();
      }
    });
  }
}
