package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.mapstream.Datum;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** When handlers are found to run for too long, on a clock that the test controls. */
class SlowHandlersTest {

  /** In nanoseconds; checks are at least 10 apart. */
  private static final int LIMIT = 80;

  private static final StreamContext CONTEXT =
      StreamContext.builder((keys, datum, sink) -> {}, ServerOptions.in(Map.of()), task -> {})
          .build();

  private long now = 1_000;
  private Runnable check;
  private long due;
  private int checks;

  private final List<List<HandlerTask>> found = new ArrayList<>();
  private final SlowHandlers slow =
      new SlowHandlers(Duration.ofNanos(LIMIT), this::schedule, () -> now, found::add);

  private void schedule(long nanos, Runnable action) {
    assertNull(check, "two checks are scheduled");
    check = action;
    due = now + nanos;
  }

  /** Lets time pass, and runs the checks that are due. */
  private void pass(int nanos) {
    long end = now + nanos;
    while (check != null && due <= end) {
      now = due;
      Runnable scheduled = check;
      check = null;
      checks++;
      scheduled.run();
    }
    now = end;
  }

  private HandlerTask start(int id) {
    Datum datum = Datum.builder().eventTime(Instant.EPOCH).watermark(Instant.EPOCH).build();
    HandlerTask task = new HandlerTask(CONTEXT, null, null, new Request.Data("" + id, datum, 1));
    slow.started(task);
    return task;
  }

  @Test
  void aHandlerIsFoundOnceWhenItsTimeIsOver() {
    HandlerTask one = start(1);
    pass(LIMIT - 1);
    assertEquals(List.of(), found);

    pass(1);
    assertEquals(List.of(List.of(one)), found);

    pass(10 * LIMIT);
    assertEquals(List.of(List.of(one)), found);
  }

  @Test
  void aHandlerThatReturnsInTimeIsNotFound() {
    HandlerTask one = start(1);
    pass(LIMIT / 2);
    slow.released(one);
    pass(LIMIT);

    assertEquals(List.of(), found);
  }

  @Test
  void nothingIsScheduledWhenNothingRuns() {
    assertNull(check);
    HandlerTask one = start(1);
    slow.released(one);
    pass(LIMIT);

    assertNull(check);
    assertEquals(1, checks);
  }

  @Test
  void nothingIsScheduledForHandlersThatWereFound() {
    start(1);
    pass(LIMIT);

    assertNull(check);
  }

  @Test
  void laterHandlersAreFoundWhenTheirTimeIsOver() {
    HandlerTask one = start(1);
    pass(40);
    HandlerTask two = start(2);
    pass(40);
    assertEquals(List.of(List.of(one)), found);

    pass(40);
    assertEquals(List.of(List.of(one), List.of(two)), found);
  }

  @Test
  void handlersThatStartedTogetherAreFoundTogether() {
    List<HandlerTask> later = new ArrayList<>();
    HandlerTask first = start(0);
    for (int i = 1; i <= 9; i++) {
      pass(1);
      later.add(start(i));
    }
    pass(2 * LIMIT);

    assertEquals(List.of(List.of(first), later), found);
    assertEquals(2, checks);
  }

  @Test
  void shortHandlersCostOneCheckPerLimit() {
    for (int i = 0; i < 10 * LIMIT; i++) {
      HandlerTask task = start(i);
      pass(1);
      slow.released(task);
    }

    assertEquals(List.of(), found);
    assertEquals(10, checks);
  }

  @Test
  void aRetryUnderTheSameIdIsAnotherHandler() {
    HandlerTask earlier = start(1);
    HandlerTask retry = start(1);
    slow.released(earlier);
    pass(LIMIT);

    assertEquals(List.of(List.of(retry)), found);
  }
}
