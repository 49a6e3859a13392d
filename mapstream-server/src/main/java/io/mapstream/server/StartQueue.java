package io.mapstream.server;

import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;

/**
 * Starts handlers after the read of the socket that their datums came with: handlers that start in
 * the middle of it take the processor from the reading thread again and again. Where a read takes
 * long, as in a process that has just started, the first handlers don't wait for its end.
 *
 * <p>Belongs to the event loop.
 */
final class StartQueue {

  private final Executor loop;
  private final LongSupplier clock;
  private final Runnable startAll = this::startAll;
  private final ArrayDeque<HandlerTask> waiting = new ArrayDeque<>();

  /** When the first of those that wait came. */
  private long since;

  /**
   * Nothing waits yet.
   *
   * @param loop runs what it is given after the read that is going on
   * @param clock nanoseconds, as {@link System#nanoTime} gives them
   */
  StartQueue(Executor loop, LongSupplier clock) {
    this.loop = loop;
    this.clock = clock;
  }

  void add(HandlerTask task) {
    long now = clock.getAsLong();
    if (waiting.isEmpty()) {
      loop.execute(startAll);
      since = now;
    }
    waiting.add(task);
    if (now - since >= Tuning.LONGEST_GATHERING_NANOS) {
      startAll();
    }
  }

  private void startAll() {
    for (HandlerTask task = waiting.poll(); task != null; task = waiting.poll()) {
      task.start();
    }
  }
}
