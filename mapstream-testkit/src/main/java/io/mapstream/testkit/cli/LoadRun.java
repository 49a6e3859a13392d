package io.mapstream.testkit.cli;

import io.mapstream.Datum;
import io.mapstream.testkit.ClientStream;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Sends datums: as many as are wanted at once (closed loop), or at a rate whatever comes back (open
 * loop). In an open loop a request's latency begins when it was due, also if it could only be sent
 * later because the function held the client back: else the waits that a slow function causes would
 * be missing from its latencies (coordinated omission).
 */
final class LoadRun {

  private final @Nullable Double rate;
  private final int concurrency;
  private final Supplier<Datum> datum;
  private final ClientStream stream;
  private long lastId;

  /**
   * A run of nothing yet.
   *
   * @param rate requests per second; null for a closed loop
   * @param concurrency how many are open in a closed loop
   * @param datum makes what is sent
   */
  LoadRun(@Nullable Double rate, int concurrency, Supplier<Datum> datum, ClientStream stream) {
    this.rate = rate;
    this.concurrency = concurrency;
    this.datum = datum;
    this.stream = stream;
  }

  /** Sends for a time or a number of requests, whichever ends first, and waits for all answers. */
  void run(LoadMeter meter, long nanos, long count) throws InterruptedException {
    long sent = 0;
    while (sent < count) {
      long due = awaitDue(meter, sent);
      if (due - meter.start() >= nanos) {
        break;
      }
      stream.send(Long.toString(++lastId), datum.get(), meter.follow(due));
      sent++;
    }
    meter.awaitFewerThan(1);
  }

  private long awaitDue(LoadMeter meter, long number) throws InterruptedException {
    if (rate == null) {
      meter.awaitFewerThan(concurrency);
      return System.nanoTime();
    }
    meter.throwFailure();
    long due = meter.start() + (long) (number * 1e9 / rate);
    long early = due - System.nanoTime();
    if (early > 0) {
      // The schedule itself; nothing else is waited for.
      TimeUnit.NANOSECONDS.sleep(early);
    }
    return due;
  }
}
