package io.mapstream.server;

import java.time.Duration;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A snapshot of what a server has done since its start and what it has in work, returned by {@link
 * MapStreamServer#metrics()}. Immutable; equal by its numbers. Later releases may add numbers.
 *
 * <p>Each number was correct at some moment of the call, but not all at the same moment, since the
 * server continues to work while they are read. {@link #datumsAnswered} is never more than {@link
 * #datumsAdmitted}, and {@link #streamsOpen} never more than {@link #streamsOpened}.
 */
public final class ServerMetrics {

  private final Values values;
  private final Map<FailureKind, Long> failures;

  /** The numbers while they are collected. */
  static final class Values {
    long streamsOpened;
    long streamsOpen;
    long datumsAdmitted;
    long datumsAnswered;
    long datumsInWork;
    long requestBytes;
    long results;
    long resultBytes;
    long handlersRun;
    Duration handlerTime = Duration.ZERO;
    long emitsWaiting;
    Duration emitWaitTime = Duration.ZERO;
    long starvedChecks;
    Map<FailureKind, Long> failures = Map.of();
  }

  /** Takes the numbers, which must not change afterwards. A missing kind counts as 0. */
  ServerMetrics(Values values) {
    this.values = values;
    Map<FailureKind, Long> all = new EnumMap<>(FailureKind.class);
    for (FailureKind kind : FailureKind.values()) {
      all.put(kind, values.failures.getOrDefault(kind, 0L));
    }
    this.failures = Collections.unmodifiableMap(all);
  }

  /** {@return the number of streams that clients have opened} */
  public long streamsOpened() {
    return values.streamsOpened;
  }

  /** {@return the number of open streams: opened and not ended} */
  public long streamsOpen() {
    return values.streamsOpen;
  }

  /**
   * {@return the number of datums admitted; each leads to one handler call, unless its stream ends
   * first}
   */
  public long datumsAdmitted() {
    return values.datumsAdmitted;
  }

  /** {@return the number of datums whose EOT was written} */
  public long datumsAnswered() {
    return values.datumsAnswered;
  }

  /**
   * Returns the number of datums in work: admitted, and either not yet answered, or their handler
   * has not returned yet.
   *
   * @return the number, which may briefly exceed the limit while one is released and another
   *     admitted
   */
  public long datumsInWork() {
    return values.datumsInWork;
  }

  /** {@return the size of the encoded requests of the datums admitted, in bytes} */
  public long requestBytes() {
    return values.requestBytes;
  }

  /** {@return the number of results written to clients} */
  public long results() {
    return values.results;
  }

  /** {@return the encoded size of these results in bytes, without framing} */
  public long resultBytes() {
    return values.resultBytes;
  }

  /**
   * Returns the number of handler calls that have ended, normally or not.
   *
   * @return the number; a call is counted together with its time when its datum is no longer in
   *     work
   */
  public long handlersRun() {
    return values.handlersRun;
  }

  /** {@return the total time of these calls, including time blocked in {@code emit}} */
  public Duration handlerTime() {
    return values.handlerTime;
  }

  /**
   * {@return the number of calls of {@code emit} that are blocked because the client is slower than
   * its handlers}
   */
  public long emitsWaiting() {
    return values.emitsWaiting;
  }

  /**
   * {@return the total time for which calls of {@code emit} were blocked, without those that still
   * are}
   */
  public Duration emitWaitTime() {
    return values.emitWaitTime;
  }

  /**
   * Returns the number of checks that found starvation: a started handler had waited for a carrier
   * (a platform thread that runs virtual threads) for 20 milliseconds, and no other handler had
   * begun meanwhile.
   *
   * @return the number; 0 if {@link ServerOptions#maxCarriers()} is 0
   */
  public long starvedChecks() {
    return values.starvedChecks;
  }

  /** {@return the number of failures by kind, with all kinds as keys; unmodifiable} */
  public Map<FailureKind, Long> failures() {
    return failures;
  }

  /**
   * Returns the number of failures of one kind.
   *
   * @param kind the kind
   * @return the number of failures
   * @throws NullPointerException if {@code kind} is null
   */
  public long failures(FailureKind kind) {
    return failures.getOrDefault(Objects.requireNonNull(kind, "kind"), 0L);
  }

  private Map<String, Object> byName() {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("streamsOpened", values.streamsOpened);
    all.put("streamsOpen", values.streamsOpen);
    all.put("datumsAdmitted", values.datumsAdmitted);
    all.put("datumsAnswered", values.datumsAnswered);
    all.put("datumsInWork", values.datumsInWork);
    all.put("requestBytes", values.requestBytes);
    all.put("results", values.results);
    all.put("resultBytes", values.resultBytes);
    all.put("handlersRun", values.handlersRun);
    all.put("handlerTime", values.handlerTime);
    all.put("emitsWaiting", values.emitsWaiting);
    all.put("emitWaitTime", values.emitWaitTime);
    all.put("starvedChecks", values.starvedChecks);
    all.put("failures", failures);
    return all;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ServerMetrics metrics && byName().equals(metrics.byName());
  }

  @Override
  public int hashCode() {
    return byName().hashCode();
  }

  /** Returns all numbers with their names, in human-readable form. */
  @Override
  public String toString() {
    return "ServerMetrics" + byName();
  }
}
