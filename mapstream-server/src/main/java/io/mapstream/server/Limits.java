package io.mapstream.server;

import java.util.function.IntUnaryOperator;

/**
 * The limits of an engine. Those of a server come from {@link #of} and count bytes. A test may
 * count results instead of bytes, see {@link #countingResults}.
 *
 * @param datumsInWork datums in work at once, over all streams
 * @param requestBytes encoded requests in work at once, over all streams
 * @param pending the cost of the emitted results of one stream that wait to be written; {@code
 *     emit} blocks above it
 * @param pendingLeast what each stream has of {@code pending}, whatever other streams do
 * @param pendingShared what all streams share beyond that: for the rest of {@code pending}, and as
 *     much again for results that cost more than a stream's permits
 * @param resultCost what a result of a given number of encoded bytes takes of {@code pending}
 * @param messageSize bytes of one encoded request or response
 * @param mergedResults the most results that one response carries
 * @param readyThreshold bytes inside the transport at which it is no longer ready
 */
record Limits(
    int datumsInWork,
    long requestBytes,
    int pending,
    int pendingLeast,
    int pendingShared,
    IntUnaryOperator resultCost,
    int messageSize,
    int mergedResults,
    int readyThreshold) {

  /**
   * Heap that an emission takes in addition to its bytes, so that many tiny results count as well.
   */
  private static final int RESULT_OVERHEAD = 128;

  /** Returns the limits of a server with these options in this heap. */
  static Limits of(ServerOptions options) {
    return new Limits(
        options.maxConcurrency(),
        Tuning.bytesInWork(),
        Tuning.pendingBytes(),
        Tuning.LEAST_PENDING,
        Tuning.sharedPendingBytes(),
        Limits::heapOf,
        options.maxMessageSize(),
        Integer.MAX_VALUE,
        Tuning.READY_THRESHOLD);
  }

  /**
   * Returns the same limits, but {@code emit} blocks at another cost, and streams share nothing.
   */
  Limits withPending(int cost) {
    return new Limits(
        datumsInWork,
        requestBytes,
        cost,
        cost,
        0,
        resultCost,
        messageSize,
        mergedResults,
        readyThreshold);
  }

  /**
   * Returns the same limits, but {@code emit} blocks while this many results wait, each in its own
   * response.
   */
  Limits countingResults(int results) {
    return new Limits(
        datumsInWork,
        requestBytes,
        results,
        results,
        0,
        bytes -> 1,
        messageSize,
        1,
        readyThreshold);
  }

  /**
   * Returns how many of a stream's permits are given back together, since each time may wake an
   * emitter.
   */
  int returnedTogether(int ownPermits) {
    return countsResults() ? 1 : ownPermits / 8;
  }

  /**
   * Returns the cost that running emitters may take before waiting ones, after a waiting one has
   * got the given number of permits: as much again, or the least. None where results are counted,
   * since tests rely on the order.
   */
  int bargingAfter(int needed) {
    return countsResults() ? 0 : Math.max(Tuning.LEAST_BARGING, needed);
  }

  /**
   * Returns the limit for datums of a stream whose {@code emit} waits: while they hold as many
   * bytes, the stream requests datums more slowly. There is no limit where results are counted,
   * since tests decide there which datums wait.
   */
  long heldByWaiting() {
    return countsResults()
        ? Long.MAX_VALUE
        : Math.clamp(requestBytes / 8, 1, Tuning.MOST_HELD_BY_WAITING);
  }

  /** Returns how much a datum counts there, so that a few large ones don't reach the limit. */
  long countedAsHeld(long datumSize) {
    return Math.min(datumSize, Math.ceilDiv(heldByWaiting(), 8));
  }

  /** Returns whether permits count results, see {@link #countingResults}, and not bytes. */
  private boolean countsResults() {
    return mergedResults == 1;
  }

  private static int heapOf(int encodedBytes) {
    return (int) Math.min((long) encodedBytes + RESULT_OVERHEAD, Integer.MAX_VALUE);
  }

  /** Returns what a result of this many encoded bytes costs while it waits. */
  int cost(int encodedBytes) {
    return resultCost.applyAsInt(encodedBytes);
  }
}
