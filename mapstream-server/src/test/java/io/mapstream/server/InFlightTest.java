package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.Datum;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The tasks in work and the room they take. */
class InFlightTest {

  private final Admission admission = new Admission(Integer.MAX_VALUE, Long.MAX_VALUE);
  private final InFlight inFlight = new InFlight(admission);

  private static HandlerTask task(int id) {
    Datum datum = Datum.builder().eventTime(Instant.EPOCH).watermark(Instant.EPOCH).build();
    return new HandlerTask(
        null,
        (keys, given, sink) -> {},
        HandlerTask.Threads::virtual,
        new Request.Data("" + id, datum, id),
        null);
  }

  private List<HandlerTask> all() {
    List<HandlerTask> all = new ArrayList<>();
    inFlight.forEach(all::add);
    return all;
  }

  @Test
  void tasksAreSeenNewestFirst() {
    HandlerTask one = task(1);
    HandlerTask two = task(2);
    inFlight.add(one);
    inFlight.add(two);

    assertEquals(List.of(two, one), all());
    assertEquals(2, inFlight.size());
    assertEquals(2, admission.datums());
  }

  @Test
  void sameIdsAreDifferentTasks() {
    HandlerTask earlier = task(1);
    HandlerTask retry = task(1);
    inFlight.add(earlier);
    inFlight.add(retry);

    inFlight.remove(earlier);

    assertEquals(List.of(retry), all());
  }

  @Test
  void aTaskMayBeRemovedWhileItIsSeen() {
    for (int i = 0; i < 10; i++) {
      inFlight.add(task(i));
    }
    int fixed = task(0).size();
    List<Integer> seen = new ArrayList<>();
    inFlight.forEach(task -> {
      seen.add(task.size() - fixed);
      if (task.size() % 2 == 0) {
        inFlight.remove(task);
      }
    });

    assertEquals(List.of(9, 8, 7, 6, 5, 4, 3, 2, 1, 0), seen);
    assertEquals(List.of(9, 7, 5, 3, 1), all().stream().map(task -> task.size() - fixed).toList());
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
        inFlight.remove(expected.remove(random.nextInt(expected.size())));
      }
      assertEquals(expected.isEmpty(), inFlight.isEmpty());
    }
    assertEquals(expected, all());
    assertEquals(expected.size(), inFlight.size());
    assertEquals(expected.size(), admission.datums());

    expected.forEach(inFlight::remove);
    assertTrue(inFlight.isEmpty());
    assertEquals(0, admission.datums());
  }
}
