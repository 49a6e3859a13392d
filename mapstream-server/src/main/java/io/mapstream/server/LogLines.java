package io.mapstream.server;

import io.grpc.Status;
import java.time.Duration;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * The server's lines about itself: one at its start and one at its stop. The first datum waits for
 * the former, which therefore does not use {@link java.util.Formatter}: that is slow to load.
 */
final class LogLines {

  private static final long KIB = 1024;
  private static final long MIB = 1024 * KIB;
  private static final Duration LONG = Duration.ofDays(1_000_000);

  private LogLines() {}

  /** Logs the settings in effect. */
  static void started(ServerLog log, ServerOptions options, InternalSocketKind kind) {
    Duration slow = options.slowHandlerWarning();
    log.info(
        "mapstream {} serves {} ({}), Java {}{}: messages up to {}, at most {} datums and {} of"
            + " requests in work, {} of results waiting per stream, heap {}; error policy {}, grace"
            + " {}{}{}{}; server info in {}",
        ServerInfoFile.sdkVersion(),
        options.socketPath(),
        kind.name().toLowerCase(Locale.ROOT),
        Runtime.version(),
        grpc(),
        bytes(options.maxMessageSize()),
        options.maxConcurrency(),
        bytes(Tuning.bytesInWork()),
        bytes(Tuning.pendingBytes()),
        bytes(Runtime.getRuntime().maxMemory()),
        options.errorPolicy(),
        seconds(options.shutdownGrace()),
        slow.isZero() ? "" : ", slow handlers reported after " + seconds(slow),
        options.datumIdInMdc() ? ", datum id in the MDC" : "",
        options.numaflowVersion().map(version -> ", for Numaflow " + version).orElse(""),
        options.serverInfoFile());
    MarkCheck.warn(log, options.errorPolicy(), options.numaflowRelease());
    options.misspelt().forEach(line -> log.warn("the environment's {}", line));
  }

  /** Returns gRPC's version, which is unknown if jars have been merged into one. */
  private static String grpc() {
    String version = Status.class.getPackage().getImplementationVersion();
    return version == null ? "" : ", gRPC " + version;
  }

  /** Logs the totals. */
  static void stopped(ServerLog log, ServerMetrics metrics, Duration up) {
    log.info(
        "mapstream stopped after {}: streams {}, datums {}, answered {}, results {}, in {}, out {},"
            + " handlers {}, blocked in emit {}; {}",
        seconds(up),
        metrics.streamsOpened(),
        metrics.datumsAdmitted(),
        metrics.datumsAnswered(),
        metrics.results(),
        bytes(metrics.requestBytes()),
        bytes(metrics.resultBytes()),
        seconds(metrics.handlerTime()),
        seconds(metrics.emitWaitTime()),
        failures(metrics));
  }

  /**
   * Returns the kinds that occurred; if there are none, how many datums a stop has left unanswered.
   */
  static String failures(ServerMetrics metrics) {
    String kinds =
        metrics.failures().entrySet().stream()
            .filter(kind -> kind.getValue() > 0)
            .map(kind -> kind.getKey() + " " + kind.getValue())
            .collect(Collectors.joining(", "));
    if (!kinds.isEmpty()) {
      return "failures: " + kinds;
    }
    long unanswered = metrics.datumsAdmitted() - metrics.datumsAnswered();
    return unanswered > 0 ? unanswered + " datums unanswered" : "no failures";
  }

  /** Formats a time to the millisecond, or to the second if it is beyond all clocks. */
  static String seconds(Duration time) {
    if (time.compareTo(LONG) > 0) {
      return time.toSeconds() + " s";
    }
    long millis = time.plusNanos(500_000).toMillis();
    return decimal(millis, 1000) + " s";
  }

  /** Formats a size to a tenth of the unit, rounded down. */
  static String bytes(long bytes) {
    if (bytes < KIB) {
      return bytes + " B";
    }
    long unit = bytes < MIB ? KIB : MIB;
    return decimal(bytes / unit * 10 + bytes % unit * 10 / unit, 10)
        + (unit == KIB ? " KiB" : " MiB");
  }

  /** Formats {@code value / scale}, where the scale is a power of ten, without trailing zeros. */
  private static String decimal(long value, long scale) {
    StringBuilder text = new StringBuilder().append(value / scale);
    long rest = value % scale;
    if (rest > 0) {
      text.append('.');
      for (long digit = scale / 10; rest > 0; digit /= 10) {
        text.append(rest / digit);
        rest %= digit;
      }
    }
    return text.toString();
  }
}
