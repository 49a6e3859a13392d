package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mapstream.server.PendingBudget.Loan;
import io.mapstream.server.PendingBudget.Permits;
import org.junit.jupiter.api.Test;

/** How streams share permits. */
class PendingBudgetTest {

  private final PendingBudget budget = new PendingBudget(1000, 100);
  private final Permits permits = new Permits(10);

  @Test
  void aShareIsAtMostHalfOfWhatIsFree() {
    assertEquals(300, budget.takeShare(300));
    assertEquals(350, budget.takeShare(400));
    assertEquals(175, budget.takeShare(400));

    budget.returnShare(300);
    assertEquals(237, budget.takeShare(400));
  }

  @Test
  void aLoanIsAddedToThePermitsOfItsStreamAndTakenBack() {
    Loan loan = new Loan(60, permits);
    budget.lend(loan);
    assertEquals(70, permits.availablePermits());

    budget.cancel(loan);
    assertEquals(10, permits.availablePermits());
    budget.cancel(loan);
    assertEquals(10, permits.availablePermits());
  }

  /** As when the result is written. */
  @Test
  void aLoanIsReturnedWithThePermitsOfItsResult() {
    Loan loan = new Loan(100, permits);
    budget.lend(loan);
    permits.acquireUninterruptibly(110);

    budget.giveBack(loan);
    budget.giveBack(loan);
    assertEquals(0, permits.availablePermits());
    budget.lend(new Loan(100, permits));
    budget.lend(new Loan(1, permits));
    assertEquals(100, permits.availablePermits());
  }

  @Test
  void loansAreGrantedInOrderOfArrival() {
    Permits other = new Permits(0);
    Loan first = new Loan(60, permits);
    Loan large = new Loan(100, other);
    Loan small = new Loan(1, permits);
    budget.lend(first);
    budget.lend(large);
    budget.lend(small);
    assertEquals(70, permits.availablePermits());

    budget.cancel(first);
    assertEquals(10, permits.availablePermits());
    assertEquals(100, other.availablePermits());

    budget.cancel(large);
    assertEquals(0, other.availablePermits());
    assertEquals(11, permits.availablePermits());
  }

  @Test
  void aWaitingLoanThatIsNoLongerNeededDoesNotDelayOthers() {
    Permits other = new Permits(0);
    Loan first = new Loan(60, permits);
    Loan large = new Loan(100, other);
    Loan small = new Loan(40, permits);
    budget.lend(first);
    budget.lend(large);
    budget.lend(small);

    budget.cancel(large);
    assertEquals(0, other.availablePermits());
    assertEquals(110, permits.availablePermits());
  }

  /** The emitter returned the loan before the event loop processed it. */
  @Test
  void aLoanThatWasReturnedBeforeIsNotLent() {
    Loan loan = new Loan(60, permits);
    budget.cancel(loan);
    budget.lend(loan);

    assertEquals(10, permits.availablePermits());
    budget.lend(new Loan(100, permits));
    assertEquals(110, permits.availablePermits());
  }
}
