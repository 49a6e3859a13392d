package io.mapstream.server;

import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.SoftReference;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Notices that the heap is full, whoever finds no memory. An {@link OutOfMemoryError} may get lost:
 * in gRPC, in Netty, or where its report needs memory, too. Then datums are neither answered nor
 * refused, and nothing else would tell.
 *
 * <p>The JVM clears all soft references before it throws the first such Error, which wakes this
 * thread without taking memory. The thread then tries to get some, and where that fails a few times
 * in a row, the heap is full. On an idle server it only waits (decision 22).
 */
final class HeapWatch {

  /** So many tries have to fail, one pause apart: others may need a lot for a moment. */
  static final int TRIES = 3;

  /**
   * What is caught here with a full heap. The JVM looks such a class up when the first one is
   * caught, which takes memory: without it, the Error passes by.
   */
  @SuppressWarnings("UnusedVariable")
  private static final List<Class<? extends Throwable>> CAUGHT =
      List.of(OutOfMemoryError.class, InterruptedException.class);

  private final Supplier<byte[]> memory;
  private final long pauseNanos;
  private final Runnable onFull;
  private final ReferenceQueue<Object> cleared = new ReferenceQueue<>();
  private volatile @Nullable Reference<Object> sentinel;

  /** Somebody has found out already. */
  private volatile boolean known;

  /** A field, so that no compiler finds the allocation to be useless. */
  @SuppressWarnings("UnusedVariable")
  private volatile byte @Nullable [] tried;

  private @Nullable Thread thread;

  /**
   * A watch that has not begun.
   *
   * @param memory allocates what there has to be room for
   * @param pause between two tries
   * @param onFull run once, on the watch's thread; must not need memory
   */
  HeapWatch(Supplier<byte[]> memory, Duration pause, Runnable onFull) {
    this.memory = memory;
    this.pauseNanos = pause.toNanos();
    this.onFull = onFull;
  }

  void start() {
    thread = Thread.ofPlatform().daemon().name("mapstream-heap").start(this::run);
  }

  void stop() {
    if (thread != null) {
      thread.interrupt();
    }
  }

  /** The heap is known to be full: nothing is tried any more. Any thread; needs no memory. */
  void full() {
    known = true;
    Reference<Object> waiting = sentinel;
    if (waiting != null) {
      waiting.enqueue();
    }
  }

  /** What the JVM clears when memory is short; null until it has been made. */
  @Nullable Reference<Object> sentinel() {
    return sentinel;
  }

  private void run() {
    int failed = 0;
    while (failed < TRIES && !known) {
      try {
        tried = memory.get();
        tried = null;
        sentinel = new SoftReference<>(new Object(), cleared);
        failed = 0;
        if (!known) {
          cleared.remove();
        }
      } catch (OutOfMemoryError e) {
        failed++;
      } catch (InterruptedException e) {
        return;
      }
      if (!known) {
        LockSupport.parkNanos(pauseNanos);
      }
    }
    onFull.run();
  }
}
