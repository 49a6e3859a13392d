package io.mapstream.server;

import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import org.jetbrains.lincheck.Lincheck;

/**
 * Runs a scenario under Lincheck, in many schedules of its threads, and provides an event loop for
 * it.
 */
final class ModelChecker {

  private static final int COUNT = Integer.getInteger("mapstream.interleaving.schedules", 100);

  private ModelChecker() {}

  /**
   * Runs a scenario repeatedly, each time with another order of its threads' steps. The first run
   * is without the checker, because no class may be initialized under it.
   */
  static void explore(Runnable scenario) {
    scenario.run();
    Lincheck.runConcurrentTest(COUNT, scenario);
  }

  static void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }

  static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /**
   * An event loop on a thread that the model checker schedules like the others. Uses a monitor,
   * which is one step for the checker; a lock or a queue of the JDK would be many.
   */
  static final class Loop implements Executor {
    private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
    private final Thread thread = new Thread(this::run);
    private boolean finished;

    Loop() {
      thread.start();
    }

    private void run() {
      while (!finished) {
        next().run();
      }
    }

    private synchronized Runnable next() {
      while (tasks.isEmpty()) {
        waitForChange();
      }
      return tasks.remove();
    }

    /** Called in a loop, with the monitor held. */
    @SuppressWarnings("WaitNotInLoop")
    private void waitForChange() {
      try {
        wait();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }

    @Override
    public synchronized void execute(Runnable task) {
      tasks.add(task);
      notifyAll();
    }

    /** Returns when the loop has run all tasks that it has received so far. */
    void await() {
      boolean[] reached = {false};
      execute(() -> {
        synchronized (this) {
          reached[0] = true;
          notifyAll();
        }
      });
      synchronized (this) {
        while (!reached[0]) {
          waitForChange();
        }
      }
    }

    /** Ends the loop when it has run all its tasks. */
    void finish() {
      execute(() -> finished = true);
      join(thread);
    }
  }
}
