package io.mapstream.server;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Finds handlers that run longer than a limit, each once. While handlers run, one check is
 * scheduled for when the oldest will exceed the limit; otherwise, nothing is. Checks are at least
 * an eighth of the limit apart, so that handlers that hang for the same reason are found together.
 *
 * <p>Belongs to the event loop, and exists only if the setting is on.
 */
final class SlowHandlers {

  /** Runs an action on the event loop, once, after some time. */
  interface Timer {
    void after(long nanos, Runnable action);
  }

  private final long limit;
  private final Timer timer;
  private final LongSupplier clock;
  private final Consumer<List<HandlerTask>> onFound;

  /** When each handler was started, oldest first; without those that were found. */
  private final Map<HandlerTask, Long> running = new LinkedHashMap<>();

  private boolean scheduled;

  /**
   * Creates an instance with nothing scheduled.
   *
   * @param clock returns nanoseconds, as {@link System#nanoTime} does
   * @param onFound called with handlers that exceed the limit; some may have returned meanwhile
   */
  SlowHandlers(
      Duration limit, Timer timer, LongSupplier clock, Consumer<List<HandlerTask>> onFound) {
    this.limit = TimeUnit.NANOSECONDS.convert(limit);
    this.timer = timer;
    this.clock = clock;
    this.onFound = onFound;
  }

  void started(HandlerTask task) {
    running.put(task, clock.getAsLong());
    if (!scheduled) {
      schedule(limit);
    }
  }

  /** Called when the task is no longer in work. */
  void released(HandlerTask task) {
    running.remove(task);
  }

  private void schedule(long nanos) {
    scheduled = true;
    timer.after(nanos, this::look);
  }

  private void look() {
    scheduled = false;
    long now = clock.getAsLong();
    List<HandlerTask> found = new ArrayList<>();
    Iterator<Map.Entry<HandlerTask, Long>> oldestFirst = running.entrySet().iterator();
    while (!scheduled && oldestFirst.hasNext()) {
      Map.Entry<HandlerTask, Long> oldest = oldestFirst.next();
      long left = limit - (now - oldest.getValue());
      if (left > 0) {
        schedule(Math.max(left, limit / 8));
      } else {
        found.add(oldest.getKey());
        oldestFirst.remove();
      }
    }
    if (!found.isEmpty()) {
      onFound.accept(found);
    }
  }
}
