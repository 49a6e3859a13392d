package io.mapstream.server;

import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * Bounds the requests that streams hold and that are not admitted: partially received messages,
 * which wait inside gRPC, and datums that wait for capacity. If several streams together hold more
 * than the limit, the one that exceeds it is notified. A stream that is alone may hold a message of
 * any size.
 *
 * <p>It has to be set by {@code ServerBuilder.addStreamTracerFactory}. Belongs to the event loop.
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

  /** Returns what the call that is being opened holds; null if the server has no such budget. */
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

    /**
     * Sets what runs when the limit is exceeded: once, on the event loop; must not close the call
     * at once.
     */
    void onExceeded(Runnable action) {
      onExceeded = action;
    }

    /** Called when a part of a message has been read. */
    @Override
    public void inboundWireSize(long bytes) {
      partial += bytes;
      add(bytes);
    }

    /** Called when a message is complete. */
    @Override
    public void inboundMessageRead(int number, long wireSize, long uncompressedSize) {
      total -= partial;
      partial = 0;
    }

    /** Called when a datum of this size waits for capacity, or with 0 when it no longer does. */
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
