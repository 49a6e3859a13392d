package io.mapstream.examples;

import java.io.IOException;
import java.io.PrintStream;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.HdrHistogram.SynchronizedHistogram;

/**
 * What came of a demo, for the person at the terminal: a line of progress on longer input, and a
 * summary. Counts may be changed and read by any thread.
 */
final class DemoReport {

  private static final long PROGRESS_AFTER_SECONDS = 2;
  private static final long PROGRESS_EVERY_SECONDS = 1;
  private static final String ERASE = "\r\u001b[K";

  private final PrintStream err;
  private final AtomicLong datums = new AtomicLong();
  private final AtomicLong messages = new AtomicLong();
  private final AtomicLong dropped = new AtomicLong();
  private final SynchronizedHistogram nanosToFirst = new SynchronizedHistogram(3);

  /** Before the first line is sent; what the JVMs need to start is not counted. */
  private volatile long start = System.nanoTime();

  private volatile long last = start;

  // Guarded by this.
  private boolean over;
  private boolean overwrites;
  private boolean shown;
  private boolean erasesForOutput;

  DemoReport(PrintStream err) {
    this.err = err;
  }

  void firstResult(long nanosSinceSent) {
    nanosToFirst.recordValue(Math.max(0, nanosSinceSent));
  }

  void message() {
    messages.incrementAndGet();
  }

  void dropped() {
    dropped.incrementAndGet();
  }

  void datum() {
    datums.incrementAndGet();
    last = System.nanoTime();
  }

  /** Starts the clock, and shows progress if the demo takes that long. */
  void start() {
    start = System.nanoTime();
    last = start;
    Thread.ofPlatform()
        .daemon()
        .name("demo-progress")
        .start(() -> {
          try {
            TimeUnit.SECONDS.sleep(PROGRESS_AFTER_SECONDS);
            findTerminals();
            for (long before = 0; showProgress(before); ) {
              before = messages.get();
              TimeUnit.SECONDS.sleep(PROGRESS_EVERY_SECONDS);
            }
          } catch (InterruptedException e) {
            // Nobody interrupts this thread but the end of the process.
          }
        });
  }

  private synchronized boolean showProgress(long before) {
    if (!over) {
      double perSecond = (double) (messages.get() - before) / PROGRESS_EVERY_SECONDS;
      String line =
          String.format(
              Locale.ROOT,
              "%d s: %d datums, %d messages, %.0f messages/s",
              TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start),
              datums.get(),
              messages.get(),
              perSecond);
      err.print(overwrites ? ERASE + line : line + System.lineSeparator());
      err.flush();
      shown = overwrites;
    }
    return !over;
  }

  /** Makes way for messages on the same terminal. */
  synchronized void erase() {
    if (shown && erasesForOutput) {
      err.print(ERASE);
      err.flush();
      shown = false;
    }
  }

  private synchronized void findTerminals() {
    overwrites = isTerminal(2);
    erasesForOutput = overwrites && isTerminal(1);
  }

  /** Java can't tell for one stream alone; every Unix has a command that can. */
  private static boolean isTerminal(int descriptor) {
    try {
      return new ProcessBuilder("test", "-t", Integer.toString(descriptor))
              .inheritIO()
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Shows the summary, once; no progress follows. */
  synchronized void summary() {
    if (!over) {
      end();
      double seconds = Math.max(1, last - start) / 1e9;
      err.printf(
          Locale.ROOT,
          "%d datums, %d messages%s in %.2f s, %.0f messages/s; to the first result p50 %s ms, p99"
              + " %s ms%n",
          datums.get(),
          messages.get(),
          dropped.get() == 0 ? "" : " (" + dropped.get() + " datums dropped)",
          seconds,
          messages.get() / seconds,
          millisAt(50),
          millisAt(99));
    }
  }

  /** No summary, and no progress any more. */
  synchronized void end() {
    over = true;
    if (shown) {
      err.print(ERASE);
      shown = false;
    }
  }

  private String millisAt(double percentile) {
    return nanosToFirst.getTotalCount() == 0
        ? "-"
        : String.format(Locale.ROOT, "%.2f", nanosToFirst.getValueAtPercentile(percentile) / 1e6);
  }
}
