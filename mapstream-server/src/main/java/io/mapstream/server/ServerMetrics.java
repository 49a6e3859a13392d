package io.mapstream.server;

import java.time.Duration;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/**
 * What a server has done since its start and what it has in work, as {@link
 * MapStreamServer#metrics()} found it. Immutable.
 *
 * <p>Each number was true at some moment of the call; they are not of one moment, since the server
 * works on while they are read. {@code datumsAnswered} is never more than {@code datumsAdmitted},
 * and {@code streamsOpen} never more than {@code streamsOpened}.
 *
 * @param streamsOpened streams that clients have opened
 * @param streamsOpen those of them that have not ended
 * @param datumsAdmitted datums admitted, each for a handler's call unless its stream ends before
 * @param datumsAnswered datums whose EOT was written
 * @param datumsInWork datums admitted, and not yet both answered and returned by their handler; for
 *     a moment it may be above the limit, while one is released and another admitted
 * @param requestBytes size of the encoded requests of the datums admitted
 * @param results results written to clients
 * @param resultBytes size of these results as encoded, without what frames them
 * @param handlersRun handler calls that have ended, in any way; a call is counted together with its
 *     time when its datum is no longer in work
 * @param handlerTime how long these calls took, in sum, including time blocked in {@code emit}
 * @param emitsWaiting calls of {@code emit} that are blocked, since the client is slower than its
 *     handlers
 * @param emitWaitTime how long calls of {@code emit} were blocked, in sum; without those that still
 *     are
 * @param starvedChecks how often a check, 20 milliseconds after the one before, found that a
 *     handler waited for a carrier (a platform thread that runs virtual threads) and that no other
 *     handler had begun meanwhile; 0 where {@link ServerOptions#maxCarriers()} is 0
 * @param failures failures by kind, with all kinds in it
 */
public record ServerMetrics(
    long streamsOpened,
    long streamsOpen,
    long datumsAdmitted,
    long datumsAnswered,
    long datumsInWork,
    long requestBytes,
    long results,
    long resultBytes,
    long handlersRun,
    Duration handlerTime,
    long emitsWaiting,
    Duration emitWaitTime,
    long starvedChecks,
    Map<FailureKind, Long> failures) {

  /** Copies {@code failures}, and takes a kind that is missing in it as 0. */
  public ServerMetrics {
    Map<FailureKind, Long> all = new EnumMap<>(FailureKind.class);
    for (FailureKind kind : FailureKind.values()) {
      all.put(kind, failures.getOrDefault(kind, 0L));
    }
    failures = Collections.unmodifiableMap(all);
  }

  /**
   * The number of failures of one kind.
   *
   * @param kind the kind to be counted
   * @return how many there were
   */
  public long failures(FailureKind kind) {
    return failures.getOrDefault(kind, 0L);
  }
}
