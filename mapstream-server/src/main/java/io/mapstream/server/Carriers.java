package io.mapstream.server;

import java.lang.management.ManagementFactory;
import java.lang.management.PlatformManagedObject;
import java.lang.reflect.Method;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Sets the number of carriers, the platform threads that run the JVM's virtual threads. It is
 * raised while handlers starve, and restored some time after the last of them was starved. All
 * servers of the process share it.
 *
 * <p>Since version 24, the JDK lets a program change this number, by {@code
 * jdk.management.VirtualThreadSchedulerMXBean}. Its classes are loaded when they are first needed.
 * On an older JDK, or if the module is missing, nothing changes, and this is logged.
 */
final class Carriers {

  /** Gets and sets the maximum number of carriers. Called on one thread at a time. */
  interface Scheduler {
    int parallelism();

    void setParallelism(int carriers);
  }

  /** Finds the JVM's scheduler. */
  @FunctionalInterface
  interface Finder {
    Scheduler find() throws ReflectiveOperationException;
  }

  static final Carriers OF_JVM =
      new Carriers(
          JdkScheduler::find,
          Carriers::onFreshThread,
          (nanos, action) ->
              CompletableFuture.delayedExecutor(
                      nanos, TimeUnit.NANOSECONDS, Carriers::onFreshThread)
                  .execute(action),
          System::nanoTime);

  /** The first raise goes at least this far, so that one step helps a small machine. */
  private static final int FIRST_STEP = 8;

  private static final long SHORTEST_HOLD = TimeUnit.SECONDS.toNanos(1);
  private static final long LONGEST_HOLD = TimeUnit.MINUTES.toNanos(1);

  private static final ServerLog log = ServerLog.of(Carriers.class);

  private final Finder finder;
  private final Executor freshThread;
  private final SlowHandlers.Timer timer;
  private final LongSupplier clock;

  /** Whether a raise is in progress. */
  private final AtomicBoolean raising = new AtomicBoolean();

  private volatile boolean unavailable;
  private volatile long starvedAt;

  /** The number of carriers since the last raise; 0 when none is in effect. */
  private volatile int raised;

  private final ReentrantLock lock = new ReentrantLock();

  // Guarded by lock, which no event loop waits for.
  private @Nullable Scheduler scheduler;

  /** The number to restore. */
  private int before;

  /** For how long after the last starvation the raise stays in effect. */
  private long hold;

  private long loweredAt;

  /**
   * Creates an instance that has not looked up or changed anything.
   *
   * @param freshThread runs an action on a new platform thread
   * @param timer runs an action once, after some time; on any thread
   * @param clock returns nanoseconds, as {@link System#nanoTime} does
   */
  Carriers(Finder finder, Executor freshThread, SlowHandlers.Timer timer, LongSupplier clock) {
    this.finder = finder;
    this.freshThread = freshThread;
    this.timer = timer;
    this.clock = clock;
  }

  private static void onFreshThread(Runnable action) {
    Thread.ofPlatform()
        .daemon()
        .name("mapstream-carriers")
        .inheritInheritableThreadLocals(false)
        .start(action);
  }

  /**
   * Called when handlers are starved: raises the number of carriers soon. Never waits and never
   * throws; any thread.
   *
   * @param most the largest number of carriers
   */
  @SuppressWarnings("CatchingUnchecked")
  void starved(int most) {
    starvedAt = clock.getAsLong();
    if (unavailable || raised >= most || !raising.compareAndSet(false, true)) {
      return;
    }
    try {
      freshThread.execute(() -> raise(most));
    } catch (Throwable t) {
      raising.set(false); // No thread is available: the next check tries again.
      log.debug("the number of carriers can't be raised now", t);
    }
  }

  @SuppressWarnings("CatchingUnchecked")
  private void raise(int most) {
    lock.lock();
    try {
      if (scheduler == null) {
        scheduler = finder.find();
      }
      raise(scheduler, most);
    } catch (Throwable t) {
      unavailable = true;
      log.info(
          "handlers occupy all carriers of virtual threads while others wait; the number of"
              + " carriers can be raised at run time only on JDK 24 and newer, with the module"
              + " jdk.management. Here, set it with -Djdk.virtualThreadScheduler.parallelism ({})",
          t.toString());
    } finally {
      lock.unlock();
      raising.set(false);
    }
  }

  private void raise(Scheduler carriers, int most) {
    int current = carriers.parallelism();
    if (current != raised) {
      before = current; // Also if other code has changed it since the last raise.
    }
    int more = Math.max(current, Math.min(most, Math.max(FIRST_STEP, 2 * current)));
    if (more > current) {
      carriers.setParallelism(more);
      log.debug(
          "handlers are starved: {} carriers of virtual threads instead of {}", more, current);
    }
    boolean isFirst = raised == 0;
    raised = more;
    if (isFirst) {
      boolean isSoonAgain = hold > 0 && clock.getAsLong() - loweredAt < hold;
      hold = isSoonAgain ? Math.min(2 * hold, LONGEST_HOLD) : SHORTEST_HOLD;
      timer.after(hold, this::lower);
    }
  }

  /** Restores the previous number, unless handlers have been starved lately. */
  private void lower() {
    lock.lock();
    try {
      long now = clock.getAsLong();
      long left = hold - (now - starvedAt);
      if (left > 0) {
        timer.after(left, this::lower);
        return;
      }
      Scheduler carriers = Objects.requireNonNull(scheduler);
      if (before != raised && carriers.parallelism() == raised) {
        carriers.setParallelism(before);
        log.debug(
            "no handler is starved: {} carriers of virtual threads instead of {}", before, raised);
      }
      raised = 0;
      loweredAt = now;
    } finally {
      lock.unlock();
    }
  }

  /**
   * The JDK's scheduler, accessed through its public interface by name, since JDK 21 does not have
   * it.
   */
  private record JdkScheduler(Object bean, Method getter, Method setter) implements Scheduler {

    static Scheduler find() throws ReflectiveOperationException {
      Class<? extends PlatformManagedObject> type =
          Class.forName("jdk.management.VirtualThreadSchedulerMXBean")
              .asSubclass(PlatformManagedObject.class);
      return new JdkScheduler(
          Objects.requireNonNull(ManagementFactory.getPlatformMXBean(type), type.getName()),
          type.getMethod("getParallelism"),
          type.getMethod("setParallelism", int.class));
    }

    @Override
    public int parallelism() {
      return (int) Objects.requireNonNull(call(getter));
    }

    /**
     * A carrier is started by a task that joins an empty queue, and the queues of the threads that
     * start handlers need not be empty when handlers wait. A new thread has its own queue.
     */
    @Override
    public void setParallelism(int carriers) {
      call(setter, carriers);
      Thread.startVirtualThread(() -> {});
    }

    private @Nullable Object call(Method method, Object... arguments) {
      try {
        return method.invoke(bean, arguments);
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(method.getName() + " of the JDK's scheduler failed", e);
      }
    }
  }
}
