package io.mapstream.server;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.stub.CallStreamObserver;
import io.mapstream.SinkClosedException;
import io.mapstream.server.PendingBudget.Loan;
import io.mapstream.server.PendingBudget.Permits;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
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
 *   <li>{@code emit} encodes the result on the handler's thread, reserves its cost, and pushes it
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
 * virtual thread while there are none, in the order of arrival, and the drain gives them back. How
 * many there are is a matter of the {@link PendingBudget}, which all streams share. What has been
 * written waits inside the transport, which is ready only while that is less than the threshold
 * given to it.
 *
 * <h2>Who may call what</h2>
 *
 * {@link #reserve}, {@link #unreserve}, {@link #enqueue} and {@link #closedBecause} are safe from
 * any thread; all else belongs to the event loop. The first of {@link #end} and {@link #close}
 * wins, the other has no effect.
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
  private final Executor loop;
  private final Limits limits;
  private final Counters counters;
  private final Listener listener;
  private final PendingBudget budget;
  private final int share;
  private final int ownPermits;
  private final Permits permits;
  private final Runnable drain = this::drain;

  /** Datums that have become non-empty since the last drain, newest first. */
  private final AtomicReference<@Nullable DatumSink> incoming = new AtomicReference<>();

  private volatile @Nullable String closedBecause;

  // Event loop only.
  private final ArrayDeque<DatumSink> ready = new ArrayDeque<>();
  private final ArrayDeque<DatumSink> answered = new ArrayDeque<>();
  private final Set<Loan> loans = new HashSet<>();
  private long written;
  private int freed;

  /**
   * A writer of an open stream.
   *
   * @param context its loop runs this writer; what is written and how long {@code emit} waits is
   *     counted there
   */
  ResponseWriter(CallStreamObserver<Response> client, StreamContext context, Listener listener) {
    this.client = client;
    this.loop = context.loop();
    this.limits = context.limits();
    this.counters = context.counters();
    this.listener = listener;
    this.budget = context.pending();
    this.share = budget.takeShare(limits.pending() - limits.pendingLeast());
    this.ownPermits = limits.pendingLeast() + share;
    this.permits = new Permits(ownPermits);
  }

  int maxMessageSize() {
    return limits.messageSize();
  }

  /** Why nothing is accepted any more, or null while the stream is open. */
  @Nullable String closedBecause() {
    return closedBecause;
  }

  /**
   * Waits until a result may be emitted, and encodes it then. One that costs more than the stream's
   * own permits needs a loan of the budget that all streams share.
   *
   * @param recording told how long that took if it had to wait
   * @throws SinkClosedException if the stream is closed, or the thread is interrupted while it
   *     waits; the interrupt flag stays set
   */
  Emission reserve(ResultEncoding result, @Nullable DatumRecording recording) {
    int cost = limits.cost(result.size());
    int own = Math.min(cost, ownPermits);
    Loan loan = loan(cost - own);
    int needed = own + (loan == null ? 0 : loan.size());
    if (permits.hasQueuedThreads() || !permits.tryAcquire(needed)) {
      awaitPermits(needed, loan, recording);
    }
    if (closedBecause != null) {
      unreserve(own, loan);
      throw refusal("the stream is closed", null);
    }
    try {
      return Emission.result(result, own, loan);
    } catch (Error e) {
      unreserve(own, loan); // no memory for it: nothing is on its way
      throw e;
    }
  }

  private @Nullable Loan loan(int excess) {
    int size = Math.min(excess, budget.largestLoan());
    if (size == 0) {
      return null;
    }
    Loan loan = new Loan(size, permits);
    onLoop(() -> {
      if (closedBecause == null) {
        loans.add(loan);
        budget.lend(loan);
      }
    });
    return loan;
  }

  private void awaitPermits(int needed, @Nullable Loan loan, @Nullable DatumRecording recording) {
    long begun = System.nanoTime();
    counters.waitsInEmit();
    try {
      permits.acquire(needed);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      if (loan != null) {
        onLoop(() -> returnLoan(loan));
      }
      throw refusal("the handler's thread was interrupted while it waited for the client", e);
    } finally {
      long nanos = System.nanoTime() - begun;
      counters.waitedInEmit(nanos);
      if (recording != null) {
        recording.blocked(nanos);
      }
    }
  }

  /** Gives back what a result reserved that is not enqueued after all. */
  void unreserve(Emission result) {
    unreserve(result.permits(), result.loan());
  }

  private void unreserve(int own, @Nullable Loan loan) {
    if (loan == null) {
      permits.release(own);
    } else {
      permits.release(own + loan.size());
      onLoop(() -> returnLoan(loan));
    }
  }

  private void returnLoan(Loan loan) {
    if (loans.remove(loan)) {
      budget.returnLoan(loan);
    }
  }

  private SinkClosedException refusal(String otherwise, @Nullable Throwable cause) {
    String reason = closedBecause;
    String message = "emit refused: " + (reason != null ? reason : otherwise);
    return cause == null
        ? new SinkClosedException(message)
        : new SinkClosedException(message, cause);
  }

  /** Puts a datum that has something to write, and is not queued yet, in the queue. */
  void enqueue(DatumSink datum) {
    DatumSink before;
    do {
      before = incoming.get();
      datum.linkEnqueued(before);
    } while (!incoming.compareAndSet(before, datum));
    if (before == null) {
      onLoop(drain);
    }
  }

  private void onLoop(Runnable action) {
    try {
      loop.execute(action);
    } catch (RejectedExecutionException e) {
      // The transport is gone, and the stream with it: there is nobody to write to.
      closeFromAnywhere();
    }
  }

  private void closeFromAnywhere() {
    if (closedBecause == null) {
      closedBecause = "the server has stopped";
    }
    releaseWaiting();
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
    while (closedBecause == null && !ready.isEmpty() && client.isReady()) {
      DatumSink datum = ready.remove();
      freed += write(datum);
      if (datum.isStillQueued()) {
        ready.add(datum);
      }
      if (ready.isEmpty()) {
        takeIncoming();
      }
    }
    if (freed >= limits.returnedTogether(ownPermits) || (freed > 0 && ready.isEmpty())) {
      permits.release(freed);
      freed = 0;
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

  /** Writes one response of this datum, and its EOT if that is all; returns the permits freed. */
  private int write(DatumSink datum) {
    Emission first = datum.peek();
    int count = 0;
    int bytes = 0;
    int freed = 0;
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
        freed += free(emission);
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
    return freed;
  }

  /** A loan goes back at once, own permits with others. */
  private int free(Emission written) {
    Loan loan = written.loan();
    if (loan != null) {
      permits.release(loan.size());
      returnLoan(loan);
    }
    return written.permits();
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
    if (closedBecause != null) {
      return false;
    }
    closedBecause = reason;
    ready.clear();
    loans.forEach(budget::returnLoan);
    loans.clear();
    budget.returnShare(share);
    releaseWaiting();
    return true;
  }

  /** Enough permits that no emitter waits any more; each finds the stream closed. */
  private void releaseWaiting() {
    permits.drainPermits();
    permits.release(Integer.MAX_VALUE / 2);
  }
}
