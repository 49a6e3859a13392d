package io.mapstream.server;

import java.util.concurrent.atomic.AtomicLong;

/** The sums over all clients of a storm. */
final class Tally {

  private final AtomicLong streams = new AtomicLong();
  private final AtomicLong answered = new AtomicLong();
  private final AtomicLong failed = new AtomicLong();
  private final AtomicLong results = new AtomicLong();

  void add(Ledger stream) {
    streams.incrementAndGet();
    answered.addAndGet(stream.ended());
    failed.addAndGet(stream.failed());
    results.addAndGet(stream.results());
  }

  @Override
  public String toString() {
    return "%s streams, %s datums answered, %s of them with the fail mark, %s results"
        .formatted(streams, answered, failed, results);
  }
}
