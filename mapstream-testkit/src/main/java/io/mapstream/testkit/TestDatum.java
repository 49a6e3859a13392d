package io.mapstream.testkit;

import io.mapstream.Datum;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Datums for tests in which the times don't matter: they have to be there, and are constants here,
 * so that a test does the same today and in a year. Where a handler decides by time, set it.
 */
public final class TestDatum {

  /** The event time of a test's datum unless it is given one: 2026-01-01T00:00:10Z. */
  public static final Instant EVENT_TIME = Instant.parse("2026-01-01T00:00:10Z");

  /**
   * The watermark of a test's datum unless it is given one: 2026-01-01T00:00:00Z. It is before
   * {@link #EVENT_TIME}, so the datum isn't late, and a handler that mixes the two up is noticed.
   */
  public static final Instant WATERMARK = Instant.parse("2026-01-01T00:00:00Z");

  private TestDatum() {}

  /**
   * {@return a datum of a text as UTF-8, without keys or headers}
   *
   * @param text the payload; {@code null} for no bytes
   */
  public static Datum of(@Nullable String text) {
    return builder().text(text).build();
  }

  /**
   * {@return a datum of bytes, without keys or headers}
   *
   * @param value the payload, handed over: not to be changed afterwards; {@code null} for no bytes
   */
  public static Datum of(byte @Nullable [] value) {
    return builder().value(value).build();
  }

  /** {@return a builder with {@link #EVENT_TIME} and {@link #WATERMARK}, and the rest empty} */
  public static Datum.Builder builder() {
    return Datum.builder().eventTime(EVENT_TIME).watermark(WATERMARK);
  }
}
