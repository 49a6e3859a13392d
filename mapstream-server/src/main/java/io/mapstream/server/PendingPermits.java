package io.mapstream.server;

import io.mapstream.SinkClosedException;
import io.mapstream.server.PendingBudget.Loan;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The permits of one stream, which its results hold from {@code emit} until they are written; and
 * whether the stream is closed, since that ends the wait for permits.
 *
 * <p>{@link #reserve}, {@link #unreserve}, {@link #onLoop} and {@link #closedBecause} are safe from
 * any thread; everything else belongs to the event loop.
 */
final class PendingPermits {

  private final Executor loop;
  private final Limits limits;
  private final Counters counters;
  private final PendingBudget budget;
  private final int share;
  private final int own;
  private final Semaphore permits;
  private final Runnable onAsked;
  private final ReentrantLock borrowing = new ReentrantLock(true);

  /** The loan that an emitter waits for, or the last one. Guarded by borrowing for writes. */
  private volatile @Nullable Loan awaited;

  /** The cost that running emitters may still take before waiting ones. */
  private final AtomicInteger barging = new AtomicInteger();

  /** The bytes of the datums whose emit waits. */
  private final AtomicLong held = new AtomicLong();

  /**
   * What waits for {@link #held} to be low; set by the loop, taken by the thread that passes it on.
   */
  private final AtomicReference<@Nullable Runnable> postponed = new AtomicReference<>();

  /** The bytes of the datums that have waited since then; a datum counts with each wait. */
  private final AtomicLong ended = new AtomicLong();

  /** Set once; the thread that sets it releases the emitters that wait. */
  private final AtomicReference<@Nullable String> closedBecause = new AtomicReference<>();

  // Event loop only.
  private final Set<Loan> loans = new HashSet<>();
  private @Nullable Loan asked;
  private int freed;

  /**
   * Takes a share of the budget of all streams.
   *
   * @param onAsked run on the loop when a loan was requested; may call {@link #lend}
   */
  PendingPermits(StreamContext context, Runnable onAsked) {
    this.onAsked = onAsked;
    this.loop = context.loop();
    this.limits = context.limits();
    this.counters = context.counters();
    this.budget = context.pending();
    this.share = budget.takeShare(limits.pending() - limits.pendingLeast());
    this.own = limits.pendingLeast() + share;
    this.permits = new Semaphore(own, true);
  }

  /** Returns why nothing is accepted any more, or null while the stream is open. */
  @Nullable String closedBecause() {
    return closedBecause.get();
  }

  /**
   * Waits until a result may be emitted. One that costs more than the stream's own permits needs a
   * loan from the budget that all streams share.
   *
   * @param size encoded bytes of the result
   * @param datum the one that emits it
   * @param recording records how long it had to wait
   * @return the loan, or null if it needs none
   * @throws SinkClosedException if the stream is closed, or the thread is interrupted while it
   *     waits; the interrupt flag stays set
   */
  @Nullable Loan reserve(int size, InFlight.Entry datum, @Nullable DatumRecording recording) {
    int needed = own(size);
    int excess = Math.min(limits.cost(size) - needed, budget.largestLoan());
    Loan loan = excess == 0 ? null : new Loan(excess);
    if (loan != null || !acquireAtOnce(needed)) {
      await(needed, loan, datum, recording);
    }
    if (closedBecause() != null) {
      permits.release(needed); // The stream's end has given back the loan.
      throw refusal("the stream is closed", null);
    }
    return loan;
  }

  /**
   * Acquires permits if that needs no wait, and returns whether it did. While others wait, a
   * running emitter may still go first, which saves a switch of threads for each result. It may do
   * so only up to a limited cost after each wait that has ended, so that waiting emitters get their
   * turn, however many emitters run; and not while one waits for a loan, whose permits are its own.
   */
  private boolean acquireAtOnce(int needed) {
    return (!permits.hasQueuedThreads() || barge(needed)) && permits.tryAcquire(needed);
  }

  private boolean barge(int needed) {
    return !borrowing.isLocked() && barging.get() >= needed && barging.addAndGet(-needed) >= 0;
  }

  /** Returns what a result takes of the stream's own permits. */
  private int own(int size) {
    return Math.min(limits.cost(size), own);
  }

  private void await(
      int needed, @Nullable Loan loan, InFlight.Entry datum, @Nullable DatumRecording recording) {
    long begun = System.nanoTime();
    counters.waitsInEmit();
    held.getAndAdd(limits.countedAsHeld(datum.beginsToWait()));
    try {
      if (loan == null) {
        permits.acquire(needed);
      } else {
        borrow(needed, loan);
      }
      barging.set(limits.bargingAfter(loan == null ? needed : 0));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw refusal("the handler's thread was interrupted while it waited for the client", e);
    } finally {
      long nanos = System.nanoTime() - begun;
      counters.waitedInEmit(nanos);
      if (recording != null) {
        recording.blocked(nanos);
      }
      waitEnded(datum);
    }
  }

  /**
   * Acquires permits of the stream, then a loan. In this order, no other result of the stream can
   * be written between the loan and its result, so that a client that stops reading does not keep a
   * loan that its result has not got. Until the loan is lent, the result is not copied. One emitter
   * waits after the other, since the first loan that is requested is the first that is lent.
   */
  private void borrow(int needed, Loan loan) throws InterruptedException {
    borrowing.lockInterruptibly();
    try {
      permits.acquire(needed);
      boolean isDone = false;
      try {
        awaited = loan;
        onLoop(() -> request(loan));
        if (closedBecause() == null) {
          loan.await();
        }
        isDone = true;
      } finally {
        if (!isDone) {
          permits.release(needed);
          onLoop(() -> giveBack(loan));
        }
      }
    } finally {
      borrowing.unlock();
    }
  }

  /** Requests a loan, which the stream's end gives back. Event loop only. */
  private void request(Loan loan) {
    try {
      loans.add(loan);
      if (closedBecause() == null) {
        asked = loan;
        onAsked.run();
      } else {
        giveBack(loan);
      }
    } catch (Error e) {
      loan.fail(e); // Out of memory.
    }
  }

  private SinkClosedException refusal(String otherwise, @Nullable Throwable cause) {
    String reason = closedBecause();
    String message = "emit refused: " + (reason != null ? reason : otherwise);
    return cause == null
        ? new SinkClosedException(message)
        : new SinkClosedException(message, cause);
  }

  /** Gives back what was reserved for a result that is not enqueued after all. */
  void unreserve(int size, @Nullable Loan loan) {
    permits.release(own(size));
    if (loan != null) {
      onLoop(() -> giveBack(loan));
    }
  }

  /** Runs an action on the loop; if the loop has ended, the stream is closed. */
  void onLoop(Runnable action) {
    try {
      loop.execute(action);
    } catch (RejectedExecutionException e) {
      // The transport is gone, and the stream with it: there is no client to write to.
      if (closedBecause.compareAndSet(null, "the server has stopped")) {
        releaseWaiting();
      }
    }
  }

  private boolean fewWait() {
    return held.get() < limits.heldByWaiting();
  }

  private void waitEnded(InFlight.Entry datum) {
    held.getAndAdd(-limits.countedAsHeld(datum.hasWaited()));
    if (postponed.get() != null
        && (ended.addAndGet(limits.countedAsHeld(datum.size())) >= limits.heldByWaiting()
            || fewWait())) {
      Runnable action = postponed.getAndSet(null);
      if (action != null) {
        onLoop(action);
      }
    }
  }

  // For the event loop only.

  /**
   * Runs an action once: now if the datums whose emit waits hold few bytes, otherwise as a task of
   * the loop: when they hold few, or when datums of as many bytes as the limit have waited since. A
   * stream requests datums in this way, since the client can't read their results before those that
   * wait; but handlers that emit without end must not keep other datums out. A later call replaces
   * the action, and it may be forgotten when the stream is closed.
   */
  void whenFewWait(Runnable action) {
    if (fewWait()) { // the usual case, in which nothing shared is written
      action.run();
      return;
    }
    ended.set(0);
    postponed.set(action);
    // Checked again, since a wait that has ended meanwhile has not seen the action.
    if (fewWait() && postponed.compareAndSet(action, null)) {
      action.run();
    }
  }

  /** Gives back a loan at once, and own permits together with others: see {@link #release}. */
  void written(Emission emission) {
    Loan loan = emission.loan();
    if (loan != null) {
      giveBack(loan);
    }
    if (emission.takesPermits()) {
      freed += own(emission.size());
    }
  }

  /** Gives back what written results have held, if it is enough to wake emitters for. */
  void release(boolean nothingWaits) {
    if (freed >= limits.returnedTogether(own) || (freed > 0 && nothingWaits)) {
      permits.release(freed);
      freed = 0;
    }
  }

  /**
   * Borrows what was requested, if anything was. Only for a stream that can write: one whose client
   * does not read must not keep what others need.
   */
  void lend() {
    Loan loan = asked;
    if (loan != null) {
      asked = null;
      budget.lend(loan);
    }
  }

  private void giveBack(Loan loan) {
    if (loans.remove(loan)) {
      budget.giveBack(loan);
    }
  }

  /** Closes the stream and ends all waits; returns false if it was closed before. */
  boolean close(String reason) {
    if (!closedBecause.compareAndSet(null, reason)) {
      return false;
    }
    asked = null;
    postponed.set(null);
    loans.forEach(budget::giveBack);
    loans.clear();
    budget.returnShare(share);
    releaseWaiting();
    return true;
  }

  /** Releases enough permits that no emitter waits any more; each finds the stream closed. */
  private void releaseWaiting() {
    permits.release(Integer.MAX_VALUE / 2);
    Loan loan = awaited;
    if (loan != null) {
      loan.endWait();
    }
  }
}
