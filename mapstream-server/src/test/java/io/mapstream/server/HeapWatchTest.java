package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.lang.ref.Reference;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How a full heap is detected. */
class HeapWatchTest {

  private final AtomicInteger refusals = new AtomicInteger();
  private final Semaphore tries = new Semaphore(0);
  private final CountDownLatch full = new CountDownLatch(1);
  private final HeapWatch watch = new HeapWatch(this::allocate, Duration.ZERO, full::countDown);

  private byte[] allocate() {
    boolean refused = refusals.getAndDecrement() > 0;
    tries.release();
    if (refused) {
      throw new OutOfMemoryError("none for a test");
    }
    return new byte[0];
  }

  @AfterEach
  void stop() {
    watch.stop();
  }

  private void awaitTries(int count) throws InterruptedException {
    assertEquals(true, tries.tryAcquire(count, 10, TimeUnit.SECONDS), "no attempt was made");
  }

  /** Does what the JVM does when memory is short. */
  @SuppressWarnings("ReferenceEquality") // References are compared by identity.
  private Reference<?> clearSoftReferences(@Nullable Reference<?> before)
      throws InterruptedException {
    Reference<Object> sentinel = watch.sentinel();
    while (sentinel == null || sentinel == before) {
      Thread.sleep(1);
      sentinel = watch.sentinel();
    }
    sentinel.enqueue();
    return sentinel;
  }

  @Test
  void aHeapIsFullWhenSeveralAttemptsInARowFindNoMemory() throws Exception {
    watch.start();
    awaitTries(1);
    refusals.set(HeapWatch.TRIES);
    clearSoftReferences(null);

    assertEquals(true, full.await(10, TimeUnit.SECONDS));
    awaitTries(HeapWatch.TRIES);
    assertEquals(0, tries.availablePermits());
  }

  @Test
  void aHeapThatIsKnownToBeFullIsNotTriedAgain() throws Exception {
    watch.start();
    awaitTries(1);
    watch.full();

    assertEquals(true, full.await(10, TimeUnit.SECONDS));
    assertEquals(0, tries.availablePermits());
  }

  @Test
  void aShortageThatPassesIsForgotten() throws Exception {
    watch.start();
    awaitTries(1);
    refusals.set(HeapWatch.TRIES - 1);
    Reference<?> first = clearSoftReferences(null);
    awaitTries(HeapWatch.TRIES);
    refusals.set(HeapWatch.TRIES - 1);
    clearSoftReferences(first);
    awaitTries(HeapWatch.TRIES);

    assertNotNull(watch.sentinel());
    assertEquals(1, full.getCount());
  }
}
