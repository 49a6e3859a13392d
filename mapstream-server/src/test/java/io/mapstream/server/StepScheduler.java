package io.mapstream.server;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;

/**
 * An event loop, the handlers' threads, and events from outside, of which one at a time does a
 * step. {@link Orders} decide at each {@link #point} which one is next. A step ends where another
 * thread can see what was done: at the start and the end of a handler and of a task of the loop,
 * after a handler has given the loop something to do, and before a write to the client.
 *
 * <p>The loop is the test's own thread.
 */
final class StepScheduler implements Executor {

  /** Whoever can do a step. */
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

  private Runnable whenStarted = () -> {};

  StepScheduler(Orders orders) {
    this.orders = orders;
  }

  /** Runs {@code look} on the loop when a handler's thread is started. */
  void whenStarted(Runnable look) {
    whenStarted = look;
  }

  /** What is to happen from outside, in this order, whenever it comes: a task of the loop. */
  void event(Runnable task) {
    events.add(task);
  }

  /** A handler's thread, for {@link HandlerTask.Threads}. */
  Thread thread(String name, Runnable task) {
    return new Handler(name, task);
  }

  /** Runs until nobody can do a step any more. */
  void run() {
    while (runOthers(false)) {
      story.append(" |");
      tasks.remove().run();
    }
    for (Handler handler : handlers) {
      if (handler.phase != Phase.ENDED) {
        throw new AssertionError(handler.getName() + " " + handler.phase + " without end");
      }
    }
  }

  /** Here another thread may do what it has to do. */
  void point(String what) {
    story.append(' ').append(what);
    if (Thread.currentThread() instanceof Handler handler) {
      handler.endStep(Phase.READY);
    } else {
      runOthers(true);
    }
  }

  /** Ends when the handler's thread was interrupted, with the flag cleared. */
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
      point("tells");
    }
  }

  /** Returns true once it is the loop's turn, and false if it is nobody's. */
  private boolean runOthers(boolean loopCan) {
    while (true) {
      List<Actor> able = able(loopCan || !tasks.isEmpty());
      if (able.isEmpty()) {
        return false;
      }
      boolean couldGoOn = able.get(0) == current;
      Actor next = able.get(orders.choose(able.size(), !couldGoOn));
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

  /** Who can do a step; first the one who did the last. */
  private List<Actor> able(boolean loopCan) {
    List<Actor> able = new ArrayList<>();
    if (loopCan) {
      able.add(Outside.LOOP);
    }
    for (Handler handler : handlers) {
      if (handler.canGoOn()) {
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

  /** What has happened, for a failure's message. */
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
      whenStarted.run();
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

    boolean canGoOn() {
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
