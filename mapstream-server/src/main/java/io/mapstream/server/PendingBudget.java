package io.mapstream.server;

import java.util.ArrayDeque;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * Bounds the results that wait to be written, over all streams together, so that many stalled
 * clients take no more memory than a few.
 *
 * <ul>
 *   <li>Each stream has its own permits: a guaranteed minimum, and a share of what is free when it
 *       opens (at most half of it, so that streams that open later get something). Other streams
 *       can't reduce them.
 *   <li>A result that costs more than its stream's permits needs a {@link Loan} for the rest. All
 *       loans together are also bounded; those for which too little is free wait in order of
 *       arrival.
 * </ul>
 *
 * <p>Belongs to the event loop, except the waits for a {@link Loan}.
 */
final class PendingBudget {

  /** Additional permits for one large result of a stream, until it is written. */
  static final class Loan {
    private final int size;
    private final CountDownLatch decided = new CountDownLatch(1);
    private State state = State.NEW;
    private volatile @Nullable Error failure;

    private enum State {
      NEW,
      WAITING,
      LENT,
      RETURNED
    }

    Loan(int size) {
      this.size = size;
    }

    /** Waits until it is lent, or its stream is closed; throws the Error of a failed request. */
    void await() throws InterruptedException {
      decided.await();
      Error thrown = failure;
      if (thrown != null) {
        throw thrown;
      }
    }

    /** Ends the wait with an Error. */
    void fail(Error thrown) {
      failure = thrown;
      endWait();
    }

    /** Ends the wait. Any thread. */
    void endWait() {
      decided.countDown();
    }

    boolean isLent() {
      return state == State.LENT;
    }

    int size() {
      return size;
    }
  }

  private final int largestLoan;
  private int freeForShares;
  private int freeForLoans;
  private final ArrayDeque<Loan> waiting = new ArrayDeque<>();

  /**
   * Creates a budget of which nothing is in use.
   *
   * @param shares permits for shares of streams
   * @param loans permits for loans
   */
  PendingBudget(int shares, int loans) {
    this.freeForShares = shares;
    this.freeForLoans = loans;
    this.largestLoan = loans;
  }

  /** Returns the size of the largest loan. Any thread. */
  int largestLoan() {
    return largestLoan;
  }

  /** Takes a stream's share: {@code most} permits, or half of what is free if that is less. */
  int takeShare(int most) {
    int share = Math.min(most, freeForShares / 2);
    freeForShares -= share;
    return share;
  }

  /** Returns the share of a stream that has ended. */
  void returnShare(int share) {
    freeForShares += share;
  }

  /** Lends as soon as enough is free. */
  void lend(Loan loan) {
    if (loan.state == Loan.State.NEW) {
      loan.state = Loan.State.WAITING;
      waiting.add(loan);
      lendWhatIsFree();
    }
  }

  /** Takes back a loan, or forgets it if it still waits. Has an effect once. */
  void giveBack(Loan loan) {
    if (loan.state == Loan.State.WAITING) {
      waiting.remove(loan);
    } else if (loan.isLent()) {
      freeForLoans += loan.size;
    }
    loan.state = Loan.State.RETURNED;
    loan.endWait();
    lendWhatIsFree();
  }

  private void lendWhatIsFree() {
    while (!waiting.isEmpty() && waiting.element().size <= freeForLoans) {
      Loan loan = waiting.remove();
      loan.state = Loan.State.LENT;
      freeForLoans -= loan.size;
      loan.endWait();
    }
  }
}
