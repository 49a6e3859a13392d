package io.mapstream.server;

/** Sizes in bytes, and times. They were found by measurements (docs/adr) and are not settings. */
final class Tuning {

  /**
   * How much is inside the transport when it stops being ready: enough for a full write to the
   * socket, and little enough that results that can't be sent yet are coalesced and not queued.
   */
  static final int READY_THRESHOLD = 32 * 1024;

  /**
   * HTTP/2's receive window. A fixed size bounds what the transport holds, and avoids the pings by
   * which gRPC would find its own size.
   */
  static final int RECEIVE_WINDOW = 4 * 1024 * 1024;

  /** How many requests one read of the socket takes, see {@link ReadSize}. */
  static final int REQUESTS_PER_READ = 48;

  static final int LEAST_READ = 4 * 1024;
  static final int LARGEST_READ = 256 * 1024;

  /**
   * How long a handler's start waits for datums that came with its own; checked when the next of
   * them has been read.
   */
  static final long LONGEST_GATHERING_NANOS = 100_000;

  /**
   * How long a started handler waits, while no other begins, before it counts as starved: longer
   * than a time slice of the system or a garbage collection.
   */
  static final long STARVED_NANOS = 20_000_000;

  /** How long after a check that found nothing a probe is started. */
  static final long PROBE_PAUSE_NANOS = 100_000_000;

  /** How much may wait in each stream, whatever others do: a merged response. */
  static final int LEAST_PENDING = 64 * 1024;

  /**
   * The least cost that running emitters of a stream may take before waiting ones, renewed each
   * time a waiting one gets its permits: some dozens of small results for each switch of threads.
   */
  static final int LEAST_BARGING = 8 * 1024;

  /**
   * How many bytes the datums of a stream may hold while their emit waits, before the stream
   * requests datums more slowly. The results that wait keep the transport busy meanwhile.
   */
  static final int MOST_HELD_BY_WAITING = 512 * 1024;

  private static final int MOST_PENDING = 4 * 1024 * 1024;
  private static final int LEAST_SHARED = 1024 * 1024;
  private static final long LEAST_IN_WORK = 1024 * 1024;
  private static final int MOST_RESERVE = 1024 * 1024;

  private Tuning() {}

  /**
   * Returns how much of a stream's emitted results may wait to be written before {@code emit}
   * blocks: enough for 20 small results of each of 500 datums, so that handlers seldom have to
   * park.
   */
  static int pendingBytes() {
    return Math.clamp(heap() / 16, 4 * LEAST_PENDING, MOST_PENDING);
  }

  /**
   * Returns how much of that all streams share, beyond {@link #LEAST_PENDING} each: twice what one
   * may take, as it gets half of what is free. It does not grow further with the heap, where many
   * stalled clients would otherwise hold results that are not read.
   */
  static int sharedPendingBytes() {
    return Math.clamp(heap() / 8, LEAST_SHARED, 2 * MOST_PENDING);
  }

  /** Returns how much memory of written results is kept: as much as one stream may need. */
  static int pooledBytes() {
    return pendingBytes();
  }

  /**
   * Returns the bytes of requests in work at once: an eighth of the heap, since handlers need
   * memory for them as well.
   */
  static long bytesInWork() {
    return Math.max(LEAST_IN_WORK, heap() / 8);
  }

  /** Returns what a stop may need when the heap is full: classes, log lines, stack traces. */
  static int reserveBytes() {
    return Math.clamp(heap() / 64, 0, MOST_RESERVE);
  }

  private static long heap() {
    return Runtime.getRuntime().maxMemory();
  }
}
