package io.mapstream.server;

import static io.mapstream.server.ModelChecker.check;

import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import java.util.ArrayDeque;

/**
 * One {@code MapFn} call whose transport and client are fakes: a request is delivered when one was
 * asked for, a half-close after all requests, and the end of the call is reported in a later task
 * of the loop. At each call into it, other threads may run. Used only on the loop.
 */
final class FakeCall extends ServerCall<Request, Response> {

  final Transcript transcript = new Transcript();

  private final StepScheduler scheduler;
  private final Listener<Request> listener;
  private final ArrayDeque<Request> sent = new ArrayDeque<>();
  private int requested;
  private boolean delivering;
  private boolean halfClosed;
  private Status status;
  private boolean cancelled;

  @SuppressWarnings("unchecked")
  FakeCall(ServerServiceDefinition service, StepScheduler scheduler) {
    this.scheduler = scheduler;
    var method = service.getMethod("map.v1.Map/MapFn");
    listener =
        ((io.grpc.ServerMethodDefinition<Request, Response>) method)
            .getServerCallHandler()
            .startCall(this, new Metadata());
    send(new Request.Handshake(true));
  }

  // What the client does.

  void send(Request request) {
    sent.add(request);
    deliver();
  }

  void halfClose() {
    halfClosed = true;
    deliver();
  }

  /** A broken connection has the same effect. */
  void cancel() {
    if (status == null) {
      cancelled = true;
      listener.onCancel();
    }
  }

  private void deliver() {
    if (delivering || cancelled || status != null) {
      return;
    }
    delivering = true;
    while (requested > 0 && !sent.isEmpty()) {
      requested--;
      listener.onMessage(sent.remove());
    }
    delivering = false;
    if (halfClosed && sent.isEmpty()) {
      halfClosed = false;
      listener.onHalfClose();
    }
  }

  /** How the call ended for the client; null while it is open, and if the client cancelled it. */
  Status status() {
    return status;
  }

  boolean hasEnded() {
    return cancelled || status != null;
  }

  // What the server does.

  @Override
  public void request(int count) {
    check(!hasEnded(), "a request was asked for after the end");
    requested += count;
    deliver();
  }

  @Override
  public void sendMessage(Response response) {
    scheduler.point("writes");
    check(!hasEnded(), "written after the end");
    transcript.add(response);
  }

  @Override
  public void close(Status status, Metadata trailers) {
    scheduler.point("closes");
    check(!hasEnded(), "a second end");
    this.status = status;
    scheduler.execute(listener::onComplete);
  }

  @Override
  public boolean isReady() {
    return !hasEnded();
  }

  @Override
  public boolean isCancelled() {
    return cancelled;
  }

  @Override
  public void sendHeaders(Metadata headers) {}

  @Override
  public void setOnReadyThreshold(int bytes) {}

  @Override
  public MethodDescriptor<Request, Response> getMethodDescriptor() {
    throw new UnsupportedOperationException();
  }
}
