package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.mapstream.server.PendingBudget.Loan;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What results of one stream hold until they are written. */
class PendingPermitsTest {

  private static final int OWN = 4;
  private static final int LOANS = 8;

  /** What the event loop has to do; the test does it. */
  private final LinkedBlockingQueue<Runnable> loop = new LinkedBlockingQueue<>();

  private final PendingPermits permits =
      new PendingPermits(
          StreamContext.builder((keys, datum, sink) -> {}, ServerOptions.in(Map.of()), loop::add)
              .limits(new Limits(10, 1000, OWN, OWN, LOANS, size -> size, 64, 10, 1))
              .build(),
          this::lendIfReady);

  private boolean ready = true;

  private void lendIfReady() {
    if (ready) {
      permits.lend();
    }
  }

  /** A reservation on a thread of its own. */
  private record Reservation(Thread thread, FutureTask<Loan> task) {

    Loan loan() throws Exception {
      return task.get(10, TimeUnit.SECONDS);
    }

    /** Returns when the thread waits, as an emitter does. */
    void awaitWaiting() {
      assertTimeoutPreemptively(
          Duration.ofSeconds(10),
          () -> {
            while (thread.getState() != Thread.State.WAITING) {
              Thread.onSpinWait();
            }
          });
    }
  }

  private Reservation reserve(int size) {
    FutureTask<Loan> task = new FutureTask<>(() -> permits.reserve(size, null));
    return new Reservation(Thread.startVirtualThread(task), task);
  }

  private Runnable nextOnLoop() throws InterruptedException {
    Runnable action = loop.poll(10, TimeUnit.SECONDS);
    assertNotNull(action, "the event loop has nothing to do");
    return action;
  }

  /** Each needs more than half of all loans, so the second waits until the first is written. */
  @Test
  void largeResultsBorrowInTheOrderInWhichTheyWait() throws Exception {
    Reservation first = reserve(OWN + 5);
    Runnable lendToFirst = nextOnLoop();
    Reservation second = reserve(OWN + 6);
    second.awaitWaiting();
    assertEquals(0, loop.size(), "the second has asked before the first has its permits");

    lendToFirst.run();
    Loan lent = first.loan();
    nextOnLoop().run();
    permits.unreserve(OWN + 5, lent);
    nextOnLoop().run();

    assertEquals(6, second.loan().size());
  }

  /** What a stalled client would keep, others need. */
  @Test
  void nothingIsBorrowedBeforeTheStreamCanWrite() throws Exception {
    ready = false;
    Reservation stalled = reserve(OWN + LOANS);
    nextOnLoop().run();
    stalled.awaitWaiting();
    assertFalse(stalled.task().isDone());

    ready = true;
    lendIfReady();

    assertEquals(LOANS, stalled.loan().size());
  }
}
