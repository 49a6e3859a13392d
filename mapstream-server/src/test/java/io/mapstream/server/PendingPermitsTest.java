package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.SinkClosedException;
import io.mapstream.server.PendingBudget.Loan;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** The permits that results of one stream hold until they are written. */
class PendingPermitsTest {

  private static final int OWN = 4;
  private static final int LOANS = 8;

  /** The event loop's tasks, which the test runs. */
  private final LinkedBlockingQueue<Runnable> loop = new LinkedBlockingQueue<>();

  private final StreamContext context = context(OWN, OWN, LOANS, loop::add);
  private final PendingPermits permits = new PendingPermits(context, this::lendIfReady);

  private static StreamContext context(int pending, int own, int shared, Executor loop) {
    return StreamContext.builder((keys, datum, sink) -> {}, ServerOptions.in(Map.of()), loop)
        .limits(new Limits(10, 1000, pending, own, shared, size -> size, 64, 10, 1))
        .build();
  }

  /** A stream that gets no loan, and whose loop runs each task at once. */
  private static PendingPermits stream(int own, int loans) {
    return new PendingPermits(context(own, own, loans, Runnable::run), () -> {});
  }

  private boolean ready = true;

  private void lendIfReady() {
    if (ready) {
      permits.lend();
    }
  }

  /** A reservation on its own thread. */
  private record Reservation(Thread thread, FutureTask<Loan> task) {

    Loan loan() throws Exception {
      return task.get(10, TimeUnit.SECONDS);
    }

    /** Returns when the thread waits, as an emitter does. */
    void awaitWaiting() {
      Parked.await(thread);
    }
  }

  private Reservation reserve(int size) {
    return reserve(permits, size);
  }

  private static Reservation reserve(PendingPermits permits, int size) {
    return reserve(permits, size, datum(0));
  }

  private static Reservation reserve(PendingPermits permits, int size, InFlight.Entry datum) {
    FutureTask<Loan> task = new FutureTask<>(() -> permits.reserve(size, datum, null));
    return new Reservation(Thread.startVirtualThread(task), task);
  }

  private Runnable nextOnLoop() throws InterruptedException {
    Runnable action = loop.poll(10, TimeUnit.SECONDS);
    assertNotNull(action, "the event loop has no task");
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
    permits.unreserve(OWN + 5, lent);
    nextOnLoop().run();
    nextOnLoop().run();

    assertEquals(6, second.loan().size());
  }

  /** Otherwise a client that stops reading could keep a loan that its result can't use. */
  @Test
  void aLoanIsRequestedOnlyForAResultThatHasThePermitsOfItsStream() throws Exception {
    reserve(1).loan();
    Reservation large = reserve(OWN + LOANS);
    large.awaitWaiting();
    assertEquals(0, loop.size(), "the loan was requested too early");

    permits.unreserve(1, null);
    nextOnLoop().run();
    assertEquals(LOANS, large.loan().size());
  }

  /** The memory may be there again for other results. */
  @Test
  void aRequestForALoanThatFailsKeepsNoPermits() throws Exception {
    var fails = new AtomicBoolean(true);
    Executor executor =
        task -> {
          if (fails.getAndSet(false)) {
            throw new OutOfMemoryError("of a test");
          }
          task.run();
        };
    var stream = new PendingPermits(context(OWN, OWN, LOANS, executor), () -> {});

    Reservation first = reserve(stream, OWN + LOANS);

    assertInstanceOf(
        OutOfMemoryError.class, assertThrows(ExecutionException.class, first::loan).getCause());
    reserve(stream, OWN).loan();
  }

  @Test
  void anErrorOfTheLoopEndsTheWaitForALoan() throws Exception {
    var fails = new AtomicBoolean(true);
    var stream =
        new PendingPermits(
            context,
            () -> {
              if (fails.getAndSet(false)) {
                throw new OutOfMemoryError("of a test");
              }
            });
    Reservation first = reserve(stream, OWN + LOANS);
    nextOnLoop().run();

    assertInstanceOf(
        OutOfMemoryError.class, assertThrows(ExecutionException.class, first::loan).getCause());
    nextOnLoop().run();
    reserve(stream, OWN).loan();
  }

  /** The transport may stop while a loan is awaited; there is no client to write to any more. */
  @Test
  void theEndOfTheLoopEndsTheWaitForALoan() throws Exception {
    var rejects = new AtomicBoolean();
    Executor ending =
        task -> {
          if (rejects.get()) {
            throw new RejectedExecutionException("the loop has ended");
          }
          task.run();
        };
    var stream = new PendingPermits(context(OWN, OWN, LOANS, ending), () -> {});
    Reservation large = reserve(stream, OWN + LOANS);
    large.awaitWaiting();

    rejects.set(true);
    stream.onLoop(() -> {});

    var refused = assertThrows(ExecutionException.class, large::loan);
    assertInstanceOf(SinkClosedException.class, refused.getCause());
  }

  /** Others need the loan that a stalled client would keep. */
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

  @Test
  void anInterruptedWaitForALoanLeavesItToOthers() throws Exception {
    var others = new PendingPermits(context, () -> {});
    Loan all = lent(permits);
    Reservation interrupted = reserve(others, OWN + LOANS);
    nextOnLoop().run();
    others.lend();
    interrupted.awaitWaiting();

    interrupted.thread().interrupt();
    nextOnLoop().run();

    var refused = assertThrows(ExecutionException.class, interrupted::loan);
    assertInstanceOf(SinkClosedException.class, refused.getCause());
    permits.unreserve(OWN + LOANS, all);
    nextOnLoop().run();
    assertEquals(LOANS, lent(permits).size());
  }

  @Test
  void aClosedStreamLeavesItsLoansToOthers() throws Exception {
    var closed = new PendingPermits(context, () -> {});
    Reservation reservation = reserve(closed, OWN + LOANS);
    nextOnLoop().run();
    closed.lend();
    assertEquals(LOANS, reservation.loan().size());

    assertTrue(closed.close("the client is gone"));

    assertEquals(LOANS, lent(permits).size());
  }

  @Test
  void aClosedStreamLeavesItsShareToOthers() {
    StreamContext sharing = context(OWN + LOANS, OWN, LOANS, loop::add);
    for (int streams = 0; streams < 3; streams++) {
      var stream = new PendingPermits(sharing, () -> {});

      // The stream has half of what is free, and this is half of the rest.
      int rest = sharing.pending().takeShare(LOANS);
      assertEquals(LOANS / 4, rest);
      sharing.pending().returnShare(rest);
      stream.close("the client is gone");
    }
  }

  /** Otherwise, with many emitters, each result would cost a thread switch. */
  @Test
  void runningEmittersGoFirstUpToALimit() throws Exception {
    int limit = Tuning.LEAST_BARGING;
    int own = 4 * limit;
    PendingPermits stream = stream(own, 0);
    letOneWaitAndGetItsPermits(stream, own, 1);
    Reservation all = reserve(stream, own);
    all.awaitWaiting();
    stream.unreserve(own - 1, null);

    for (int taken = 0; taken < limit; taken += limit / 8) {
      reserve(stream, limit / 8).loan();
    }
    Reservation oneMore = reserve(stream, 1);
    oneMore.awaitWaiting();

    stream.unreserve(limit, null);
    stream.unreserve(1, null);
    all.loan();
    assertFalse(oneMore.task().isDone(), "it was first");
    stream.unreserve(own, null);
    oneMore.loan();
  }

  @Test
  void runningEmitterOfALargeResultGoesFirstAfterOneAsLarge() throws Exception {
    int large = 2 * Tuning.LEAST_BARGING;
    int own = 4 * large;
    PendingPermits stream = stream(own, 0);
    letOneWaitAndGetItsPermits(stream, own, large);
    Reservation all = reserve(stream, own);
    all.awaitWaiting();
    stream.unreserve(own - large, null);

    reserve(stream, large).loan();
    reserve(stream, 1).awaitWaiting();
  }

  @Test
  void runningEmittersDoNotGoFirstBeforeAWaitHasEnded() throws Exception {
    PendingPermits stream = streamWithAWait();

    reserve(stream, 1).awaitWaiting();
  }

  /** An interrupted wait has got no permits, so it gives running emitters no right to go first. */
  @Test
  void anInterruptedWaitLetsNobodyGoFirst() throws Exception {
    PendingPermits stream = streamWithAWait();
    Reservation interrupted = reserve(stream, Tuning.LEAST_BARGING);
    interrupted.awaitWaiting();

    interrupted.thread().interrupt();
    assertThrows(ExecutionException.class, interrupted::loan);

    reserve(stream, 1).awaitWaiting();
  }

  /** One emitter waits for all permits, of which one is free. */
  private static PendingPermits streamWithAWait() throws Exception {
    int own = Tuning.LEAST_BARGING;
    PendingPermits stream = stream(own, 0);
    reserve(stream, own - 1).loan();
    reserve(stream, own).awaitWaiting();
    return stream;
  }

  /** Otherwise its loan's permits would go to another result. */
  @Test
  void runningEmittersDoNotGoBeforeALoan() throws Exception {
    int own = 4 * Tuning.LEAST_BARGING;
    PendingPermits stream = stream(own, own);
    letOneWaitAndGetItsPermits(stream, own, 1);
    reserve(stream, own + 1).awaitWaiting();
    stream.unreserve(own - 1, null);

    reserve(stream, 1).awaitWaiting();
  }

  /** Many threads of a handler may still emit when the client has gone. */
  @Test
  void largeResultsAreRefusedAfterTheEndHoweverMany() {
    int loan = 1 << 27;
    PendingPermits stream = stream(OWN, loan);
    stream.close("the client is gone");

    for (int i = 0; i < 20; i++) {
      Reservation late = reserve(stream, OWN + loan);

      var refused = assertThrows(ExecutionException.class, late::loan);
      assertInstanceOf(SinkClosedException.class, refused.getCause());
    }
  }

  /** A harness counts results, and a test that reads one result relies on which emit continues. */
  @Test
  void runningEmittersDoNotGoFirstWhenResultsAreCounted() {
    Limits limits = new Limits(10, 1000, 4, 4, 0, size -> size, 64, 10, 1);

    assertEquals(0, limits.countingResults(4).bargingAfter(1));
  }

  /** Afterwards all permits are taken. */
  private static void letOneWaitAndGetItsPermits(PendingPermits stream, int own, int size)
      throws Exception {
    reserve(stream, own).loan();
    Reservation one = reserve(stream, size);
    one.awaitWaiting();
    stream.unreserve(size, null);
    one.loan();
  }

  private Loan lent(PendingPermits stream) throws Exception {
    Reservation reservation = reserve(stream, OWN + LOANS);
    nextOnLoop().run();
    return reservation.loan();
  }

  // Actions that run only while few datums wait. The limit is 125 bytes, and a datum counts at most
  // 16.

  private final AtomicInteger runs = new AtomicInteger();

  private static InFlight.Entry datum(long size) {
    return new InFlight.Entry(null, size);
  }

  private Reservation waiting(InFlight.Entry datum) {
    Reservation reservation = reserve(permits, OWN, datum);
    reservation.awaitWaiting();
    return reservation;
  }

  /** Takes all permits, and lets this many datums wait for them. */
  private List<Reservation> waiting(int count, long size) throws Exception {
    reserve(OWN).loan();
    List<Reservation> waiting = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      waiting.add(waiting(datum(size)));
    }
    return waiting;
  }

  /** Ends the wait of the next one, which gets the permits. */
  private void endWait(Reservation next) throws Exception {
    permits.unreserve(OWN, null);
    next.loan();
  }

  @Test
  void anActionRunsAtOnceWhileTheDatumsThatWaitHoldLittle() throws Exception {
    waiting(8, 15);

    permits.whenFewWait(runs::getAndIncrement);

    assertEquals(1, runs.get());
  }

  @Test
  void anActionRunsOnceOnTheLoopWhenTheyHoldLittleAgain() throws Exception {
    List<Reservation> waiting = waiting(9, 14);
    permits.whenFewWait(runs::getAndIncrement);
    assertEquals(0, runs.get(), "126 bytes wait");

    endWait(waiting.get(0));
    nextOnLoop().run();
    endWait(waiting.get(1));

    assertEquals(1, runs.get());
    assertEquals(0, loop.size(), "tasks for an action that has run");
  }

  @Test
  void interruptedWaitsNoLongerCount() throws Exception {
    List<Reservation> waiting = waiting(9, 14);
    permits.whenFewWait(runs::getAndIncrement);

    waiting.get(8).thread().interrupt();
    nextOnLoop().run();

    assertEquals(1, runs.get());
  }

  /** Otherwise a single large datum whose handler emits for hours would keep all others out. */
  @Test
  void aLargeDatumCountsAnEighthOfTheLimit() throws Exception {
    waiting(7, 1_000);
    permits.whenFewWait(runs::getAndIncrement);
    assertEquals(1, runs.get());

    waiting(datum(1_000));
    permits.whenFewWait(runs::getAndIncrement);

    assertEquals(1, runs.get());
  }

  @Test
  void aDatumThatEmitsOnManyThreadsCountsOnceAndUntilTheLastHasWaited() throws Exception {
    reserve(OWN).loan();
    InFlight.Entry one = datum(1_000);
    Reservation first = waiting(one);
    for (int i = 0; i < 9; i++) {
      waiting(one);
    }
    endWait(first);
    for (int i = 0; i < 6; i++) {
      waiting(datum(1_000));
    }
    permits.whenFewWait(runs::getAndIncrement);
    assertEquals(1, runs.get(), "seven datums wait");

    waiting(datum(1_000));
    permits.whenFewWait(runs::getAndIncrement);

    assertEquals(1, runs.get(), "eight datums wait");
  }

  /** Handlers that emit without end wait again and again. */
  @Test
  void anActionRunsAlthoughManyWaitWhenManyHaveWaited() throws Exception {
    List<Reservation> waiting = waiting(20, 1_000);
    permits.whenFewWait(runs::getAndIncrement);
    for (int i = 0; i < 7; i++) {
      endWait(waiting.get(i));
    }
    assertEquals(0, loop.size());

    for (int i = 7; i < 10; i++) {
      endWait(waiting.get(i));
    }
    assertEquals(1, loop.size(), "one task, although the loop was busy");
    nextOnLoop().run();

    assertEquals(1, runs.get());
  }

  /** The one wait that makes them few may end while the action is being postponed. */
  @Test
  void anActionIsNeverForgottenWhenAWaitEndsMeanwhile() throws Exception {
    PendingPermits one = stream(1, 0);
    for (int i = 0; i < 1_000; i++) {
      one.reserve(1, datum(0), null);
      List<Reservation> waiting = new ArrayList<>();
      for (int n = 0; n < 9; n++) {
        Reservation reservation = reserve(one, 1, datum(15));
        waiting.add(reservation);
        reservation.awaitWaiting();
      }
      CountDownLatch ran = new CountDownLatch(1);
      Thread postponing = Thread.startVirtualThread(() -> one.whenFewWait(ran::countDown));
      one.unreserve(1, null); // 120 of 125 bytes still wait
      postponing.join();

      assertTrue(ran.await(10, TimeUnit.SECONDS), "forgotten in round " + i);
      for (int n = 0; n < 8; n++) {
        one.unreserve(1, null);
      }
      for (Reservation reservation : waiting) {
        reservation.loan();
      }
      one.unreserve(1, null);
    }
  }
}
