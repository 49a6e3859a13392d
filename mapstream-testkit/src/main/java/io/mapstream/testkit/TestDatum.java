package io.mapstream.testkit;

import io.mapstream.Datum;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Creates datums for tests in which the times do not matter. Event time and watermark are required,
 * and are constants here, so that a test gives the same result at any time. Set them if the handler
 * decides by time.
 */
public final class TestDatum {

  /** The default event time of a test datum: 2026-01-01T00:00:10Z. */
  public static final Instant EVENT_TIME = Instant.parse("2026-01-01T00:00:10Z");

  /**
   * The default watermark of a test datum: 2026-01-01T00:00:00Z. It is before {@link #EVENT_TIME},
   * so the datum is not late, and a test can detect a handler that confuses the two.
   */
  public static final Instant WATERMARK = Instant.parse("2026-01-01T00:00:00Z");

  private TestDatum() {}

  /**
   * {@return a datum whose payload is a text in UTF-8, without keys or headers}
   *
   * @param text the payload; {@code null} for no bytes
   */
  public static Datum of(@Nullable String text) {
    return builder().text(text).build();
  }

  /**
   * {@return a datum whose payload is the given bytes, without keys or headers}
   *
   * @param value the payload, not copied: must not be changed afterwards; {@code null} for no bytes
   */
  public static Datum of(byte @Nullable [] value) {
    return builder().value(value).build();
  }

  /** {@return a builder with {@link #EVENT_TIME} and {@link #WATERMARK}, otherwise empty} */
  public static Datum.Builder builder() {
    return Datum.builder().eventTime(EVENT_TIME).watermark(WATERMARK);
  }
}
