package io.mapstream.examples;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.MessageSink;
import io.mapstream.server.MapStreamServer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * Decides by event time and never by the clock, so that the same datums give the same messages in a
 * replay: an event before a point in time is dropped; any other is passed on unchanged, with its
 * time window as the key. An event that is older than the watermark gets the tag {@value #LATE}, by
 * which an edge of the pipeline can divert it.
 *
 * <p>{@code EVENTS_FROM} is the point in time (default: 2022-01-01T00:00:00Z), {@code
 * EVENTS_WINDOW} the length of the windows (default: PT1H), which are aligned to
 * 1970-01-01T00:00:00Z.
 */
public final class EventTimeFilter implements MapStreamer {

  static final String LATE = "late";

  private final Instant from;
  private final long windowMillis;

  /**
   * Creates a function.
   *
   * @param from the point in time before which events are dropped
   * @param window the length of the windows, at least one millisecond
   * @throws IllegalArgumentException if the window is shorter
   */
  public EventTimeFilter(Instant from, Duration window) {
    if (window.toMillis() < 1) {
      throw new IllegalArgumentException("window must be at least 1 ms but was " + window);
    }
    this.from = from;
    this.windowMillis = window.toMillis();
  }

  /** Serves this function until the process is stopped. */
  public static void main(String[] args) throws Exception {
    Instant from =
        Instant.parse(System.getenv().getOrDefault("EVENTS_FROM", "2022-01-01T00:00:00Z"));
    Duration window = Duration.parse(System.getenv().getOrDefault("EVENTS_WINDOW", "PT1H"));
    MapStreamServer.run(new EventTimeFilter(from, window));
  }

  @Override
  public void handle(List<String> keys, Datum datum, MessageSink sink) {
    Instant happened = datum.eventTime();
    if (happened.isBefore(from)) {
      sink.emit(Message.toDrop());
      return;
    }
    Message message = Message.of(datum.value()).withKeys(windowOf(happened).toString());
    sink.emit(happened.isBefore(datum.watermark()) ? message.withTags(LATE) : message);
  }

  private Instant windowOf(Instant happened) {
    long millis = happened.toEpochMilli();
    // The % operator would give a negative remainder before 1970.
    return Instant.ofEpochMilli(millis - Math.floorMod(millis, windowMillis));
  }
}
