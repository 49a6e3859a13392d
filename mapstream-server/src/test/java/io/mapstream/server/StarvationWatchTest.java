package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.Test;

/** When handlers count as starved, on a clock that the test controls. */
class StarvationWatchTest {

  private static final long LIMIT = Tuning.STARVED_NANOS;
  private static final long PAUSE = Tuning.PROBE_PAUSE_NANOS;

  /** A handler or a probe that begins when the test sets it. */
  private static final class FakeStart implements StarvationWatch.Start {
    private boolean begun;

    @Override
    public boolean hasBegun() {
      return begun;
    }
  }

  private record Scheduled(long due, Runnable action) {}

  private long now;
  private boolean busy;
  private int starved;
  private final List<Scheduled> scheduled = new ArrayList<>();
  private final List<FakeStart> probes = new ArrayList<>();
  private final StarvationWatch watch =
      new StarvationWatch(
          (nanos, action) -> scheduled.add(new Scheduled(now + nanos, action)),
          () -> busy,
          this::probe,
          () -> starved++);

  private FakeStart probe() {
    FakeStart probe = new FakeStart();
    probes.add(probe);
    return probe;
  }

  private FakeStart start() {
    FakeStart start = new FakeStart();
    watch.started(start);
    return start;
  }

  private void begin(FakeStart start) {
    watch.begins();
    start.begun = true;
  }

  private void pass(long nanos) {
    long end = now + nanos;
    while (true) {
      Scheduled next =
          scheduled.stream().min(Comparator.comparingLong(Scheduled::due)).orElse(null);
      if (next == null || next.due() > end) {
        break;
      }
      scheduled.remove(next);
      now = next.due();
      next.action().run();
    }
    now = end;
  }

  @Test
  void aHandlerThatWaitsWhileNoOtherBeginsIsStarved() {
    start();
    pass(LIMIT - 1);
    assertEquals(0, starved);

    pass(1);
    assertEquals(1, starved);
  }

  @Test
  void starvationIsFoundAgainWhileItLasts() {
    FakeStart waiting = start();
    pass(3 * LIMIT);
    assertEquals(3, starved);

    begin(waiting);
    pass(10 * LIMIT);
    assertEquals(3, starved);
  }

  @Test
  void aLongQueueThatMovesIsNotStarvation() {
    List<FakeStart> queue = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      queue.add(start());
    }
    for (FakeStart next : queue) {
      pass(LIMIT - 1);
      begin(next);
    }
    pass(LIMIT);

    assertEquals(0, starved);
  }

  @Test
  void aHandlerStartedWhileAnotherIsWatchedIsWatchedNext() {
    begin(start());
    pass(LIMIT / 2);
    start();
    pass(LIMIT / 2);
    assertEquals(0, starved);

    pass(LIMIT);
    assertEquals(1, starved);
  }

  @Test
  void oneCheckIsScheduledHoweverManyHandlersStart() {
    for (int i = 0; i < 100; i++) {
      start();
    }
    assertEquals(1, scheduled.size());
  }

  @Test
  void nothingIsScheduledWhenNoHandlerWaits() {
    begin(start());
    pass(LIMIT);

    assertEquals(List.of(), scheduled);
    assertEquals(List.of(), probes);
  }

  /** Handlers that resume after a sleep wait for a carrier, as new ones do. */
  @Test
  void aProbeFindsStarvationAmongHandlersThatHaveAllBegun() {
    busy = true;
    begin(start());
    pass(LIMIT + PAUSE);
    assertEquals(1, probes.size());
    assertEquals(0, starved);

    pass(LIMIT);
    assertEquals(1, starved);
  }

  @Test
  void probesEndWithTheLastHandlers() {
    busy = true;
    begin(start());
    for (int i = 1; i <= 5; i++) {
      pass(LIMIT + PAUSE);
      assertEquals(i, probes.size());
      probes.getLast().begun = true;
    }
    assertEquals(0, starved);

    busy = false;
    pass(LIMIT + PAUSE);
    assertEquals(5, probes.size());
    assertEquals(List.of(), scheduled);
  }

  @Test
  void noProbeIsStartedWhileAHandlerIsWatched() {
    busy = true;
    begin(start());
    pass(LIMIT + PAUSE - 1);
    FakeStart waiting = start();
    pass(1);
    assertEquals(List.of(), probes);

    begin(waiting);
    pass(LIMIT + PAUSE);
    assertEquals(1, probes.size());
  }

  @Test
  void theOptionSwitchesTheWatchOff() {
    ScheduledExecutorService loop = Executors.newSingleThreadScheduledExecutor();
    try {
      assertNull(contextOn(loop, Map.of("MAPSTREAM_MAX_CARRIERS", "0")).starvation());
      assertNotNull(contextOn(loop, Map.of()).starvation());
    } finally {
      loop.shutdownNow();
    }
  }

  private static StreamContext contextOn(Executor loop, Map<String, String> environment) {
    return StreamContext.builder((keys, datum, sink) -> {}, ServerOptions.in(environment), loop)
        .build();
  }
}
