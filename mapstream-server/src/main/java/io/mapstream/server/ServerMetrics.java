package io.mapstream.server;

import java.time.Duration;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a server has done since its start and what it has in work, as {@link
 * MapStreamServer#metrics()} found it. Immutable; equal by its numbers. Later releases may add
 * numbers.
 *
 * <p>Each number was true at some moment of the call. They are not of one moment, since the server
 * works on while they are read. {@link #datumsAnswered} is never more than {@link #datumsAdmitted},
 * and {@link #streamsOpen} never more than {@link #streamsOpened}.
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

  /** Takes the numbers, which must not change from then on. A kind that is missing counts as 0. */
  ServerMetrics(Values values) {
    this.values = values;
    Map<FailureKind, Long> all = new EnumMap<>(FailureKind.class);
    for (FailureKind kind : FailureKind.values()) {
      all.put(kind, values.failures.getOrDefault(kind, 0L));
    }
    this.failures = Collections.unmodifiableMap(all);
  }

  /** {@return streams that clients have opened} */
  public long streamsOpened() {
    return values.streamsOpened;
  }

  /** {@return streams that are open: opened and not ended} */
  public long streamsOpen() {
    return values.streamsOpen;
  }

  /** {@return datums admitted; each leads to one handler call, unless its stream ends first} */
  public long datumsAdmitted() {
    return values.datumsAdmitted;
  }

  /** {@return datums whose EOT was written} */
  public long datumsAnswered() {
    return values.datumsAnswered;
  }

  /**
   * Datums in work: admitted, and not yet both answered and returned by their handler.
   *
   * @return their number; for a moment it may be above the limit, while one is released and another
   *     admitted
   */
  public long datumsInWork() {
    return values.datumsInWork;
  }

  /** {@return bytes of the encoded requests of the datums admitted} */
  public long requestBytes() {
    return values.requestBytes;
  }

  /** {@return results written to clients} */
  public long results() {
    return values.results;
  }

  /** {@return bytes of these results as encoded, without what frames them} */
  public long resultBytes() {
    return values.resultBytes;
  }

  /**
   * Handler calls that have ended, in any way.
   *
   * @return their number; a call is counted together with its time when its datum is no longer in
   *     work
   */
  public long handlersRun() {
    return values.handlersRun;
  }

  /** {@return how long these calls took in sum, including time blocked in {@code emit}} */
  public Duration handlerTime() {
    return values.handlerTime;
  }

  /** {@return calls of {@code emit} that are blocked, as the client is slower than its handlers} */
  public long emitsWaiting() {
    return values.emitsWaiting;
  }

  /** {@return how long calls of {@code emit} were blocked in sum, without those that still are} */
  public Duration emitWaitTime() {
    return values.emitWaitTime;
  }

  /**
   * Checks that found starvation: a started handler had waited for a carrier (a platform thread
   * that runs virtual threads) for 20 milliseconds, and no other handler had begun meanwhile.
   *
   * @return their number; 0 where {@link ServerOptions#maxCarriers()} is 0
   */
  public long starvedChecks() {
    return values.starvedChecks;
  }

  /** {@return failures by kind, with all kinds in it; unmodifiable} */
  public Map<FailureKind, Long> failures() {
    return failures;
  }

  /**
   * The number of failures of one kind.
   *
   * @param kind the kind to be counted
   * @return how many there were
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

  /** All numbers with their names, for people. */
  @Override
  public String toString() {
    return "ServerMetrics" + byName();
  }
}
