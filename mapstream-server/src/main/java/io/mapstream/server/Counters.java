package io.mapstream.server;

import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Counts what the server has done since its start. Any thread may take a {@link #snapshot}, at any
 * time and without waiting.
 *
 * <p>Only the event loop counts what belongs to the streams, so these counts need no atomic
 * addition, but only a plain load and a store that others see. Failures and waits in {@code emit}
 * are counted by the thread in which they occur; both are rare, or cost more than the counting.
 */
final class Counters {

  /** A number with one writer, the event loop. */
  private static final class Count {
    private final AtomicLong value = new AtomicLong();

    void add(long more) {
      value.setRelease(value.getPlain() + more);
    }

    long get() {
      return value.getAcquire();
    }
  }

  private final Count streamsOpened = new Count();
  private final Count streamsClosed = new Count();
  private final Count admitted = new Count();
  private final Count answered = new Count();
  private final Count released = new Count();
  private final Count requestBytes = new Count();
  private final Count results = new Count();
  private final Count resultBytes = new Count();
  private final Count handlersRun = new Count();
  private final Count starvedChecks = new Count();

  /** In microseconds: nanoseconds of thousands of handlers at once would overflow within weeks. */
  private final Count handlerMicros = new Count();

  // Any thread.
  private final AtomicLong emitsWaiting = new AtomicLong();
  private final AtomicLong emitWaitMicros = new AtomicLong();
  private final Map<FailureKind, Long> failures = new ConcurrentHashMap<>();

  // Event loop only.

  void opened() {
    streamsOpened.add(1);
  }

  void closed() {
    streamsClosed.add(1);
  }

  void admitted(int bytes) {
    admitted.add(1);
    requestBytes.add(bytes);
  }

  void wrote(int count, int bytes) {
    results.add(count);
    resultBytes.add(bytes);
  }

  void answered() {
    answered.add(1);
  }

  /** Counts a datum that is no longer in work and whose handler never ran. */
  void released() {
    released.add(1);
  }

  /** Counts a datum that is no longer in work. */
  void released(long nanosOfHandler) {
    handlersRun.add(1);
    handlerMicros.add(nanosOfHandler / 1000);
    released(); // last, since a snapshot reads it first
  }

  /** Counts a check that found a handler waiting for a carrier while no other began. */
  void starved() {
    starvedChecks.add(1);
  }

  // Any thread.

  void waitsInEmit() {
    emitsWaiting.getAndIncrement();
  }

  void waitedInEmit(long nanos) {
    emitsWaiting.getAndDecrement();
    emitWaitMicros.getAndAdd(nanos / 1000);
  }

  void failed(FailureKind kind) {
    failures.merge(kind, 1L, Long::sum);
  }

  /** Returns what was counted so far. A count that follows from another is read before it. */
  ServerMetrics snapshot() {
    long releasedNow = released.get();
    long answeredNow = answered.get();
    long admittedNow = admitted.get();
    long closedNow = streamsClosed.get();
    long openedNow = streamsOpened.get();
    ServerMetrics.Values values = new ServerMetrics.Values();
    values.streamsOpened = openedNow;
    values.streamsOpen = openedNow - closedNow;
    values.datumsAdmitted = admittedNow;
    values.datumsAnswered = answeredNow;
    values.datumsInWork = admittedNow - releasedNow;
    values.requestBytes = requestBytes.get();
    values.results = results.get();
    values.resultBytes = resultBytes.get();
    values.handlersRun = handlersRun.get();
    values.handlerTime = Duration.of(handlerMicros.get(), ChronoUnit.MICROS);
    values.emitsWaiting = emitsWaiting.get();
    values.emitWaitTime = Duration.of(emitWaitMicros.get(), ChronoUnit.MICROS);
    values.starvedChecks = starvedChecks.get();
    values.failures = failures;
    return new ServerMetrics(values);
  }
}
