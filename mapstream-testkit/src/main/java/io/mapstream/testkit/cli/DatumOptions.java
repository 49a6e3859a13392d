package io.mapstream.testkit.cli;

import io.mapstream.Datum;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options for everything in a datum but its value. */
final class DatumOptions {

  @Option(
      names = "--key",
      paramLabel = "KEY",
      description = "A key of each datum; may be repeated.")
  List<String> keys = List.of();

  @Option(
      names = "--header",
      paramLabel = "NAME=VALUE",
      description = "A header of each datum; may be repeated.")
  Map<String, String> headers = new LinkedHashMap<>();

  @Option(
      names = "--event-time",
      paramLabel = "INSTANT",
      description = "The event time, such as 2026-01-01T00:00:00Z; the time of sending by default.")
  @Nullable Instant eventTime;

  @Option(
      names = "--watermark",
      paramLabel = "INSTANT",
      description = "The watermark; the event time by default.")
  @Nullable Instant watermark;

  /** Returns a builder without a value; the event time is the given one, the option's, or now. */
  Datum.Builder builder(@Nullable Instant given) {
    Instant set = given == null ? eventTime : given;
    Instant time = set == null ? Instant.now() : set;
    return Datum.builder()
        .keys(keys)
        .headers(headers)
        .eventTime(time)
        .watermark(watermark == null ? time : watermark);
  }
}
