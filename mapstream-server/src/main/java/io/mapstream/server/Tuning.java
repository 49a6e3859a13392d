package io.mapstream.server;

/** Sizes in bytes, and a time. They were found by measuring (docs/adr) and are not settings. */
final class Tuning {

  /**
   * What is inside the transport when it stops being ready: enough for a full write to the socket,
   * little enough that what can't be sent yet is coalesced and not queued.
   */
  static final int READY_THRESHOLD = 32 * 1024;

  /**
   * HTTP/2's receive window. A fixed one bounds what the transport holds, and spares the pings by
   * which gRPC would find a size of its own.
   */
  static final int RECEIVE_WINDOW = 4 * 1024 * 1024;

  /** How much one read of the socket takes, see {@link ReadSize}. */
  static final int REQUESTS_PER_READ = 48;

  static final int LEAST_READ = 4 * 1024;
  static final int LARGEST_READ = 256 * 1024;

  /**
   * How long a handler's start waits for datums that came with its own; asked when the next of them
   * has been read.
   */
  static final long LONGEST_GATHERING_NANOS = 100_000;

  /**
   * How long a started handler waits, while no other begins, before it counts as starved: longer
   * than a time slice of the system or a collection of garbage takes.
   */
  static final long STARVED_NANOS = 20_000_000;

  /** How long after a check that found nothing a probe is started. */
  static final long PROBE_PAUSE_NANOS = 100_000_000;

  /** What each stream may have waiting, whatever others do: a merged response. */
  static final int LEAST_PENDING = 64 * 1024;

  /**
   * What running emitters of a stream may take before those that wait, each time one of these has
   * got its permits: some dozens of small results for each switch of threads.
   */
  static final int LEAST_BARGING = 8 * 1024;

  private static final int MOST_PENDING = 4 * 1024 * 1024;
  private static final int LEAST_SHARED = 1024 * 1024;
  private static final long LEAST_IN_WORK = 1024 * 1024;
  private static final int MOST_RESERVE = 1024 * 1024;

  private Tuning() {}

  /**
   * Emitted results of one stream that wait to be written, before {@code emit} blocks: enough for
   * 20 small results of each of 500 datums, so that handlers seldom have to park.
   */
  static int pendingBytes() {
    return Math.clamp(heap() / 16, 4 * LEAST_PENDING, MOST_PENDING);
  }

  /**
   * What streams have of that together, beyond {@link #LEAST_PENDING} each: twice what one may
   * take, as it gets half of what is free. No more in a large heap, where many stalled clients
   * would otherwise hold what nobody reads.
   */
  static int sharedPendingBytes() {
    return Math.clamp(heap() / 8, LEAST_SHARED, 2 * MOST_PENDING);
  }

  /** Request bytes admitted at once: an eighth of the heap, since handlers work on them, too. */
  static long bytesInWork() {
    return Math.max(LEAST_IN_WORK, heap() / 8);
  }

  /** What a stop may need of a heap that is full: classes, lines of the log, traces of stacks. */
  static int reserveBytes() {
    return Math.clamp(heap() / 64, 0, MOST_RESERVE);
  }

  private static long heap() {
    return Runtime.getRuntime().maxMemory();
  }
}
