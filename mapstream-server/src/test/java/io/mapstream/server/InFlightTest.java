package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.Datum;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The tasks in work, and their part of the admission budget. */
class InFlightTest {

  private final Admission admission = new Admission(Integer.MAX_VALUE, Long.MAX_VALUE);
  private final InFlight inFlight = new InFlight(admission);

  private static final StreamContext CONTEXT =
      StreamContext.builder((keys, datum, sink) -> {}, ServerOptions.in(Map.of()), task -> {})
          .build();

  /** A task whose handler has returned. */
  private static HandlerTask task(int id) {
    Datum datum = Datum.builder().eventTime(Instant.EPOCH).watermark(Instant.EPOCH).build();
    HandlerTask task = new HandlerTask(CONTEXT, null, null, new Request.Data("" + id, datum, id));
    task.giveUp();
    return task;
  }

  private void release(HandlerTask task) {
    inFlight.answered(task.entry());
    assertTrue(inFlight.releaseIfDone(task, false));
  }

  private List<HandlerTask> all() {
    List<HandlerTask> all = new ArrayList<>();
    inFlight.forEach(all::add);
    return all;
  }

  @Test
  void tasksAreVisitedNewestFirst() {
    HandlerTask one = task(1);
    HandlerTask two = task(2);
    inFlight.add(one);
    inFlight.add(two);

    assertEquals(List.of(two, one), all());
    assertEquals(2, inFlight.size());
    assertEquals(2, admission.datums());
  }

  /** Otherwise datums of a few bytes would be admitted without a bound on their threads. */
  @Test
  void aDatumTakesItsBytesAndAKibibyteOfTheBudget() {
    Admission small = new Admission(Integer.MAX_VALUE, 2 * 1024 + 7);
    InFlight tasks = new InFlight(small);
    HandlerTask three = task(3);
    tasks.add(three);
    List<String> asked = new ArrayList<>();
    small.whenCapacity(() -> asked.add("after 3"));
    tasks.add(task(4)); // the budget is used up to the last byte
    small.whenCapacity(() -> asked.add("after 4"));

    assertEquals(List.of("after 3"), asked);
    tasks.answered(three.entry());
    assertTrue(tasks.releaseIfDone(three, false));
    assertEquals(List.of("after 3", "after 4"), asked);
  }

  @Test
  void sameIdsAreDifferentTasks() {
    HandlerTask earlier = task(1);
    HandlerTask retry = task(1);
    inFlight.add(earlier);
    inFlight.add(retry);

    release(earlier);

    assertEquals(List.of(retry), all());
  }

  @Test
  void aTaskMayBeReleasedWhileItIsVisited() {
    for (int i = 0; i < 10; i++) {
      inFlight.add(task(i));
    }
    long fixed = task(0).entry().size();
    List<Long> seen = new ArrayList<>();
    inFlight.forEach(task -> {
      seen.add(task.entry().size() - fixed);
      if (task.entry().size() % 2 == 0) {
        release(task);
      }
    });

    assertEquals(List.of(9L, 8L, 7L, 6L, 5L, 4L, 3L, 2L, 1L, 0L), seen);
    assertEquals(
        List.of(9L, 7L, 5L, 3L, 1L),
        all().stream().map(task -> task.entry().size() - fixed).toList());
  }

  @Test
  void tasksMayComeAndGoInAnyOrder() {
    Random random = new Random(7);
    List<HandlerTask> expected = new ArrayList<>();
    for (int i = 0; i < 10_000; i++) {
      if (expected.isEmpty() || random.nextInt(100) < 52) {
        HandlerTask task = task(i);
        inFlight.add(task);
        expected.add(0, task);
      } else {
        release(expected.remove(random.nextInt(expected.size())));
      }
      assertEquals(expected.isEmpty(), inFlight.isEmpty());
    }
    assertEquals(expected, all());
    assertEquals(expected.size(), inFlight.size());
    assertEquals(expected.size(), admission.datums());

    expected.forEach(this::release);
    assertTrue(inFlight.isEmpty());
    assertEquals(0, admission.datums());
  }

  @Test
  void aTaskIsReleasedOnceItIsBothAnsweredAndReturned() {
    HandlerTask runs =
        new HandlerTask(
            CONTEXT,
            null,
            null,
            new Request.Data(
                "a", Datum.of(List.of(), null, Instant.EPOCH, Instant.EPOCH, null), 1));
    inFlight.add(runs);
    inFlight.answered(runs.entry());
    assertFalse(inFlight.releaseIfDone(runs, false), "its handler runs");
    assertFalse(inFlight.releaseIfDone(runs, true), "its handler runs");
    runs.giveUp();
    assertTrue(inFlight.releaseIfDone(runs, false));
    assertFalse(inFlight.releaseIfDone(runs, false), "twice");

    HandlerTask open = task(2);
    inFlight.add(open);
    assertFalse(inFlight.releaseIfDone(open, false), "not answered");
    assertTrue(inFlight.releaseIfDone(open, true));
    assertEquals(0, admission.datums());
  }
}
