package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** How the number of carriers rises and falls, with the test's own scheduler and clock. */
class CarriersTest {

  private static final int MOST = 64;
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

  /** Records the values that it was set to. */
  private static final class FakeScheduler implements Carriers.Scheduler {
    private int parallelism = 2;
    private final List<Integer> set = new ArrayList<>();

    @Override
    public int parallelism() {
      return parallelism;
    }

    @Override
    public void setParallelism(int carriers) {
      parallelism = carriers;
      set.add(carriers);
    }
  }

  private final FakeScheduler scheduler = new FakeScheduler();
  private final Deque<Runnable> threads = new ArrayDeque<>();
  private long now = 1_000 * SECOND;
  private Runnable lowering;
  private long due;
  private int lookUps;
  private final Carriers carriers = carriers(() -> scheduler);

  private Carriers carriers(Carriers.Finder finder) {
    return new Carriers(
        () -> {
          lookUps++;
          return finder.find();
        },
        threads::add,
        (nanos, action) -> {
          lowering = action;
          due = now + nanos;
        },
        () -> now);
  }

  private void starve(int most) {
    carriers.starved(most);
    runThreads();
  }

  private void runThreads() {
    while (!threads.isEmpty()) {
      threads.remove().run();
    }
  }

  private void pass(long nanos) {
    long end = now + nanos;
    while (lowering != null && due <= end) {
      runLowering();
    }
    now = end;
  }

  private void runLowering() {
    Runnable action = lowering;
    lowering = null;
    now = due;
    action.run();
  }

  /** Starves handlers once, and returns how many seconds the raise stays in effect. */
  private long secondsOfARaise() {
    long begun = now;
    starve(MOST);
    while (lowering != null) {
      runLowering();
    }
    return (now - begun) / SECOND;
  }

  @Test
  void theFirstStepGoesToEightAndEachFurtherOneDoubles() {
    for (int i = 0; i < 6; i++) {
      starve(MOST);
    }
    assertEquals(List.of(8, 16, 32, 64), scheduler.set);
  }

  @Test
  void theLimitIsKept() {
    starve(5);
    starve(5);
    assertEquals(List.of(5), scheduler.set);
  }

  @Test
  void aLimitBelowTheNumberOfTheProcessChangesNothing() {
    starve(1);
    pass(SECOND);
    assertEquals(List.of(), scheduler.set);
  }

  @Test
  void theFormerNumberReturnsASecondAfterTheLastStarvation() {
    starve(MOST);
    pass(SECOND / 2);
    starve(MOST);
    pass(SECOND - 1);
    assertEquals(List.of(8, 16), scheduler.set);

    pass(1);
    assertEquals(List.of(8, 16, 2), scheduler.set);
    assertNull(lowering);
  }

  /** Each time the former number has returned, handlers starve for a moment. */
  @Test
  void theRaiseLastsTwiceAsLongEachTimeStarvationReturnsUpToAMinute() {
    List<Long> seconds = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      seconds.add(secondsOfARaise());
    }
    assertEquals(List.of(1L, 2L, 4L, 8L, 16L, 32L, 60L, 60L), seconds);

    pass(60 * SECOND);
    assertEquals(1, secondsOfARaise());
  }

  @Test
  void aNumberThatTheProcessSetsMeanwhileIsKept() {
    starve(MOST);
    scheduler.parallelism = 3;
    pass(SECOND);
    assertEquals(3, scheduler.parallelism());
  }

  @Test
  void aLaterRaiseReturnsToTheNumberThatTheProcessSetMeanwhile() {
    starve(MOST);
    scheduler.parallelism = 3;
    starve(MOST);
    assertEquals(8, scheduler.parallelism());

    pass(SECOND);
    assertEquals(3, scheduler.parallelism());
  }

  @Test
  void serversThatStarveAtTheSameTimeShareOneRaise() {
    carriers.starved(MOST);
    carriers.starved(MOST);
    assertEquals(1, threads.size());
  }

  @Test
  void theSchedulerIsLookedUpOnceAtTheFirstStarvation() {
    assertEquals(0, lookUps);
    starve(MOST);
    starve(MOST);
    assertEquals(1, lookUps);
  }

  @Test
  void aJvmThatCannotRaiseIsAskedOnce() {
    Carriers without =
        carriers(() -> {
          throw new ClassNotFoundException("jdk.management.VirtualThreadSchedulerMXBean");
        });
    for (int i = 0; i < 3; i++) {
      without.starved(MOST);
      runThreads();
    }
    assertEquals(1, lookUps);
    assertNull(lowering);
  }

  @Test
  void withoutAThreadTheNextCheckTriesAgain() {
    int[] tries = {0};
    Carriers poor =
        new Carriers(
            () -> scheduler,
            action -> {
              if (++tries[0] == 1) {
                throw new RejectedExecutionException("no thread");
              }
              action.run();
            },
            (nanos, action) -> {},
            () -> now);
    poor.starved(MOST);
    assertEquals(List.of(), scheduler.set);

    poor.starved(MOST);
    assertEquals(List.of(8), scheduler.set);
  }
}
