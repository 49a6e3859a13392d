package io.mapstream.server;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.mapstream.proto.Printable;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.IntConsumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.Level;

/**
 * One {@code MapFn} stream, from its handshake to its end. All of this runs on the event loop,
 * except reports from handler threads, which are passed on to the loop.
 */
final class MapStream implements StreamObserver<Request>, ResponseWriter.Listener {

  /** The state of a stream, which only ever moves down this list. */
  enum State {
    /** Only a handshake is accepted. */
    AWAITING_HANDSHAKE,
    /** Datums are admitted while there is capacity, and more slowly while many handlers wait. */
    OPEN,
    /** No further datum is accepted; the stream ends when the last one in work is answered. */
    DRAINING,
    /** The end was sent, or the client is gone. Nothing that handlers still emit is sent. */
    ENDED
  }

  private static final ServerLog log = ServerLog.of(MapStream.class);

  private final StreamContext context;
  private final StreamRegistry registry;
  private final ServerCallStreamObserver<Response> client;
  private final ResponseWriter writer;
  private final InFlight inFlight;
  private final Runnable onFewWaiting = this::awaitCapacity;
  private final Runnable onCapacity = this::admitOrRequest;
  private final StreamRecording recording = new StreamRecording();
  private final @Nullable TransportStatus transport = TransportStatus.current();
  private final InboundBudget.@Nullable Held inbound = InboundBudget.current();

  private long admitted;
  private boolean hasWarnedOfEventTime;

  private State state = State.AWAITING_HANDSHAKE;
  private Status statusWhenDrained = Status.OK;

  /**
   * A datum that was requested while there was capacity, and arrived after another stream had taken
   * it. It waits until there is capacity again, and no further datum is requested meanwhile.
   */
  private Request.@Nullable Data arrived;

  /** Whether the state is ENDED; for handler threads. */
  private volatile boolean ended;

  MapStream(
      StreamContext context, StreamRegistry registry, ServerCallStreamObserver<Response> client) {
    this.context = context;
    this.registry = registry;
    this.client = client;
    this.writer = new ResponseWriter(client, context, this);
    this.inFlight = new InFlight(context.admission());
    client.disableAutoRequest();
    client.setOnReadyThreshold(context.limits().readyThreshold());
    client.setOnReadyHandler(writer::drain);
    client.setOnCancelHandler(this::cancelled);
    // Also called when gRPC itself has closed the call: after an Error while reading or sending a
    // message.
    client.setOnCloseHandler(() -> clientGone("gRPC closed the stream"));
    if (inbound != null) {
      inbound.onExceeded(() -> onLoop(this::inboundExceeded));
    }
    client.request(1);
  }

  // Events from the client.

  @Override
  public void onNext(Request request) {
    switch (state) {
      case AWAITING_HANDSHAKE -> shakeHands(request);
      case OPEN -> accept(request);
      // Requested before the end was known. It gets no EOT, so the client sends it again.
      case DRAINING, ENDED -> log.trace("not accepted, will be sent again: {}", describe(request));
    }
  }

  private void shakeHands(Request request) {
    if (request instanceof Request.Handshake handshake && handshake.sot()) {
      state = State.OPEN;
      writer.handshake();
      client.request(1);
    } else {
      String reason =
          "the first message must be a handshake with sot = true; received: " + describe(request);
      refuse(
          request instanceof Request.Refused refused
              ? new Request.Refused(refused.kind(), reason)
              : new Request.Refused(reason));
    }
  }

  private void accept(Request request) {
    if (request instanceof Request.Data data) {
      if (!data.hasEventTime()) {
        warnOfEventTime(data);
      }
      hold(data);
      context.onRequestSize().accept(data.size());
      context.admission().whenCapacity(onCapacity);
    } else {
      refuse(
          request instanceof Request.Refused refused
              ? refused
              : new Request.Refused("a second handshake on the same stream: " + describe(request)));
    }
  }

  /** Warns once per stream: a client that omits the event time omits it from all datums. */
  private void warnOfEventTime(Request.Data data) {
    if (!hasWarnedOfEventTime) {
      hasWarnedOfEventTime = true;
      log.counted(
          Level.WARN,
          "datum \"{}\" has no event time; it is treated as unknown (-1 ms), as in all further"
              + " datums of this stream",
          shortened(data.id()));
    }
  }

  /**
   * Called when there is capacity for a datum: admits the one that has arrived, or requests one.
   */
  @SuppressWarnings("CatchingUnchecked")
  private void admitOrRequest() {
    Request.Data data = arrived;
    if (data == null) {
      requestNext();
      return;
    }
    hold(null);
    HandlerTask task = null;
    try {
      task = new HandlerTask(context, this, writer, data);
      inFlight.add(task);
      admitted++;
      context.counters().admitted(data.size());
      context.start(task);
    } catch (Throwable t) {
      // Out of memory: the datum is lost, and is sent again only if the stream ends.
      if (task != null) {
        task.giveUp();
      }
      failedItself(FailureKind.ADMISSION_FAILED, "a datum can't be admitted", t);
    }
    writer.permits().whenFewWait(onFewWaiting);
  }

  /** Another stream may run this, which must not fail with this one. */
  private void requestNext() {
    try {
      client.request(1);
    } catch (RuntimeException | Error e) {
      failedItself(FailureKind.ADMISSION_FAILED, "a datum can't be requested", e);
    }
  }

  /** Called when handlers that wait permit it, see {@link PendingPermits#whenFewWait}. */
  private void awaitCapacity() {
    if (state == State.OPEN) {
      try {
        context.admission().whenCapacity(onCapacity);
      } catch (RuntimeException | Error e) {
        failedItself(FailureKind.ADMISSION_FAILED, "a datum can't be requested", e);
      }
    }
  }

  private void hold(Request.@Nullable Data data) {
    arrived = data;
    if (inbound != null) {
      inbound.datumWaits(data == null ? 0 : data.size());
    }
  }

  private void inboundExceeded() {
    if (state != State.ENDED) {
      String reason =
          "requests that are not admitted hold more than the limit of "
              + context.inbound().limit()
              + " bytes over all streams; open fewer streams or give the JVM more heap";
      context.failures().requestRefused(FailureKind.REQUEST_REFUSED, reason);
      end(Status.RESOURCE_EXHAUSTED.withDescription(reason), null, reason);
    }
  }

  private static String describe(Request request) {
    return switch (request) {
      case Request.Handshake handshake -> "a handshake with sot = " + handshake.sot();
      case Request.Data data -> "a datum with id \"" + Printable.text(data.id()) + "\"";
      case Request.Refused refused -> refused.reason();
    };
  }

  private void refuse(Request.Refused refused) {
    String reason = shortened(refused.reason());
    Status status = context.failures().requestRefused(refused.kind(), reason);
    end(status.withDescription(reason), null, reason);
  }

  /** Shortens text from the client for a log line or a status. */
  private static String shortened(String text) {
    return HandlerFailure.beginning(Printable.text(text), HandlerFailure.SENT_MESSAGE);
  }

  /** The client has half-closed: open datums are finished, then the stream ends with OK. */
  @Override
  public void onCompleted() {
    drain(Status.OK);
  }

  @Override
  public void onError(Throwable t) {
    clientGone("the client's side of the stream failed: " + t.getMessage());
  }

  /** The client cancelled, or gRPC did because a message exceeds gRPC's own limit. */
  private void cancelled() {
    String tooLarge = transport == null ? null : transport.messageAboveLimit();
    if (tooLarge == null) {
      clientGone("the client cancelled the stream or disconnected");
      return;
    }
    String reason =
        "a request is above the limit of "
            + context.limits().messageSize()
            + " bytes (maxMessageSize): "
            + tooLarge;
    gone(
        Status.Code.RESOURCE_EXHAUSTED,
        reason,
        inWork -> context.failures().requestRefused(FailureKind.REQUEST_TOO_LARGE, reason));
  }

  private void clientGone(String reason) {
    gone(Status.Code.CANCELLED, reason, inWork -> context.failures().clientGone(inWork, reason));
  }

  /** Ends the stream when nothing can be sent any more. */
  private void gone(Status.Code code, String reason, IntConsumer report) {
    if (state != State.ENDED) {
      int inWork = inFlight.size();
      becomeEnded();
      writer.close(reason);
      stopHandlers();
      recording.end(admitted, writer.written(), code, reason);
      report.accept(inWork);
    }
    registry.closed(this);
  }

  // Requests from the server.

  /**
   * Stops accepting datums, and ends with {@code status} when the last one in work is answered. A
   * client that has half-closed has then been answered in full, and receives OK. Any other client
   * may have sent datums that were not accepted; it receives another status, and keeps these to
   * send again.
   */
  void drain(Status status) {
    if (state == State.AWAITING_HANDSHAKE || state == State.OPEN) {
      state = State.DRAINING;
      statusWhenDrained = status;
      if (!status.isOk() || arrived == null) {
        // A datum that has arrived and was not admitted is sent again by the client, if there is
        // one.
        hold(null);
        context.admission().forget(onCapacity);
      }
      endIfDrained();
    }
  }

  /** Ends the stream at once, and interrupts its running handlers. */
  void abort(Status status) {
    end(status, null, String.valueOf(status.getDescription()));
  }

  /** Returns whether datums of this stream are in work. */
  boolean hasHandlers() {
    return !inFlight.isEmpty();
  }

  /** Returns whether a handler of this stream matches. */
  boolean anyHandler(Predicate<HandlerTask> matches) {
    boolean[] found = {false};
    inFlight.forEach(task -> found[0] |= matches.test(task));
    return found[0];
  }

  // Events from handlers.

  /**
   * Returns whether the stream has ended, so that nothing that handlers emit is sent. Any thread.
   */
  boolean isEnded() {
    return ended;
  }

  /** Called when a handler has returned and no EOT follows that would report this. Any thread. */
  void handlerReturned(HandlerTask task) {
    onLoop(() -> releaseIfDone(task));
  }

  /** Called when a handler's failure ends the stream and stops the server. Any thread. */
  void endAfter(HandlerTask task, HandlerFailure failure, StatusRuntimeException status) {
    onLoop(() -> {
      try {
        context.failures().endStream(this, failure, status);
      } finally {
        releaseIfDone(task);
      }
    });
  }

  private void onLoop(Runnable action) {
    try {
      context.loop().execute(action);
    } catch (RejectedExecutionException e) {
      log.debug("the transport stopped before the handler did", e);
    }
  }

  // Events from the writer.

  @Override
  public void answered(DatumSink datum) {
    context.counters().answered();
    releaseIfDone(inFlight.answered(datum.entry()));
  }

  @Override
  public void writingFailed(Throwable cause) {
    failedItself(FailureKind.WRITE_FAILED, "responses can't be written", cause);
  }

  private void releaseIfDone(HandlerTask task) {
    if (inFlight.releaseIfDone(task, ended)) {
      endIfDrained();
      context.released(task);
      registry.datumReleased(this);
    }
  }

  // The end.

  /** Ends the stream first: with a full heap, logging may fail as well. */
  private void failedItself(FailureKind kind, String reason, Throwable cause) {
    try {
      end(Status.INTERNAL.withDescription(reason), null, reason);
    } catch (Error e) {
      context.failures().lost();
      throw e;
    } finally {
      context.failures().streamFailed(kind, reason, cause);
    }
  }

  private void endIfDrained() {
    if (state == State.DRAINING && inFlight.isEmpty() && arrived == null) {
      String reason =
          statusWhenDrained.isOk() ? "the stream is complete" : "the server is stopping";
      end(statusWhenDrained, null, reason);
    }
  }

  /** Ends the stream for the client, then for its handlers. Event loop only. */
  void end(Status status, @Nullable Metadata trailers, String reason) {
    if (state != State.ENDED) {
      becomeEnded();
      try {
        writer.end(status, trailers, reason);
      } catch (Error e) {
        // The client would wait for an end that is never sent.
        context.failures().lost();
        throw e;
      } finally {
        stopHandlers();
        recording.end(admitted, writer.written(), status.getCode(), reason);
        log.debug("stream ended: {}", reason);
      }
    }
  }

  private void becomeEnded() {
    state = State.ENDED;
    ended = true;
    hold(null);
    context.admission().forget(onCapacity);
  }

  /** Called after the writer has closed, so that an interrupted handler finds its sink closed. */
  private void stopHandlers() {
    inFlight.forEach(task -> {
      if (task.hasReturned()) {
        releaseIfDone(task);
      } else {
        task.interrupt();
      }
    });
  }
}
