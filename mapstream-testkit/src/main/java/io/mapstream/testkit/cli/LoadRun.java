package io.mapstream.testkit.cli;

import io.mapstream.Datum;
import io.mapstream.testkit.ClientStream;
import java.time.Duration;
import java.util.OptionalDouble;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Sends datums: as many as are wanted at once (closed loop), or at a rate whatever comes back (open
 * loop). In an open loop a request's latency begins when it was due, also if it could only be sent
 * later because the function held the client back: else the waits that a slow function causes would
 * be missing from its latencies (coordinated omission).
 */
final class LoadRun {

  /**
   * How to load.
   *
   * @param rate requests per second; empty for a closed loop
   * @param concurrency how many are open in a closed loop
   * @param datum makes what is sent
   * @param patience how long nothing may arrive
   */
  record Plan(OptionalDouble rate, int concurrency, Supplier<Datum> datum, Duration patience) {}

  private final Plan plan;
  private final ClientStream stream;
  private final OpenDatums open;
  private long lastId;

  LoadRun(Plan plan, ClientStream stream) {
    this.plan = plan;
    this.stream = stream;
    this.open = new OpenDatums(plan.patience());
  }

  int inFlight() {
    return open.count();
  }

  /** Sends for a time or a number of requests, whichever ends first, and waits for all answers. */
  void run(LoadMeter meter, long nanos, long count) throws InterruptedException {
    long sent = 0;
    while (sent < count) {
      long due = awaitDue(meter.start(), sent);
      if (due - meter.start() >= nanos) {
        break;
      }
      stream.send(Long.toString(++lastId), plan.datum().get(), open.enter(meter.follow(due)));
      sent++;
    }
    open.awaitFewerThan(1);
  }

  private long awaitDue(long start, long number) throws InterruptedException {
    if (plan.rate().isEmpty()) {
      open.awaitFewerThan(plan.concurrency());
      return System.nanoTime();
    }
    open.throwFailure();
    long due = start + (long) (number * 1e9 / plan.rate().getAsDouble());
    long early = due - System.nanoTime();
    if (early > 0) {
      // The schedule itself; nothing else is waited for.
      TimeUnit.NANOSECONDS.sleep(early);
    }
    return due;
  }
}
