package io.mapstream.server;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;

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
  private List<HandlerTask> waiting = new ArrayList<>();

  /** When the first waiting task was added. */
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
    if (waiting.isEmpty()) {
      loop.execute(startAll);
      since = now;
    }
    waiting.add(task);
    if (now - since >= Tuning.LONGEST_GATHERING_NANOS) {
      startAll();
    }
  }

  @SuppressWarnings("CatchingUnchecked")
  private void startAll() {
    Starter starter = null;
    if (waiting.size() > 1) {
      try {
        List<HandlerTask> next = new ArrayList<>();
        starter = new Starter(waiting);
        waiting = next;
        threads.make(STARTER, starter).start();
        return;
      } catch (Throwable t) {
        // Out of memory or of threads: each task tries for itself, and reports if it can't start.
      }
    }
    if (starter != null) {
      starter.run();
    } else {
      startEach(waiting);
      waiting.clear();
    }
  }

  private static void startEach(List<HandlerTask> tasks) {
    for (HandlerTask task : tasks) {
      task.start();
    }
  }

  /**
   * Starts handlers, once, whoever runs it first: a thread whose {@code start} throws may
   * nevertheless run.
   */
  private static final class Starter implements Runnable {

    private final AtomicBoolean claimed = new AtomicBoolean();
    private final List<HandlerTask> tasks;

    Starter(List<HandlerTask> tasks) {
      this.tasks = tasks;
    }

    @Override
    public void run() {
      if (claimed.compareAndSet(false, true)) {
        startEach(tasks);
      }
    }
  }
}
