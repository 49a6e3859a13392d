package io.mapstream.server;

import java.util.ArrayDeque;

/**
 * Bounds the work in progress over all streams, by a number of datums and a number of bytes. While
 * there is no capacity, nothing is requested, and HTTP/2 flow control keeps the rest in the client.
 * A datum larger than the whole budget is admitted alone.
 *
 * <p>Belongs to the event loop.
 */
final class Admission {

  private final int maxDatums;
  private final long maxBytes;
  private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
  private int datums;
  private long bytes;

  Admission(int maxDatums, long maxBytes) {
    this.maxDatums = maxDatums;
    this.maxBytes = maxBytes;
  }

  void admit(long size) {
    datums++;
    bytes += size;
  }

  /**
   * Runs {@code request} once: now if there is capacity for another datum, otherwise later, in the
   * order of the calls.
   */
  void whenCapacity(Runnable request) {
    if (hasCapacity()) {
      request.run();
    } else {
      waiting.add(request);
    }
  }

  /** Forgets the request of a stream that has ended. */
  void forget(Runnable request) {
    waiting.remove(request);
  }

  void release(long size) {
    datums--;
    bytes -= size;
    runWaiting();
  }

  /** Runs waiting requests; one that fails does not affect those behind it. */
  private void runWaiting() {
    Throwable failed = null;
    while (hasCapacity() && !waiting.isEmpty()) {
      try {
        waiting.remove().run();
      } catch (RuntimeException | Error e) {
        failed = e;
      }
    }
    if (failed instanceof RuntimeException e) {
      throw e;
    } else if (failed instanceof Error e) {
      throw e;
    }
  }

  int datums() {
    return datums;
  }

  private boolean hasCapacity() {
    return datums < maxDatums && bytes < maxBytes;
  }
}
