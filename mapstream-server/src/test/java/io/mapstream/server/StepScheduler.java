package io.mapstream.server;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;

/**
 * Runs an event loop, the engine's other threads, and external events, one step at a time. {@link
 * Orders} decides at each {@link #point} which one is next. A step ends where another thread can
 * observe its effect: at the start and the end of a handler and of a task of the loop, after a
 * handler has given the loop a task, and before a write to the client.
 *
 * <p>The loop is the test's own thread.
 */
final class StepScheduler implements Executor {

  /** A source of steps. */
  private interface Actor {}

  private enum Outside implements Actor {
    LOOP,
    EVENTS
  }

  private enum Phase {
    NEW,
    READY,
    WAITS_FOR_INTERRUPTION,
    ENDED
  }

  private final Orders orders;
  private final Thread loop = Thread.currentThread();
  private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
  private final ArrayDeque<Runnable> events = new ArrayDeque<>();
  private final List<Handler> handlers = new ArrayList<>();
  private final StringBuilder story = new StringBuilder();
  private Actor current = Outside.LOOP;

  private Consumer<Thread> whenStarted = thread -> {};

  StepScheduler(Orders orders) {
    this.orders = orders;
  }

  /** Gives {@code check} each thread just before it starts. */
  void whenStarted(Consumer<Thread> check) {
    whenStarted = check;
  }

  /** Adds an external event, a task of the loop. Events keep their order, but occur at any time. */
  void event(Runnable task) {
    events.add(task);
  }

  /** A handler's thread, for {@link HandlerTask.Threads}. */
  Thread thread(String name, Runnable task) {
    return new Handler(name, task);
  }

  /** Runs until no step is left. */
  void run() {
    while (runOthers(false)) {
      story.append(" |");
      tasks.remove().run();
    }
    for (Handler handler : handlers) {
      if (handler.phase != Phase.ENDED) {
        throw new AssertionError(handler.getName() + " " + handler.phase + " forever");
      }
    }
  }

  /** Marks a point at which another thread may run. */
  void point(String what) {
    story.append(' ').append(what);
    if (Thread.currentThread() instanceof Handler handler) {
      handler.endStep(Phase.READY);
    } else {
      runOthers(true);
    }
  }

  /** Waits until the handler's thread is interrupted, and clears the flag. */
  void awaitInterruption() throws InterruptedException {
    ((Handler) Thread.currentThread()).endStep(Phase.WAITS_FOR_INTERRUPTION);
    if (!Thread.interrupted()) {
      throw new AssertionError("was not interrupted");
    }
    throw new InterruptedException();
  }

  boolean isLoop() {
    return Thread.currentThread() == loop;
  }

  /** A task for the loop. */
  @Override
  public void execute(Runnable task) {
    tasks.add(task);
    if (!isLoop()) {
      point("executes");
    }
  }

  /** Runs other steps; returns true when the loop is next, and false if no step is left. */
  private boolean runOthers(boolean loopCan) {
    while (true) {
      List<Actor> able = able(loopCan || !tasks.isEmpty());
      if (able.isEmpty()) {
        return false;
      }
      boolean canContinue = able.get(0) == current;
      Actor next = able.get(orders.choose(able.size(), !canContinue));
      if (next == Outside.EVENTS) {
        story.append(" event");
        tasks.add(events.remove());
        continue;
      }
      current = next;
      if (current == Outside.LOOP) {
        return true;
      } else {
        Handler handler = (Handler) current;
        story.append(" [").append(handler.getName());
        handler.step();
        story.append(']');
      }
    }
  }

  /** The actors that can do a step; first the one that did the last step. */
  private List<Actor> able(boolean loopCan) {
    List<Actor> able = new ArrayList<>();
    if (loopCan) {
      able.add(Outside.LOOP);
    }
    for (Handler handler : handlers) {
      if (handler.canContinue()) {
        able.add(handler);
      }
    }
    if (!events.isEmpty()) {
      able.add(Outside.EVENTS);
    }
    if (able.remove(current)) {
      able.add(0, current);
    }
    return able;
  }

  /** The steps so far, for the message of a failure. */
  @Override
  public String toString() {
    return orders + ";" + story;
  }

  private final class Handler extends Thread implements Actor {
    private final Semaphore turn = new Semaphore(0);
    private final Semaphore done = new Semaphore(0);
    private Phase phase = Phase.NEW;
    private boolean interrupted;

    Handler(String name, Runnable task) {
      super(task, name);
      setDaemon(true);
    }

    @Override
    public void start() {
      if (!isLoop()) {
        point("will start " + getName());
      }
      whenStarted.accept(this);
      handlers.add(this);
      phase = Phase.READY;
      super.start();
      point("starts");
    }

    @Override
    public void run() {
      turn.acquireUninterruptibly();
      try {
        super.run();
      } finally {
        phase = Phase.ENDED;
        done.release();
      }
    }

    @Override
    public void interrupt() {
      interrupted = true;
      super.interrupt();
      if (isLoop()) {
        point("interrupts");
      }
    }

    boolean canContinue() {
      return phase == Phase.READY || (phase == Phase.WAITS_FOR_INTERRUPTION && interrupted);
    }

    void step() {
      turn.release();
      done.acquireUninterruptibly();
    }

    void endStep(Phase next) {
      phase = next;
      done.release();
      turn.acquireUninterruptibly();
    }
  }
}
