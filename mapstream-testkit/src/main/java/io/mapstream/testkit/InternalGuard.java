package io.mapstream.testkit;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A reentrant lock for shared state, with waits for changes of that state. Internal: not part of
 * the API, may change in any release.
 */
public final class InternalGuard {

  /**
   * An action on the state.
   *
   * @param <T> the type of its result
   * @param <X> the type of its exception
   */
  public interface Action<T extends @Nullable Object, X extends Exception> {
    /**
     * {@return the result for the caller} Called with the lock held.
     *
     * @throws X if the action fails
     */
    T run() throws X;
  }

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /** Creates a guard that is not held. */
  public InternalGuard() {}

  /**
   * {@return the result of an action}
   *
   * @param <T> the type of its result
   * @param <X> the type of its exception
   * @param action called with the lock held
   * @throws X if the action throws it
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
   * Runs an action without waking waiting threads.
   *
   * @param action called with the lock held
   */
  public void run(Runnable action) {
    get(() -> {
      action.run();
      return null;
    });
  }

  /**
   * Changes the state and wakes all waiting threads.
   *
   * @param change called with the lock held
   */
  public void update(Runnable change) {
    run(() -> {
      change.run();
      changed.signalAll();
    });
  }

  /**
   * Waits until a state is reached, or until nothing has changed for the given time.
   *
   * @param limit how long to wait for the next change
   * @param reached called with the lock held
   * @return whether the state was reached
   * @throws InterruptedException if the thread is interrupted, before or during the wait, even if
   *     the state was already reached
   */
  public boolean awaitWhileChanging(Duration limit, BooleanSupplier reached)
      throws InterruptedException {
    throwIfInterrupted();
    return get(() -> {
      boolean isChanging = true;
      while (isChanging && !reached.getAsBoolean()) {
        isChanging = changed.await(Deadline.nanos(limit), TimeUnit.NANOSECONDS);
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

  /**
   * Checks first, as the JDK's waits do, so that an interruption is noticed whatever the timing.
   */
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
