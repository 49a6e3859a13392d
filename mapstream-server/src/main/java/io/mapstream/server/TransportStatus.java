package io.mapstream.server;

import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * Gives a stream the reason why gRPC closed it. A service is notified only that its call was
 * cancelled, whether by the client or because gRPC refused a message. Belongs to the event loop.
 */
final class TransportStatus extends ServerStreamTracer {

  private static final Context.Key<TransportStatus> KEY = Context.key("mapstream-transport");

  private @Nullable Status closed;

  /** Creates one for each call, and puts it into the call's context. */
  static final class Factory extends ServerStreamTracer.Factory {
    @Override
    public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
      return new TransportStatus();
    }
  }

  /** Returns that of the call that is being opened; null if the server creates none. */
  static @Nullable TransportStatus current() {
    return KEY.get();
  }

  @Override
  public Context filterContext(Context context) {
    return context.withValue(KEY, this);
  }

  @Override
  public void streamClosed(Status status) {
    closed = status;
  }

  /**
   * Returns gRPC's description of a message above its limit; null if it closed for another reason.
   */
  @Nullable String messageAboveLimit() {
    return closed != null && closed.getCode() == Status.Code.RESOURCE_EXHAUSTED
        ? closed.getDescription()
        : null;
  }
}
