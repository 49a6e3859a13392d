package io.mapstream.server;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.stub.CallStreamObserver;
import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Writes everything to the client of one stream: in order, when it is ready, coalesced, and with
 * one end.
 *
 * <h2>How a result is written</h2>
 *
 * Handlers run on many threads, but the observer allows one at a time. It therefore belongs to one
 * thread, the transport's event loop, and handlers pass their results to it without ever waiting
 * for each other:
 *
 * <ol>
 *   <li>{@code emit} reserves the result's cost, encodes it on the handler's thread, and pushes it
 *       on its datum's stack (one compare-and-set).
 *   <li>The thread that made a datum's stack non-empty pushes the datum on {@link #incoming}; the
 *       thread that made that non-empty schedules {@link #drain} on the event loop. Other threads
 *       have nothing more to do: the scheduled drain also writes their results.
 *   <li>The drain takes datums in the order in which they came, and from each datum all results so
 *       far, in emission order: one response with many results, then the EOT if the handler has
 *       ended. It stops when the transport is no longer ready, and continues at the next {@code
 *       onReady}.
 *   <li>When all of that is written, the drain reports to the {@link Listener} which datums were
 *       answered. Apart from failures, nothing else is called back, and nothing while it writes.
 * </ol>
 *
 * On an idle stream this writes each result at once (a direct write would also wake the event
 * loop); the busier the loop, the more results each response carries. There is no timer, no
 * batching delay and no separate thread.
 *
 * <h2>Bounds</h2>
 *
 * Results that were emitted and not yet written hold {@link #permits}. {@code emit} blocks its
 * virtual thread while there are none, and the drain returns them. Waiting emitters get them in the
 * order of arrival; running ones may take a limited number first. How many permits there are
 * depends on the {@link PendingBudget}, which all streams share. A result that needs a loan from it
 * waits until the transport is ready, and is copied only then. Written results wait inside the
 * transport, which is ready only while they are below its threshold.
 *
 * <h2>Threads</h2>
 *
 * {@link #enqueue}, {@link #closedBecause}, {@link #permits} and {@link #maxMessageSize} are safe
 * from any thread; everything else belongs to the event loop. The first of {@link #end} and {@link
 * #close} wins, the other has no effect.
 */
final class ResponseWriter {

  /**
   * Results of one datum are merged up to this size, which is large enough to save frames and
   * wake-ups.
   */
  static final int MERGED_BYTES = 64 * 1024;

  private static final ServerLog log = ServerLog.of(ResponseWriter.class);

  /** Is notified of what the writer has done, on the event loop and never while it writes. */
  interface Listener {

    /** The datum's EOT was written; called once per datum. */
    void answered(DatumSink datum);

    /**
     * The client's observer, or the listener, has thrown. Results that were taken are lost without
     * an EOT, so the stream has to end for the client to send their datums again.
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
   * Creates the writer of an open stream.
   *
   * @param context its loop runs this writer; its counters count what is written and how long
   *     {@code emit} waits
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

  /** Returns the permits that results of this stream hold while they wait. */
  PendingPermits permits() {
    return permits;
  }

  /** Returns why nothing is accepted any more, or null while the stream is open. */
  @Nullable String closedBecause() {
    return permits.closedBecause();
  }

  /** Enqueues a datum that has something to write and is not queued yet. */
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

  /**
   * Writes what can be written now. Runs when something was enqueued, and when the transport is
   * ready again.
   */
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

  /** Lends to a large result that waits for a loan, if nothing else waits to be written. */
  private void lendIfReady() {
    if (ready.isEmpty() && client.isReady()) {
      permits.lend();
    }
  }

  /** Moves incoming datums, oldest first, to the end of the ready queue. */
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

  /** Runs after the writes, since it may end the stream or admit a datum. */
  private void reportAnswered() {
    for (DatumSink datum = answered.poll(); datum != null; datum = answered.poll()) {
      listener.answered(datum);
    }
  }

  /** Writes one response of this datum, if it has results, and its EOT if nothing is left. */
  private void write(DatumSink datum) {
    Response results = merge(datum);
    if (results != null) {
      client.onNext(results);
      written += results.count();
      counters.wrote(results.count(), results.resultBytes());
    }
    if (datum.isComplete()) {
      client.onNext(new Response(datum.eot()));
      answered.add(datum);
    }
  }

  /**
   * Returns a response with the oldest results of this datum, at most as many as one may have, or
   * null if there are none.
   */
  private @Nullable Response merge(DatumSink datum) {
    Emission first = datum.peek();
    int count = 0;
    int bytes = 0;
    int limit = Math.min(MERGED_BYTES, limits.messageSize() - datum.idField().length);
    Emission emission = first;
    while (emission != null) {
      if (emission.hasResult()) {
        if (count == limits.mergedResults() || (count > 0 && bytes + emission.size() > limit)) {
          break;
        }
        count++;
        bytes += emission.size();
        permits.written(emission);
      }
      emission = emission.next();
    }
    datum.advanceTo(emission);
    return count == 0 ? null : new Response(first, count, bytes, datum.idField());
  }

  /** Echoes the client's handshake. */
  void handshake() {
    client.onNext(new Response(WireMapping.HANDSHAKE_ECHO));
  }

  /** Returns the number of results written so far. */
  long written() {
    return written;
  }

  /**
   * Ends the stream with a status. Waiting results are dropped, and blocked emitters wake up.
   *
   * @param status what the client receives
   * @param trailers the failure's details, or null
   * @param reason given by the exception of a late {@code emit}
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
   * Closes the stream without notifying the client, which is gone.
   *
   * @return false if it was closed before
   */
  boolean close(String reason) {
    ready.clear();
    return permits.close(reason);
  }
}
