package io.mapstream.server;

import java.util.ArrayDeque;
import java.util.concurrent.Semaphore;

/**
 * Bounds what waits to be written over all streams together, so that many stalled clients take no
 * more memory than a few.
 *
 * <ul>
 *   <li>Each stream has permits of its own: a guaranteed minimum, and a share of what is free when
 *       it opens (at most half of it, so that streams that open later get something). What other
 *       streams do takes nothing of them.
 *   <li>A result that costs more than its stream's permits needs a {@link Loan} for the rest. All
 *       loans together are bounded, too; those that find nothing free wait in the order in which
 *       they came.
 * </ul>
 *
 * <p>Belongs to the event loop. Emitters only ever wait at the {@link Permits} of their stream.
 */
final class PendingBudget {

  /** The permits of one stream. */
  static final class Permits extends Semaphore {
    private static final long serialVersionUID = 1L;

    Permits(int own) {
      super(own, true);
    }

    /** Takes back permits that may be in use. */
    void withdraw(int count) {
      reducePermits(count);
    }
  }

  /** More permits for one stream, until a large result of it is written. */
  static final class Loan {
    private final int size;
    private final Permits permits;
    private State state = State.NEW;

    private enum State {
      NEW,
      WAITING,
      LENT,
      RETURNED
    }

    Loan(int size, Permits permits) {
      this.size = size;
      this.permits = permits;
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
   * Nothing is in use.
   *
   * @param shares permits for shares of streams
   * @param loans permits for loans
   */
  PendingBudget(int shares, int loans) {
    this.freeForShares = shares;
    this.freeForLoans = loans;
    this.largestLoan = loans;
  }

  /** A loan can't be larger. Any thread. */
  int largestLoan() {
    return largestLoan;
  }

  /** Takes a stream's share: so many permits, or half of what is free. */
  int takeShare(int most) {
    int share = Math.min(most, freeForShares / 2);
    freeForShares -= share;
    return share;
  }

  /** The stream has ended. */
  void returnShare(int share) {
    freeForShares += share;
  }

  /** Lends when there is enough; the stream's permits grow then. */
  void lend(Loan loan) {
    if (loan.state == Loan.State.NEW) {
      loan.state = Loan.State.WAITING;
      waiting.add(loan);
      lendWhatIsFree();
    }
  }

  /** Takes the loan back from a result that has its permits. Has an effect once. */
  void giveBack(Loan loan) {
    if (loan.state == Loan.State.LENT) {
      freeForLoans += loan.size;
    }
    end(loan);
  }

  /** Takes the loan back, or forgets it where it still waits, and nobody has its permits. */
  void cancel(Loan loan) {
    if (loan.state == Loan.State.WAITING) {
      waiting.remove(loan);
    } else if (loan.state == Loan.State.LENT) {
      loan.permits.withdraw(loan.size);
      freeForLoans += loan.size;
    }
    end(loan);
  }

  private void end(Loan loan) {
    loan.state = Loan.State.RETURNED;
    lendWhatIsFree();
  }

  private void lendWhatIsFree() {
    while (!waiting.isEmpty() && waiting.element().size <= freeForLoans) {
      Loan loan = waiting.remove();
      loan.state = Loan.State.LENT;
      freeForLoans -= loan.size;
      loan.permits.release(loan.size);
    }
  }
}
