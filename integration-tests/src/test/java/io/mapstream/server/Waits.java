package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.server.hostile.Await;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Waiting with a limit: far above what anything here takes, and far below a build's patience. */
final class Waits {

  static final Duration LIMIT = Duration.ofSeconds(30);

  private Waits() {}

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
    try {
      return future.get(LIMIT.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw new AssertionError("nothing after " + LIMIT, e);
    } catch (ExecutionException e) {
      throw new AssertionError(e.getCause());
    }
  }

  static void join(Thread thread) throws InterruptedException {
    assertTrue(thread.join(LIMIT), () -> thread + " runs on after " + LIMIT);
  }

  /** An action that may throw. */
  interface Action {
    void run() throws Exception;
  }

  /** Runs {@code action} on a daemon thread of its own; {@link #get} gives its failure. */
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

  /** Waits until {@code thread} is parked, as one that waits for room or for a lock is. */
  static void untilParked(Thread thread) {
    Await.until(
        thread + " parked", () -> thread.getState() == Thread.State.WAITING, thread::getState);
  }
}
