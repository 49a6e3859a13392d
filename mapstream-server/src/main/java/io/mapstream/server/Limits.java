package io.mapstream.server;

import java.util.function.IntUnaryOperator;

/**
 * What an engine keeps to. The server takes its limits from {@link #of}: they count bytes. A test
 * may count results in place of bytes, see {@link #countingResults}.
 *
 * @param datumsInWork datums in work at once, over all streams
 * @param requestBytes encoded requests in work at once, over all streams
 * @param pending the cost of the emitted results of one stream that wait to be written; {@code
 *     emit} blocks above it
 * @param pendingLeast what each stream has of {@code pending}, whatever other streams do
 * @param pendingShared what all streams together have beyond that: for the rest of {@code pending},
 *     and as much again for results that cost more than a stream's permits
 * @param resultCost what a result of so many encoded bytes takes of {@code pending}
 * @param messageSize bytes of one encoded request or response
 * @param mergedResults results that one response carries at most
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

  /** Heap that an emission takes besides its bytes, so that many tiny results count as well. */
  private static final int RESULT_OVERHEAD = 128;

  /** The limits of a server with these options in this heap. */
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

  /** The same, but {@code emit} blocks at another cost, and streams share nothing. */
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

  /** The same, but {@code emit} blocks while so many results wait, each in its own response. */
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

  /** Of a stream's permits, those that are given back together: each return may wake an emitter. */
  int returnedTogether(int ownPermits) {
    return mergedResults == 1 ? 1 : ownPermits / 8;
  }

  /** What running emitters may take before those that wait, after one that needed so much. */
  int bargingAfter(int needed) {
    return mergedResults == 1 ? 0 : Math.max(Tuning.LEAST_BARGING, needed);
  }

  private static int heapOf(int encodedBytes) {
    return (int) Math.min((long) encodedBytes + RESULT_OVERHEAD, Integer.MAX_VALUE);
  }

  /** What a result of so many encoded bytes costs while it waits. */
  int cost(int encodedBytes) {
    return resultCost.applyAsInt(encodedBytes);
  }
}
