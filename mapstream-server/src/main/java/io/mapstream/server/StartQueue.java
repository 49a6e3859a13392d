package io.mapstream.server;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Starts handlers after the socket read that delivered their datums: handlers that start during the
 * read would take the processor from the reading thread again and again. If a read takes long, as
 * in a process that has just started, the first handlers do not wait for its end.
 *
 * <p>The handlers of several datums are started by a virtual thread. Starts by the event loop often
 * wake a carrier, which sleeps again before the next one; the virtual thread runs on a carrier and
 * starts handlers faster than the other carriers finish them.
 *
 * <p>Belongs to the event loop.
 */
final class StartQueue {

  /** The name of the thread that starts handlers. */
  static final String STARTER = "mapstream-start";

  private final Executor loop;
  private final HandlerTask.Threads threads;
  private final LongSupplier clock;
  private final Runnable startAll = this::startAll;

  /** The tasks that were added since the last start; null if there are none. */
  private @Nullable Batch waiting;

  /** When the first of them was added. */
  private long since;

  /**
   * Creates an empty queue.
   *
   * @param loop runs a task after the current read
   * @param threads creates the thread that starts handlers
   * @param clock returns nanoseconds, as {@link System#nanoTime} does
   */
  StartQueue(Executor loop, HandlerTask.Threads threads, LongSupplier clock) {
    this.loop = loop;
    this.threads = threads;
    this.clock = clock;
  }

  void add(HandlerTask task) {
    long now = clock.getAsLong();
    Batch batch = waiting;
    if (batch == null) {
      batch = new Batch();
      loop.execute(startAll);
      waiting = batch;
      since = now;
    }
    batch.tasks.add(task);
    if (now - since >= Tuning.LONGEST_GATHERING_NANOS) {
      startAll();
    }
  }

  @SuppressWarnings("CatchingUnchecked")
  private void startAll() {
    Batch batch = waiting;
    if (batch == null) {
      return; // started during the read
    }
    waiting = null;
    if (batch.tasks.size() > 1) {
      try {
        threads.make(STARTER, batch).start();
        return;
      } catch (Throwable t) {
        // Out of memory or of threads: each task tries for itself, and reports if it can't start.
      }
    }
    batch.run();
  }

  /**
   * Tasks that are started together, once, whoever runs it first: a thread whose {@code start}
   * throws may nevertheless run.
   */
  private static final class Batch implements Runnable {

    private final AtomicBoolean claimed = new AtomicBoolean();
    private final List<HandlerTask> tasks = new ArrayList<>();

    @Override
    public void run() {
      if (claimed.compareAndSet(false, true)) {
        // Without an iterator, for which there might be no memory.
        for (int i = 0; i < tasks.size(); i++) {
          tasks.get(i).start();
        }
      }
    }
  }
}
