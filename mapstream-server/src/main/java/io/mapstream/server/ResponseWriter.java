package io.mapstream.server;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.stub.CallStreamObserver;
import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * All that is written to the client of one stream: order, readiness, coalescing, one end.
 *
 * <h2>How a result gets out</h2>
 *
 * Handlers run on many threads, the observer takes one at a time. So the observer belongs to one
 * thread, the transport's event loop, and handlers pass their results to it without ever waiting
 * for each other:
 *
 * <ol>
 *   <li>{@code emit} reserves the result's cost, encodes it on the handler's thread, and pushes it
 *       on its datum's stack (one compare-and-set).
 *   <li>Whoever made a datum's stack non-empty pushes the datum on {@link #incoming}; whoever made
 *       that non-empty schedules {@link #drain} on the event loop. Everybody else has nothing more
 *       to do: the drain that is already due takes their results along.
 *   <li>The drain takes datums in the order in which they came, and of each datum what has gathered
 *       by now, in emission order: one response with many results, then the EOT where the handler
 *       has ended. It stops when the transport is no longer ready, and goes on at the next {@code
 *       onReady}.
 *   <li>When all of that is written, the drain reports to the {@link Listener} which datums were
 *       answered. Nothing else is called back, and nothing while it writes.
 * </ol>
 *
 * On an idle stream this writes each result at once (waking the event loop is what a direct write
 * would do, too); the busier the loop, the more results each response carries. There is no timer,
 * no batching delay and no thread of its own.
 *
 * <h2>What bounds it</h2>
 *
 * Results that were emitted and not yet written hold {@link #permits}. {@code emit} blocks its
 * virtual thread while there are none, and the drain gives them back. Emitters that wait get them
 * in the order of arrival; those that run may take a limited number before them. How many there are
 * is a matter of the {@link PendingBudget}, which all streams share. A result that needs a loan of
 * it waits until the transport is ready, and is copied only then. What has been written waits
 * inside the transport, which is ready only while that is less than the threshold given to it.
 *
 * <h2>Who may call what</h2>
 *
 * {@link #enqueue} and {@link #closedBecause} are safe from any thread; all else belongs to the
 * event loop. The first of {@link #end} and {@link #close} wins, the other has no effect.
 */
final class ResponseWriter {

  /** Results of one datum are merged up to this size; large enough to spare frames and wake-ups. */
  static final int MERGED_BYTES = 64 * 1024;

  private static final ServerLog log = ServerLog.of(ResponseWriter.class);

  /** Who is told of what the writer has done; on the event loop, and never while it writes. */
  interface Listener {

    /** The datum's EOT was written; called once per datum. */
    void answered(DatumSink datum);

    /**
     * The client's observer, or the listener, has thrown this. Results that were taken then are
     * gone without an EOT, so only an end of the stream lets the client send them again.
     */
    void writingFailed(Throwable cause);
  }

  private final CallStreamObserver<Response> client;
  private final Limits limits;
  private final Counters counters;
  private final Listener listener;
  private final PendingPermits permits;
  private final Runnable drain = this::drain;

  /** Datums that have become non-empty since the last drain, newest first. */
  private final AtomicReference<@Nullable DatumSink> incoming = new AtomicReference<>();

  // Event loop only.
  private final ArrayDeque<DatumSink> ready = new ArrayDeque<>();
  private final ArrayDeque<DatumSink> answered = new ArrayDeque<>();
  private long written;

  /**
   * A writer of an open stream.
   *
   * @param context its loop runs this writer; what is written and how long {@code emit} waits is
   *     counted there
   */
  ResponseWriter(CallStreamObserver<Response> client, StreamContext context, Listener listener) {
    this.client = client;
    this.limits = context.limits();
    this.counters = context.counters();
    this.listener = listener;
    this.permits = new PendingPermits(context, this::lendIfReady);
  }

  int maxMessageSize() {
    return limits.messageSize();
  }

  /** What results of this stream hold while they wait. */
  PendingPermits permits() {
    return permits;
  }

  /** Why nothing is accepted any more, or null while the stream is open. */
  @Nullable String closedBecause() {
    return permits.closedBecause();
  }

  /** Puts a datum that has something to write, and is not queued yet, in the queue. */
  void enqueue(DatumSink datum) {
    DatumSink before;
    do {
      before = incoming.get();
      datum.linkEnqueued(before);
    } while (!incoming.compareAndSet(before, datum));
    if (before == null) {
      permits.onLoop(drain);
    }
  }

  /** Writes what can be written now. Runs when something was enqueued, and when ready again. */
  void drain() {
    try {
      try {
        writeWhileReady();
      } finally {
        reportAnswered();
      }
    } catch (RuntimeException | Error e) {
      listener.writingFailed(e);
    }
  }

  private void writeWhileReady() {
    takeIncoming();
    while (closedBecause() == null && !ready.isEmpty() && client.isReady()) {
      DatumSink datum = ready.remove();
      write(datum);
      if (datum.isStillQueued()) {
        ready.add(datum);
      }
      if (ready.isEmpty()) {
        takeIncoming();
      }
    }
    permits.release(ready.isEmpty());
    lendIfReady();
  }

  /** Nothing is in the way of a large result that waits for a loan. */
  private void lendIfReady() {
    if (ready.isEmpty() && client.isReady()) {
      permits.lend();
    }
  }

  /** Moves the datums that came, oldest first, to the end of the ready queue. */
  private void takeIncoming() {
    DatumSink oldest = null;
    DatumSink datum = incoming.getAndSet(null);
    while (datum != null) {
      DatumSink before = datum.linkEnqueued(oldest);
      oldest = datum;
      datum = before;
    }
    while (oldest != null) {
      ready.add(oldest);
      oldest = oldest.linkEnqueued(null);
    }
  }

  /** May end the stream, or have a datum admitted: so it follows the writes. */
  private void reportAnswered() {
    for (DatumSink datum = answered.poll(); datum != null; datum = answered.poll()) {
      listener.answered(datum);
    }
  }

  /** Writes one response of this datum, and its EOT if that is all. */
  private void write(DatumSink datum) {
    Emission first = datum.peek();
    int count = 0;
    int bytes = 0;
    int limit = Math.min(MERGED_BYTES, limits.messageSize() - datum.idField().length);
    Emission emission = first;
    boolean ended = false;
    while (emission != null && !ended) {
      if (emission.hasResult()) {
        if (count == limits.mergedResults() || (count > 0 && bytes + emission.size() > limit)) {
          break;
        }
        count++;
        bytes += emission.size();
        permits.written(emission);
      }
      ended = emission.isLast();
      emission = emission.next();
    }
    datum.advanceTo(emission);
    if (count > 0) {
      client.onNext(new Response(first, count, bytes, datum.idField()));
      written += count;
      counters.wrote(count, bytes);
    }
    if (ended) {
      client.onNext(new Response(datum.eot()));
      answered.add(datum);
    }
  }

  /** Echoes the client's handshake. */
  void handshake() {
    client.onNext(new Response(WireMapping.HANDSHAKE_ECHO));
  }

  /** Results written so far. */
  long written() {
    return written;
  }

  /**
   * Ends the stream with a status. Results that still wait are dropped, and blocked emitters wake.
   *
   * @param status how the client sees the end
   * @param trailers the failure's details, or null
   * @param reason what a late {@code emit} is told
   */
  void end(Status status, @Nullable Metadata trailers, String reason) {
    if (!close(reason)) {
      return;
    }
    try {
      if (status.isOk()) {
        client.onCompleted();
      } else {
        client.onError(status.asRuntimeException(trailers));
      }
    } catch (IllegalStateException e) {
      // After an Error in a write, gRPC has ended the call itself.
      log.debug("the stream's status was not sent", e);
    }
  }

  /**
   * Closes the stream without a word to the client, which is gone.
   *
   * @return false if it was closed before
   */
  boolean close(String reason) {
    ready.clear();
    return permits.close(reason);
  }
}
