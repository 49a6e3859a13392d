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
 * Detects that the heap is full, whichever code runs out of memory. An {@link OutOfMemoryError} may
 * get lost: in gRPC, in Netty, or where its report also needs memory. Datums are then neither
 * answered nor refused, and nothing else would report it.
 *
 * <p>The JVM clears all soft references before it throws the first such Error, which wakes this
 * thread without taking memory. The thread then tries to allocate some, and if that fails a few
 * times in a row, the heap is full. On an idle server it only waits (decision 22).
 */
final class HeapWatch {

  /** How many tries have to fail, one pause apart: others may need a lot of memory for a moment. */
  static final int TRIES = 3;

  /**
   * The classes that are caught here when the heap is full. The JVM resolves such a class when the
   * first one is caught, which takes memory: without it, the Error is not caught.
   */
  @SuppressWarnings("UnusedVariable")
  private static final List<Class<? extends Throwable>> CAUGHT =
      List.of(OutOfMemoryError.class, InterruptedException.class);

  private final Supplier<byte[]> memory;
  private final long pauseNanos;
  private final Runnable onFull;
  private final ReferenceQueue<Object> cleared = new ReferenceQueue<>();
  private volatile @Nullable Reference<Object> sentinel;

  /** Whether the heap is already known to be full. */
  private volatile boolean known;

  /** A field, so that no compiler removes the allocation as useless. */
  @SuppressWarnings("UnusedVariable")
  private volatile byte @Nullable [] tried;

  private @Nullable Thread thread;

  /**
   * Creates a watch that has not started.
   *
   * @param memory allocates what must fit into the heap
   * @param pause the time between two tries
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

  /** Called when the heap is known to be full: ends the tries. Any thread; needs no memory. */
  void full() {
    known = true;
    Reference<Object> waiting = sentinel;
    if (waiting != null) {
      waiting.enqueue();
    }
  }

  /** Returns what the JVM clears when memory is short; null until it has been created. */
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
