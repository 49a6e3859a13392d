package io.mapstream.testkit.cli;

import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Looks once a second at a load that runs: prints a line, and asks for the server's memory. */
final class LoadProgress implements AutoCloseable {

  private final LoadMeter meter;
  private final LoadRun run;
  private final @Nullable ServerProcess process;
  private final AtomicLong memory = new AtomicLong();
  private final ProgressLine progress;

  LoadProgress(
      Terminal terminal,
      boolean lines,
      LoadMeter meter,
      LoadRun run,
      @Nullable ServerProcess process) {
    this.meter = meter;
    this.run = run;
    this.process = process;
    this.progress = new ProgressLine(terminal, lines, 1, this::look);
    lookAtMemory();
  }

  private String look() {
    lookAtMemory();
    return line();
  }

  private String line() {
    LoadMeter.Measured now = meter.measured();
    // The second that has just ended; the one that runs is not full.
    int second = (int) (now.nanos() / TimeUnit.SECONDS.toNanos(1)) - 1;
    return LoadReport.format(
        "%3.0f s  %,d requests/s  %,d results/s  %,d in flight  p50 %s ms  p99 %s ms",
        now.nanos() / 1e9,
        second < 0 ? 0L : now.requestsBySecond().get(second),
        second < 0 ? 0L : now.resultsBySecond().get(second),
        run.inFlight(),
        LoadReport.shown(now.end(), 50),
        LoadReport.shown(now.end(), 99));
  }

  private void lookAtMemory() {
    if (process != null) {
      process.memory().ifPresent(bytes -> memory.accumulateAndGet(bytes, Math::max));
    }
  }

  /** The most that was seen, in bytes. */
  OptionalLong memory() {
    lookAtMemory();
    return memory.get() == 0 ? OptionalLong.empty() : OptionalLong.of(memory.get());
  }

  @Override
  public void close() {
    progress.close();
  }
}
