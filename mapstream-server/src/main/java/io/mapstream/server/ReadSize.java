package io.mapstream.server;

import io.grpc.netty.shaded.io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;
import io.grpc.netty.shaded.io.netty.channel.RecvByteBufAllocator;

/**
 * How much one read of the socket takes: some dozens of requests of the size that came last. Small
 * requests come in small reads, so that the event loop takes turns between reading and writing
 * results; large ones in few reads. It shrinks by half with each smaller request, so that requests
 * of mixed sizes are read as large ones.
 *
 * <p>Belongs to the event loop.
 */
@SuppressWarnings("deprecation") // Netty's own allocators extend it, and it has no successor.
final class ReadSize extends DefaultMaxMessagesRecvByteBufAllocator {

  private int bytes = Tuning.LEAST_READ;

  ReadSize() {
    // One read in a turn of the loop: if there is more, the next turn comes at once.
    super(1);
  }

  /** A request of this many encoded bytes has come. */
  void follow(int requestBytes) {
    long wanted = Math.max((long) requestBytes * Tuning.REQUESTS_PER_READ, bytes / 2);
    bytes = Math.clamp(wanted, Tuning.LEAST_READ, Tuning.LARGEST_READ);
  }

  @Override
  @SuppressWarnings("deprecation")
  public RecvByteBufAllocator.Handle newHandle() {
    return new MaxMessageHandle() {
      @Override
      public int guess() {
        return bytes;
      }
    };
  }
}
