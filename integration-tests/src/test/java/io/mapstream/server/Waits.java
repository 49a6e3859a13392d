package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Waits, each with a limit far above the duration of any step, since the machine may be busy. */
final class Waits {

  static final Duration LIMIT = Duration.ofSeconds(30);

  private static final long PAUSE_NANOS = 1_000_000;

  private Waits() {}

  // For events that are signalled.

  static void await(CountDownLatch latch) throws InterruptedException {
    assertTrue(
        latch.await(LIMIT.toNanos(), TimeUnit.NANOSECONDS),
        () -> "still waiting for " + latch.getCount() + " after " + LIMIT);
  }

  static void acquire(Semaphore permits, int count) throws InterruptedException {
    assertTrue(
        permits.tryAcquire(count, LIMIT.toNanos(), TimeUnit.NANOSECONDS),
        () -> permits.availablePermits() + " of " + count + " after " + LIMIT);
  }

  static <T> T get(Future<T> future) throws InterruptedException {
    return get(future, LIMIT);
  }

  static <T> T get(Future<T> future, Duration limit) throws InterruptedException {
    try {
      return future.get(limit.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw new AssertionError("nothing after " + limit, e);
    } catch (ExecutionException e) {
      throw new AssertionError(e.getCause());
    }
  }

  static void join(Thread thread) throws InterruptedException {
    assertTrue(thread.join(LIMIT), () -> thread + " is still running after " + LIMIT);
  }

  /** An action that may throw. */
  interface Action {
    void run() throws Exception;
  }

  /** Runs {@code action} on its own daemon thread; {@link #get} throws its failure. */
  static Future<Void> inBackground(Action action) {
    return computed(() -> {
      action.run();
      return null;
    });
  }

  /** Like {@link #inBackground}, with a result. */
  static <T> Future<T> computed(Callable<T> computation) {
    FutureTask<T> task = new FutureTask<>(computation);
    Thread.ofPlatform().daemon().name("test-background").start(task);
    return task;
  }

  // For states that must be polled.

  /** Returns once {@code state} holds; fails with the actual state if that takes too long. */
  static void until(String expected, BooleanSupplier state, Supplier<?> instead) {
    until(LIMIT, expected, state, instead);
  }

  /** As above, with another limit. */
  static void until(Duration limit, String expected, BooleanSupplier state, Supplier<?> instead) {
    long deadline = System.nanoTime() + limit.toNanos();
    while (!state.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError(
            "not within %s: %s, but %s".formatted(limit, expected, instead.get()));
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  /** Like {@link #until}, with a garbage collection before each check. */
  static void untilCollected(String expected, BooleanSupplier state, Supplier<?> instead) {
    until(
        expected,
        () -> {
          System.gc();
          return state.getAsBoolean();
        },
        instead);
  }

  /** Waits until {@code thread} is parked, for example because it waits for permits or a lock. */
  static void untilParked(Thread thread) {
    until(thread + " parked", () -> thread.getState() == Thread.State.WAITING, thread::getState);
  }

  /** Fails as soon as {@code state} does not hold during {@code time}. */
  static void holdsFor(Duration time, BooleanSupplier state, Supplier<?> instead) {
    long end = System.nanoTime() + time.toNanos();
    while (System.nanoTime() - end < 0) {
      if (!state.getAsBoolean()) {
        throw new AssertionError(String.valueOf(instead.get()));
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }
}
