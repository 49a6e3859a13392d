package io.mapstream.server;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Memory for large results, which is reused once they are written. A result may wait for the client
 * so long that the garbage collector would move its bytes to the old generation, and a small heap
 * would be full of such garbage.
 *
 * <p>All segments have the same size, so that each fits every result. What does not fill a segment
 * has an array of its own, so that a result takes no more memory than its size. The memory of a
 * result that is never written is left to the garbage collector.
 *
 * <p>Lock-free, and safe from any thread. Only the event loop gives back, so the limit is exact.
 */
final class SegmentPool {

  /** The size of a segment in bytes. The garbage of smaller results is cheap to collect. */
  static final int SEGMENT = 16 * 1024;

  private final int most;

  /** The one that was used last comes first, since the processor's cache may still hold it. */
  private final ConcurrentLinkedDeque<byte[]> free = new ConcurrentLinkedDeque<>();

  private final AtomicInteger freeCount = new AtomicInteger();

  /**
   * Creates an empty pool.
   *
   * @param mostBytes how much it keeps while it is not in use
   */
  SegmentPool(int mostBytes) {
    this.most = mostBytes / SEGMENT;
  }

  /** Returns memory for a result of the given number of bytes. */
  Segments take(int size) {
    byte[][] arrays = new byte[Math.ceilDiv(size, SEGMENT)][];
    for (int i = 0; i < size / SEGMENT; i++) {
      arrays[i] = take();
    }
    if (size % SEGMENT > 0) {
      arrays[arrays.length - 1] = new byte[size % SEGMENT];
    }
    return new Segments(this, arrays, size);
  }

  private byte[] take() {
    byte[] segment = free.pollFirst();
    if (segment == null) {
      return new byte[SEGMENT];
    }
    freeCount.getAndDecrement();
    return segment;
  }

  private void giveBack(byte[] segment) {
    if (freeCount.get() < most) {
      free.addFirst(segment);
      freeCount.getAndIncrement();
    }
  }

  /** The bytes of one result: filled by one thread, and then written once. */
  static final class Segments extends OutputStream {

    private final SegmentPool pool;
    private final byte[][] arrays;
    private final int size;
    private int filled;
    private boolean written;

    private Segments(SegmentPool pool, byte[][] arrays, int size) {
      this.pool = pool;
      this.arrays = arrays;
      this.size = size;
    }

    int size() {
      return size;
    }

    @Override
    public void write(int value) {
      arrays[filled / SEGMENT][filled % SEGMENT] = (byte) value;
      filled++;
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      Objects.checkFromIndexSize(filled, length, size);
      int from = offset;
      int end = offset + length;
      while (from < end) {
        byte[] array = arrays[filled / SEGMENT];
        int at = filled % SEGMENT;
        int part = Math.min(end - from, array.length - at);
        System.arraycopy(bytes, from, array, at, part);
        from += part;
        filled += part;
      }
    }

    void checkFull() {
      if (filled < size) {
        throw new IllegalStateException("a result of %d bytes has only %d".formatted(size, filled));
      }
    }

    /** Writes the result, once. The segments are the pool's again after that. */
    void writeTo(OutputStream out) throws IOException {
      if (written) {
        throw new IllegalStateException("the result was written before");
      }
      written = true;
      for (byte[] array : arrays) {
        out.write(array, 0, array.length);
        if (array.length == SEGMENT) {
          pool.giveBack(array);
        }
      }
    }
  }
}
