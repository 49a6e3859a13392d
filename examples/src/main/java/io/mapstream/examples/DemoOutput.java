package io.mapstream.examples;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * Standard output, a line at a time. A line appears within some milliseconds, and together with
 * others when there are many: a thread of its own flushes whatever is there. Whoever writes waits
 * while the reader of standard output is slower.
 */
final class DemoOutput {

  private static final long TOGETHER_MILLIS = 5;

  private final OutputStream out;
  private final Runnable beforeFlush;
  private final Consumer<IOException> onFailure;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition written = lock.newCondition();

  // Guarded by lock.
  private boolean dirty;
  private boolean failed;

  /**
   * Takes over a stream.
   *
   * @param beforeFlush called before lines appear
   * @param onFailure told once, when the stream takes no more; later lines are dropped
   */
  DemoOutput(OutputStream out, Runnable beforeFlush, Consumer<IOException> onFailure) {
    this.out = new BufferedOutputStream(out, 64 * 1024);
    this.beforeFlush = beforeFlush;
    this.onFailure = onFailure;
  }

  void start() {
    Thread.ofPlatform().daemon().name("demo-output").start(this::flushAsItComes);
  }

  void line(byte[] line) {
    lock.lock();
    try {
      if (!failed) {
        out.write(line);
        out.write('\n');
        if (!dirty) {
          dirty = true;
          written.signal();
        }
      }
    } catch (IOException e) {
      fail(e);
    } finally {
      lock.unlock();
    }
  }

  private void flushAsItComes() {
    lock.lock();
    try {
      while (!failed) {
        while (!dirty) {
          written.await();
        }
        // Too short for people to notice, long enough for many lines to share one system call.
        lock.unlock();
        try {
          TimeUnit.MILLISECONDS.sleep(TOGETHER_MILLIS);
        } finally {
          lock.lock();
        }
        flush();
      }
    } catch (InterruptedException e) {
      // Nobody interrupts this thread but the end of the process.
    } finally {
      lock.unlock();
    }
  }

  /** Returns when everything so far is out. */
  void flush() {
    lock.lock();
    try {
      if (dirty && !failed) {
        dirty = false;
        beforeFlush.run();
        out.flush();
      }
    } catch (IOException e) {
      fail(e);
    } finally {
      lock.unlock();
    }
  }

  private void fail(IOException e) {
    failed = true;
    onFailure.accept(e);
  }
}
