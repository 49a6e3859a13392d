package io.mapstream.server;

import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * Bounds what streams hold of requests that are not admitted: messages of which a part has come,
 * which wait inside gRPC, and datums that wait for capacity. Where several streams hold more than
 * the limit together, the one that goes above it is told so. A stream that is alone may hold a
 * message of any size.
 *
 * <p>A server has to be told of it by {@code ServerBuilder.addStreamTracerFactory}. Belongs to the
 * event loop.
 */
final class InboundBudget extends ServerStreamTracer.Factory {

  private static final Context.Key<Held> HELD = Context.key("mapstream-inbound");

  private final long limit;
  private long total;

  InboundBudget(long limit) {
    this.limit = limit;
  }

  long limit() {
    return limit;
  }

  @Override
  public ServerStreamTracer newServerStreamTracer(String fullMethodName, Metadata headers) {
    return new Held();
  }

  /** What the call that is being opened holds; null where the server was not told of any budget. */
  static @Nullable Held current() {
    return HELD.get();
  }

  /** What one call holds. */
  final class Held extends ServerStreamTracer {

    private long partial;
    private long waiting;
    private boolean closed;
    private Runnable onExceeded = () -> {};

    @Override
    public Context filterContext(Context context) {
      return context.withValue(HELD, this);
    }

    /** Told once, on the event loop; must not close the call at once. */
    void onExceeded(Runnable action) {
      onExceeded = action;
    }

    /** A part of a message has been read. */
    @Override
    public void inboundWireSize(long bytes) {
      partial += bytes;
      add(bytes);
    }

    /** A message is complete. */
    @Override
    public void inboundMessageRead(int number, long wireSize, long uncompressedSize) {
      total -= partial;
      partial = 0;
    }

    /** A datum waits for capacity, or no longer; then it has no bytes. */
    void datumWaits(long bytes) {
      long more = bytes - waiting;
      waiting = bytes;
      add(more);
    }

    @Override
    public void streamClosed(Status status) {
      if (!closed) {
        closed = true;
        total -= partial + waiting;
        partial = 0;
        waiting = 0;
      }
    }

    private void add(long bytes) {
      if (closed) {
        partial = 0;
        waiting = 0;
        return;
      }
      total += bytes;
      if (bytes > 0 && total > limit && total > partial + waiting) {
        Runnable action = onExceeded;
        onExceeded = () -> {};
        action.run();
      }
    }
  }
}
