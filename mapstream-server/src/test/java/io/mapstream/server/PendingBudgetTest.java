package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.server.PendingBudget.Loan;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** How streams share permits. */
class PendingBudgetTest {

  private final PendingBudget budget = new PendingBudget(1000, 100);

  @Test
  void aShareIsAtMostHalfOfWhatIsFree() {
    assertEquals(300, budget.takeShare(300));
    assertEquals(350, budget.takeShare(400));
    assertEquals(175, budget.takeShare(400));

    budget.returnShare(300);
    assertEquals(237, budget.takeShare(400));
  }

  /** As when the result is written. */
  @Test
  void aLoanIsTakenBackOnce() {
    Loan all = new Loan(100);
    budget.lend(all);
    assertTrue(all.isLent());

    budget.giveBack(all);
    budget.giveBack(all);
    assertFalse(all.isLent());
    Loan allAgain = new Loan(100);
    Loan one = new Loan(1);
    budget.lend(allAgain);
    budget.lend(one);
    assertTrue(allAgain.isLent());
    assertFalse(one.isLent(), "more was lent than there is");
  }

  @Test
  void loansAreGrantedInOrderOfArrival() {
    Loan first = new Loan(60);
    Loan large = new Loan(100);
    Loan small = new Loan(1);
    List.of(first, large, small).forEach(budget::lend);
    assertEquals(List.of(true, false, false), areLent(first, large, small));

    budget.giveBack(first);
    assertEquals(List.of(true, false), areLent(large, small));

    budget.giveBack(large);
    assertTrue(small.isLent());
  }

  @Test
  void aWaitingLoanThatIsNoLongerNeededDoesNotDelayOthers() {
    Loan first = new Loan(60);
    Loan large = new Loan(100);
    Loan small = new Loan(40);
    List.of(first, large, small).forEach(budget::lend);

    budget.giveBack(large);
    assertEquals(List.of(true, false, true), areLent(first, large, small));
  }

  /** The emitter returned the loan before the event loop processed it. */
  @Test
  void aLoanThatWasReturnedBeforeIsNotLent() {
    Loan loan = new Loan(60);
    budget.giveBack(loan);
    budget.lend(loan);

    assertFalse(loan.isLent());
    Loan all = new Loan(100);
    budget.lend(all);
    assertTrue(all.isLent());
  }

  @Test
  void theWaitForALoanEndsWhenItIsLentOrReturned() throws InterruptedException {
    Loan lent = new Loan(100);
    Loan returned = new Loan(100);
    budget.lend(lent);
    budget.lend(returned);
    lent.await();

    budget.giveBack(returned);
    returned.await();
  }

  private static List<Boolean> areLent(Loan... loans) {
    return Stream.of(loans).map(Loan::isLent).toList();
  }
}
