package io.mapstream.server;

import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * Tells a stream why gRPC closed it. A service learns only that its call was cancelled, whether the
 * client did that or gRPC refused a message. Belongs to the event loop.
 */
final class TransportStatus extends ServerStreamTracer {

  private static final Context.Key<TransportStatus> KEY = Context.key("mapstream-transport");

  private @Nullable Status closed;

  /** Makes one for each call, to be found in the call's context. */
  static final class Factory extends ServerStreamTracer.Factory {
    @Override
    public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
      return new TransportStatus();
    }
  }

  /** That of the call that is being opened; null where the server makes none. */
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

  /** What gRPC says of a message above its own limit; null where that is not why it closed. */
  @Nullable String messageAboveLimit() {
    return closed != null && closed.getCode() == Status.Code.RESOURCE_EXHAUSTED
        ? closed.getDescription()
        : null;
  }
}
