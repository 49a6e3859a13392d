package io.mapstream.testkit.cli;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * Says once a second on standard error how far a run is: on a terminal in one line that is written
 * over, elsewhere, if that is wanted, in lines.
 */
final class ProgressLine implements AutoCloseable {

  private static final String CLEAR_LINE = "\r\u001b[K";

  private final Terminal terminal;
  private final boolean lines;
  private final Supplier<String> line;
  private final ReentrantLock lock = new ReentrantLock();
  private final ScheduledExecutorService clock =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("mapstream-progress").factory());

  // Guarded by the lock.
  private boolean shown;
  private boolean closed;

  /**
   * Starts at once.
   *
   * @param lines whether lines are wanted where nobody is looking
   * @param firstSecond when the first line comes
   */
  ProgressLine(Terminal terminal, boolean lines, int firstSecond, Supplier<String> line) {
    this.terminal = terminal;
    this.lines = lines;
    this.line = line;
    var unused = clock.scheduleAtFixedRate(this::show, firstSecond, 1, TimeUnit.SECONDS);
  }

  private void show() {
    String text = line.get();
    lock.lock();
    try {
      if (closed) {
        return;
      }
      if (lines) {
        terminal.err().println(text);
      } else if (terminal.interactive()) {
        terminal.err().print(CLEAR_LINE + text);
        terminal.err().flush();
        shown = true;
      }
    } finally {
      lock.unlock();
    }
  }

  /** Makes the line free for something else. */
  void erase() {
    lock.lock();
    try {
      if (shown) {
        terminal.err().print(CLEAR_LINE);
        terminal.err().flush();
        shown = false;
      }
    } finally {
      lock.unlock();
    }
  }

  /** Shows no more, and leaves an empty line. */
  @Override
  public void close() {
    clock.shutdownNow();
    lock.lock();
    try {
      closed = true;
    } finally {
      lock.unlock();
    }
    erase();
  }
}
