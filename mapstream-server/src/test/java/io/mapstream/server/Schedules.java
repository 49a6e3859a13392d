package io.mapstream.server;

import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import org.jetbrains.lincheck.Lincheck;

/** What the interleaving tests share: how many schedules are tried, and an event loop in them. */
final class Schedules {

  private static final int COUNT = Integer.getInteger("mapstream.interleaving.schedules", 100);

  private Schedules() {}

  /**
   * Runs a scenario again and again, each time with another order of its threads' steps; before
   * that as it comes, since classes must not be initialized for the first time under the checker.
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
   * An event loop on a thread that the model checker schedules like the others. With a monitor,
   * which is one step to the checker, where a lock or a queue of the JDK is many.
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

    /** Called in a loop, by those who hold the monitor. */
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

    /** Returns when all is done that was left to the loop so far. */
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

    /** Ends the loop when all that was left to it is done. */
    void finish() {
      execute(() -> finished = true);
      join(thread);
    }
  }
}
