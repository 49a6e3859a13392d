package io.mapstream.server;

import io.grpc.netty.shaded.io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;
import io.grpc.netty.shaded.io.netty.channel.RecvByteBufAllocator;

/**
 * How much one read of the socket takes: some dozens of requests of the latest size. Small requests
 * are read in small reads, so that the event loop alternates between reading and writing results;
 * large ones in few reads. The size shrinks at most by half with each smaller request, so that
 * requests of mixed sizes are read as large ones.
 *
 * <p>Belongs to the event loop.
 */
@SuppressWarnings("deprecation") // Netty's own allocators extend it, and it has no successor.
final class ReadSize extends DefaultMaxMessagesRecvByteBufAllocator {

  private int bytes = Tuning.LEAST_READ;

  ReadSize() {
    // One read per turn of the loop: if there is more, the next turn follows at once.
    super(1);
  }

  /** Adapts to a request of this many encoded bytes. */
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
