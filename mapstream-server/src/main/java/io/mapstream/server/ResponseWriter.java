package io.mapstream.server;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.stub.CallStreamObserver;
import io.mapstream.SinkClosedException;
import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The single door to a stream's response observer: order, readiness, coalescing, one end.
 *
 * <h2>How a result gets out</h2>
 *
 * Handlers run on many threads, the observer takes one at a time. So the observer belongs to one
 * thread, the transport's event loop, and handlers hand their results to it without ever waiting
 * for each other:
 *
 * <ol>
 *   <li>{@code emit} encodes the result on the handler's thread, reserves its cost, and pushes it
 *       on its datum's stack (one compare-and-set).
 *   <li>Whoever made a datum's stack non-empty pushes the datum on {@link #handedOver}; whoever
 *       made that non-empty schedules {@link #drain} on the event loop. Everybody else has nothing
 *       more to do: the drain that is already due takes their results along.
 *   <li>The drain takes datums in the order in which they came, and of each datum what has gathered
 *       by now, in emission order: one response with many results, then the EOT where the handler
 *       has ended. It stops when the transport is no longer ready, and goes on at the next {@code
 *       onReady}.
 * </ol>
 *
 * On an idle stream this writes each result at once (waking the event loop is what a direct write
 * would do, too); the busier the loop, the more results each response carries. There is no timer,
 * no batching delay and no thread of its own.
 *
 * <h2>What bounds it</h2>
 *
 * Results that were emitted and not yet written hold permits of {@link #room}, one per byte. {@code
 * emit} blocks its virtual thread while there are none, in the order of arrival, and the drain
 * gives them back. What has been written waits inside the transport, which is ready only while that
 * is less than the threshold given to it.
 *
 * <h2>Who may call what</h2>
 *
 * {@link #reserve}, {@link #unreserve}, {@link #handOver} and {@link #closedBecause} are safe from
 * any thread; all else belongs to the event loop. The first of {@link #end} and {@link #abandon}
 * wins, the other has no effect.
 */
final class ResponseWriter {

  /** Results of one datum are merged up to this size; large enough to spare frames and wake-ups. */
  static final int MERGED_BYTES = 64 * 1024;

  private static final Logger log = LoggerFactory.getLogger(ResponseWriter.class);

  private final CallStreamObserver<Response> client;
  private final Executor loop;
  private final Limits limits;
  private final Counters counters;
  private final Consumer<Throwable> onFailure;
  private final Semaphore room;
  private final Runnable drain = this::drain;

  private final AtomicReference<@Nullable DatumSink> handedOver = new AtomicReference<>();
  private volatile @Nullable String closedBecause;

  /** Datums with something to write, in turn. Event loop only. */
  private final ArrayDeque<DatumSink> turns = new ArrayDeque<>();

  private long written;
  private int freed;

  /**
   * What a writer keeps to, in bytes.
   *
   * @param pending emitted results that wait to be written; {@code emit} blocks above it
   * @param message one encoded response
   */
  record Limits(int pending, int message) {}

  /**
   * A writer of an open stream.
   *
   * @param loop runs what it is given one after the other, on the thread that calls this writer
   * @param counters what is written and how long {@code emit} waits is counted there
   * @param onFailure told, on the loop, what the client's observer has thrown: results that were
   *     taken then are gone without an EOT, so only an end of the stream lets the client send them
   *     again
   */
  ResponseWriter(
      CallStreamObserver<Response> client,
      Executor loop,
      Limits limits,
      Counters counters,
      Consumer<Throwable> onFailure) {
    this.client = client;
    this.loop = loop;
    this.limits = limits;
    this.counters = counters;
    this.onFailure = onFailure;
    this.room = new Semaphore(limits.pending(), true);
  }

  int maxMessageSize() {
    return limits.message();
  }

  /** Why nothing is accepted any more, or null while the stream is open. */
  @Nullable String closedBecause() {
    return closedBecause;
  }

  /**
   * Waits until there is room for a result. One larger than all the room there is waits for all of
   * it.
   *
   * @param recording told how long that took if it had to wait
   * @throws SinkClosedException if the stream is closed, or the thread is interrupted while it
   *     waits; the interrupt flag stays set
   */
  void reserve(Emission result, @Nullable DatumRecording recording) {
    int permits = Math.min(result.cost(), limits.pending());
    if (room.hasQueuedThreads() || !room.tryAcquire(permits)) {
      awaitRoom(permits, recording);
    }
    if (closedBecause != null) {
      room.release(permits);
      throw refusal("the stream is closed", null);
    }
    result.reserve(permits);
  }

  private void awaitRoom(int permits, @Nullable DatumRecording recording) {
    long begun = System.nanoTime();
    counters.waitsInEmit();
    try {
      room.acquire(permits);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw refusal("the handler's thread was interrupted while it waited for the client", e);
    } finally {
      long nanos = System.nanoTime() - begun;
      counters.waitedInEmit(nanos);
      if (recording != null) {
        recording.blocked(nanos);
      }
    }
  }

  /** Gives back what a result reserved that is not handed over after all. */
  void unreserve(Emission result) {
    room.release(result.reserved());
  }

  private SinkClosedException refusal(String otherwise, @Nullable Throwable cause) {
    String reason = closedBecause;
    String message = "emit refused: " + (reason != null ? reason : otherwise);
    return cause == null
        ? new SinkClosedException(message)
        : new SinkClosedException(message, cause);
  }

  /** Puts a datum that has something to write, and is not queued yet, in the queue. */
  void handOver(DatumSink datum) {
    DatumSink before;
    do {
      before = handedOver.get();
      datum.linkHandedOver(before);
    } while (!handedOver.compareAndSet(before, datum));
    if (before == null) {
      try {
        loop.execute(drain);
      } catch (RejectedExecutionException e) {
        // The transport is gone, and the stream with it: there is nobody to write to.
        abandonFromAnywhere();
      }
    }
  }

  private void abandonFromAnywhere() {
    if (closedBecause == null) {
      closedBecause = "the server has stopped";
    }
    releaseWaiting();
  }

  /** Writes what can be written now. Runs when something was handed over, and when ready again. */
  void drain() {
    try {
      writeWhileReady();
    } catch (RuntimeException | Error e) {
      onFailure.accept(e);
    }
  }

  private void writeWhileReady() {
    takeTurns();
    while (closedBecause == null && !turns.isEmpty() && client.isReady()) {
      DatumSink datum = turns.remove();
      freed += write(datum);
      if (datum.isStillQueued()) {
        turns.add(datum);
      }
      if (turns.isEmpty()) {
        takeTurns();
      }
    }
    if (freed >= limits.pending() / 8 || (freed > 0 && turns.isEmpty())) {
      room.release(freed);
      freed = 0;
    }
  }

  /** Moves the datums handed over, oldest first, to the end of the queue. */
  private void takeTurns() {
    DatumSink oldest = null;
    DatumSink datum = handedOver.getAndSet(null);
    while (datum != null) {
      DatumSink before = datum.linkHandedOver(oldest);
      oldest = datum;
      datum = before;
    }
    while (oldest != null) {
      turns.add(oldest);
      oldest = oldest.linkHandedOver(null);
    }
  }

  /** Writes one response of this datum, and its EOT if that is all; returns the permits freed. */
  private int write(DatumSink datum) {
    Emission first = datum.peek();
    int count = 0;
    int bytes = 0;
    int freed = 0;
    int limit = Math.min(MERGED_BYTES, limits.message() - datum.idField().length);
    Emission emission = first;
    boolean ended = false;
    while (emission != null && !ended) {
      if (count > 0 && bytes + emission.size() > limit) {
        break;
      }
      if (emission.hasResult()) {
        count++;
        bytes += emission.size();
        freed += emission.reserved();
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
      datum.answered();
    }
    return freed;
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

  /** Gives the stream up where the client is gone: there is nobody to tell. */
  void abandon(String reason) {
    close(reason);
  }

  private boolean close(String reason) {
    if (closedBecause != null) {
      return false;
    }
    closedBecause = reason;
    turns.clear();
    releaseWaiting();
    return true;
  }

  /** Enough permits that no emitter waits any more; each finds the stream closed and leaves. */
  private void releaseWaiting() {
    room.drainPermits();
    room.release(Integer.MAX_VALUE / 2);
  }
}
