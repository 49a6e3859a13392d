package io.mapstream.testkit.cli;

import io.mapstream.testkit.InternalGuard;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Prints the progress of a run to standard error once a second: as separate lines if requested;
 * otherwise, on a terminal only, as one line that is overwritten.
 */
final class ProgressLine implements AutoCloseable {

  private static final String CLEAR_LINE = "\r\u001b[K";

  private final Terminal terminal;
  private final boolean lines;
  private final Supplier<String> line;
  private final InternalGuard guard = new InternalGuard();
  private final ScheduledExecutorService clock =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("mapstream-progress").factory());

  // Guarded by it.
  private boolean shown;
  private boolean closed;

  /**
   * Starts printing.
   *
   * @param lines whether to print separate lines, even if standard error is not a terminal
   * @param firstSecond the second at which the first line is printed
   */
  ProgressLine(Terminal terminal, boolean lines, int firstSecond, Supplier<String> line) {
    this.terminal = terminal;
    this.lines = lines;
    this.line = line;
    var unused = clock.scheduleAtFixedRate(this::show, firstSecond, 1, TimeUnit.SECONDS);
  }

  private void show() {
    String text = line.get();
    guard.run(() -> {
      if (closed) {
        return;
      }
      if (lines) {
        terminal.err().println(text);
      } else if (terminal.interactive()) {
        print(text);
        shown = true;
      }
    });
  }

  private void print(String text) {
    terminal.err().print(CLEAR_LINE + text);
    terminal.err().flush();
  }

  /** Clears the line for other output. */
  void erase() {
    guard.run(() -> {
      if (shown) {
        print("");
        shown = false;
      }
    });
  }

  /** Stops printing and clears the line. */
  @Override
  public void close() {
    clock.shutdownNow();
    guard.run(() -> {
      closed = true;
      erase();
    });
  }
}
