package io.mapstream.server;

import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;

/**
 * Starts handlers after the socket read that delivered their datums: handlers that start during the
 * read would take the processor from the reading thread again and again. If a read takes long, as
 * in a process that has just started, the first handlers do not wait for its end.
 *
 * <p>Belongs to the event loop.
 */
final class StartQueue {

  private final Executor loop;
  private final LongSupplier clock;
  private final Runnable startAll = this::startAll;
  private final ArrayDeque<HandlerTask> waiting = new ArrayDeque<>();

  /** When the first waiting task was added. */
  private long since;

  /**
   * Creates an empty queue.
   *
   * @param loop runs a task after the current read
   * @param clock returns nanoseconds, as {@link System#nanoTime} does
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
