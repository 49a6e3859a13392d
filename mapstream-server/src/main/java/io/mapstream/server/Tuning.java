package io.mapstream.server;

/** Sizes that were found by measuring (docs/adr), and that no user has to know. */
final class Tuning {

  /**
   * Bytes inside the transport from which on it is not ready: enough for a full socket write,
   * little enough that what can't be sent is coalesced and not queued.
   */
  static final int READY_THRESHOLD = 64 * 1024;

  /** Emitted results of one stream that wait to be written, before {@code emit} blocks. */
  static final int PENDING_BYTES = 1024 * 1024;

  private static final long LEAST_BYTES_IN_WORK = 1024 * 1024;

  private Tuning() {}

  /** Request bytes admitted at once: an eighth of the heap, since a handler works on them, too. */
  static long maxBytesInWork() {
    return Math.max(LEAST_BYTES_IN_WORK, Runtime.getRuntime().maxMemory() / 8);
  }
}
