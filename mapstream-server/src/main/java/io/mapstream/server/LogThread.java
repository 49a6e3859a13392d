package io.mapstream.server;

import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * Writes the log for threads that must not wait for it: the event loop and those that stop the
 * server. A log may block, as standard error does if it is a pipe that is not read.
 *
 * <p>Lines of the server's own threads go through a bounded queue to one daemon thread. The first
 * line starts it; it ends when there is nothing more to write. When the queue is full, lines are
 * dropped and counted; the count is written when the log accepts lines again. All other threads,
 * including those of handlers, write their lines themselves. Lines that may occur in large numbers
 * are {@linkplain RepeatedLines counted} if they are alike.
 */
final class LogThread {

  /** The instance of this process, which shares one log. */
  static final LogThread OF_PROCESS = new LogThread(System::nanoTime);

  /** The most lines that wait. With the stack of an exception each, they take a few megabytes. */
  static final int CAPACITY = 512;

  /** How long the thread waits for another line before it ends. */
  private static final Duration IDLE = Duration.ofSeconds(5);

  /** The pause after an Error, which may be followed by similar ones. */
  private static final long PAUSE_NANOS = 20_000_000;

  /** The prefix of the names of the server's own platform threads, and of no others. */
  private static final String OWN_THREADS = "mapstream-";

  /** An element of the queue: a line to write, or a caller that waits for all lines before it. */
  private record Entry(@Nullable LogLine line, boolean counted, @Nullable CountDownLatch flushed) {}

  private final Queue<Entry> queue = new ConcurrentLinkedQueue<>();
  private final AtomicInteger waiting = new AtomicInteger();
  private final AtomicLong dropped = new AtomicLong();
  private final AtomicBoolean started = new AtomicBoolean();
  private final RepeatedLines repeated;
  private final LongSupplier clock;
  private volatile @Nullable Thread thread;

  /** When the number of dropped lines may be written again. */
  private volatile long droppedDue;

  /** Whether the thread wakes up on its own when a count is due. */
  private volatile boolean timed;

  LogThread(LongSupplier clock) {
    this.repeated = new RepeatedLines(clock);
    this.clock = clock;
    this.droppedDue = clock.getAsLong();
  }

  /**
   * Writes a line, or enqueues it. Never blocks one of the server's own threads.
   *
   * @param counted whether lines like it are counted instead of repeated
   */
  void log(LogLine line, boolean counted) {
    if (isOwn(Thread.currentThread())) {
      enqueue(line, counted);
    } else {
      write(line, counted);
    }
  }

  /** Returns whether lines of this thread are written by another one. */
  boolean isOwn(Thread caller) {
    String name = caller.getName();
    return caller.isVirtual()
        ? name.equals(StartQueue.STARTER)
        : name.startsWith(OWN_THREADS) && caller != thread;
  }

  private void enqueue(LogLine line, boolean counted) {
    if (waiting.incrementAndGet() > CAPACITY) {
      waiting.decrementAndGet();
      dropped.incrementAndGet();
    } else {
      queue.add(new Entry(line, counted, null));
    }
    wake();
  }

  /** Writes a line on a thread that may block. */
  private void write(LogLine line, boolean counted) {
    if (!counted || repeated.isNew(line)) {
      line.write();
    } else if (!timed) {
      wake();
    }
  }

  /**
   * Waits until all lines so far have been written, including counts. The thread then ends if there
   * is nothing else to do.
   *
   * @param limit how long to wait at most
   * @return whether all of them have been written
   */
  boolean flush(Duration limit) {
    if (!started.get() && queue.isEmpty()) {
      return true;
    }
    CountDownLatch flushed = new CountDownLatch(1);
    queue.add(new Entry(null, false, flushed));
    wake();
    try {
      return flushed.await(TimeUnit.NANOSECONDS.convert(limit), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Forgets what was counted so far: the next line of each kind is written in full. */
  void forgetRepeated() {
    repeated.forget();
  }

  /** Wakes the thread. The first call starts it; if that fails, the next one tries again. */
  @SuppressWarnings("CatchingUnchecked")
  private void wake() {
    if (!started.compareAndSet(false, true)) {
      LockSupport.unpark(thread);
      return;
    }
    try {
      Thread made =
          Thread.ofPlatform()
              .daemon()
              .inheritInheritableThreadLocals(false)
              .name(OWN_THREADS + "log")
              .unstarted(this::run);
      thread = made; // Before it runs, so that no wake-up is missed.
      made.start();
    } catch (Throwable t) {
      started.set(false); // Out of memory or of threads: this can't be reported.
    }
  }

  private void run() {
    boolean isDone = false;
    while (!isDone) {
      isDone = writeNext();
    }
  }

  /**
   * Writes what is due, or sleeps. An Error for lack of memory may occur anywhere, and must not end
   * the thread, which would not be started again.
   *
   * @return whether there is nothing left to do
   */
  @SuppressWarnings("CatchingUnchecked")
  private boolean writeNext() {
    try {
      Entry next = queue.poll();
      boolean flushed = next != null && handle(next);
      writeDropped(false);
      writeCounts(false);
      boolean isIdle = flushed || (next == null && sleep());
      return isIdle && mayEnd();
    } catch (Throwable t) {
      LockSupport.parkNanos(PAUSE_NANOS);
      // It may have been about to end, and another thread may have been started since.
      return thread != Thread.currentThread()
          || (!started.get() && !started.compareAndSet(false, true));
    }
  }

  /**
   * Returns whether this thread has nothing left to do. The next line then starts another thread.
   */
  private boolean mayEnd() {
    timed = false;
    if (!queue.isEmpty() || nanosUntilDue() >= 0) {
      return false;
    }
    started.set(false);
    boolean isIdle = queue.isEmpty() && nanosUntilDue() < 0;
    return isIdle || !started.compareAndSet(false, true);
  }

  /**
   * Handles an entry, and returns whether a caller waited for all lines before it, as a stop does
   * at its end.
   */
  private boolean handle(Entry entry) {
    LogLine line = entry.line();
    if (line != null) {
      waiting.decrementAndGet();
      quietly(() -> write(line, entry.counted()));
    }
    CountDownLatch flushed = entry.flushed();
    if (flushed != null) {
      writeDropped(true);
      writeCounts(true);
      flushed.countDown();
    }
    return flushed != null;
  }

  /** Writes the count at most once per window, as a flood may fill the queue again and again. */
  private void writeDropped(boolean atOnce) {
    long lines = dropped.get();
    long now = clock.getAsLong();
    if (lines > 0 && (atOnce || droppedDue - now <= 0)) {
      droppedDue = now + RepeatedLines.WINDOW.toNanos();
      quietly(() -> {
        LoggerFactory.getLogger(LogThread.class)
            .warn("{} log lines were dropped because the log could not keep up", lines);
        dropped.addAndGet(-lines);
      });
    }
  }

  /** Returns in how many nanoseconds there is a number to write; negative while there is none. */
  private long nanosUntilDue() {
    long counts = repeated.nanosUntilDue();
    if (dropped.get() == 0) {
      return counts;
    }
    long lines = Math.max(0, droppedDue - clock.getAsLong());
    return counts < 0 ? lines : Math.min(counts, lines);
  }

  private void writeCounts(boolean all) {
    quietly(() -> repeated.take(all).forEach(RepeatedLines.Count::write));
  }

  /** Ignores what is thrown: a line that can't be written must not end the thread. */
  @SuppressWarnings("CatchingUnchecked")
  private static void quietly(Runnable writing) {
    try {
      writing.run();
    } catch (Throwable t) {
      // The application's log has failed, or there is no memory: this can't be reported.
    }
  }

  /**
   * Sleeps until there is a line, a count is due, or the thread has been idle for some time.
   *
   * @return whether there may be nothing to do
   */
  private boolean sleep() {
    timed = false;
    long nanos = nanosUntilDue();
    if (!queue.isEmpty()) {
      return false;
    }
    timed = nanos >= 0;
    LockSupport.parkNanos(this, timed ? nanos : IDLE.toNanos());
    return !timed;
  }
}
