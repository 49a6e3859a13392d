package io.mapstream.testkit;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A lock for state that threads share, and waits for its changes. Who holds it may enter again.
 * Internal: not part of the API, and free to change with each release.
 */
public final class InternalGuard {

  /**
   * Something to do with the state.
   *
   * @param <T> what it gives
   * @param <X> what it throws
   */
  public interface Action<T extends @Nullable Object, X extends Exception> {
    /**
     * {@return what is given to the caller} Called with the lock.
     *
     * @throws X for the caller
     */
    T run() throws X;
  }

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /** Makes a guard that nobody holds. */
  public InternalGuard() {}

  /**
   * {@return what an action gives}
   *
   * @param <T> what it gives
   * @param <X> what it throws
   * @param action called with the lock
   * @throws X if the action does
   */
  public <T extends @Nullable Object, X extends Exception> T get(Action<T, X> action) throws X {
    lock.lock();
    try {
      return action.run();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Does something that wakes nobody.
   *
   * @param action called with the lock
   */
  public void run(Runnable action) {
    get(() -> {
      action.run();
      return null;
    });
  }

  /**
   * Changes the state; wakes all that wait.
   *
   * @param change called with the lock
   */
  public void update(Runnable change) {
    run(() -> {
      change.run();
      changed.signalAll();
    });
  }

  /**
   * Waits until a state is reached, or nothing has changed for a time.
   *
   * @param limit how long to wait for the next change
   * @param reached called with the lock
   * @return whether it is reached
   * @throws InterruptedException if the thread was interrupted, also before, and also if the state
   *     is reached already
   */
  public boolean awaitWhileChanging(Duration limit, BooleanSupplier reached)
      throws InterruptedException {
    throwIfInterrupted();
    return get(() -> {
      boolean isChanging = true;
      while (isChanging && !reached.getAsBoolean()) {
        isChanging = changed.await(limit.toNanos(), TimeUnit.NANOSECONDS);
      }
      return reached.getAsBoolean();
    });
  }

  /** Waits until a state is reached, or throws a {@link WaitTimeoutError} that names it. */
  void await(Deadline deadline, BooleanSupplier reached, Supplier<String> name)
      throws InterruptedException {
    get(() -> {
      long left = deadline.nanosLeft();
      while (!reached.getAsBoolean()) {
        if (left <= 0) {
          throw new WaitTimeoutError("waited " + deadline + " for " + name.get());
        }
        left = Math.min(changed.awaitNanos(left), deadline.nanosLeft());
      }
      return null;
    });
  }

  /** As the JDK's waits do, so that an interruption does not depend on who is faster. */
  static void throwIfInterrupted() throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
  }

  void awaitUninterruptibly(BooleanSupplier reached) {
    run(() -> {
      while (!reached.getAsBoolean()) {
        changed.awaitUninterruptibly();
      }
    });
  }
}
