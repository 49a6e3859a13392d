package io.mapstream;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One event on its way through a pipeline, as it comes to a {@link MapStreamer}.
 *
 * <p>Keys, value, headers and metadata may be absent and are then empty; event time and watermark
 * are always there. Two datums are equal when all of that is, byte by byte. Immutable but for the
 * value's array, which is handed over without a copy; safe for use by several threads.
 *
 * <p>The server makes datums from what it receives. Tests make them with {@link #of(List, byte[],
 * Instant, Instant, Map) of}, or with {@link #builder()} where few of the fields matter.
 */
@SuppressWarnings("exports") // JSpecify's annotations, which callers need not have
public final class Datum {

  private final List<String> keys;
  private final byte[] value;
  private final Instant eventTime;
  private final Instant watermark;
  private final Map<String, String> headers;
  private final Metadata userMetadata;
  private final Metadata systemMetadata;

  private Datum(
      @Nullable List<String> keys,
      byte @Nullable [] value,
      @Nullable Instant eventTime,
      @Nullable Instant watermark,
      @Nullable Map<String, String> headers,
      @Nullable Metadata userMetadata,
      @Nullable Metadata systemMetadata) {
    this.keys = Checks.strings("Datum.keys", keys);
    this.value = Checks.bytes(value);
    this.eventTime = Checks.required("Datum.eventTime", eventTime);
    this.watermark = Checks.required("Datum.watermark", watermark);
    this.headers = Checks.entries("Datum.headers", headers);
    this.userMetadata = userMetadata == null ? Metadata.empty() : userMetadata;
    this.systemMetadata = systemMetadata == null ? Metadata.empty() : systemMetadata;
  }

  /**
   * Makes a datum without metadata.
   *
   * @param keys copied unless immutable; {@code null} for none
   * @param value handed over: not to be changed afterwards; {@code null} for no bytes
   * @param eventTime when the event happened
   * @param watermark the time before which no more events are expected
   * @param headers copied unless immutable; {@code null} for none
   * @return the datum
   * @throws IllegalArgumentException if event time or watermark is {@code null}, or a key, a
   *     header's name or a header's value is; the message names the field and the place
   */
  public static Datum of(
      @Nullable List<String> keys,
      byte @Nullable [] value,
      Instant eventTime,
      Instant watermark,
      @Nullable Map<String, String> headers) {
    return new Datum(keys, value, eventTime, watermark, headers, null, null);
  }

  /**
   * Makes a datum with everything.
   *
   * @param keys copied unless immutable; {@code null} for none
   * @param value handed over: not to be changed afterwards; {@code null} for no bytes
   * @param eventTime when the event happened
   * @param watermark the time before which no more events are expected
   * @param headers copied unless immutable; {@code null} for none
   * @param userMetadata what functions upstream have attached; {@code null} for none
   * @param systemMetadata what the platform has attached; {@code null} for none
   * @return the datum
   * @throws IllegalArgumentException if event time or watermark is {@code null}, or a key, a
   *     header's name or a header's value is; the message names the field and the place
   */
  public static Datum of(
      @Nullable List<String> keys,
      byte @Nullable [] value,
      Instant eventTime,
      Instant watermark,
      @Nullable Map<String, String> headers,
      @Nullable Metadata userMetadata,
      @Nullable Metadata systemMetadata) {
    return new Datum(keys, value, eventTime, watermark, headers, userMetadata, systemMetadata);
  }

  /**
   * Starts a datum field by field. Event time and watermark have to be set: nothing here reads a
   * clock.
   *
   * @return a builder with nothing set
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Starts a variation of this datum.
   *
   * @return a builder with all fields set as they are here, the value's array shared
   */
  public Builder toBuilder() {
    return new Builder()
        .keys(keys)
        .value(value)
        .eventTime(eventTime)
        .watermark(watermark)
        .headers(headers)
        .userMetadata(userMetadata)
        .systemMetadata(systemMetadata);
  }

  /** {@return an unmodifiable list of what the platform partitions events by; often empty} */
  public List<String> keys() {
    return keys;
  }

  /**
   * The payload: the array itself, not a copy. It belongs to this datum. A handler may keep it or
   * emit it as it is, but whoever changes it changes the datum, its hash code included.
   *
   * @return the bytes, only to be read
   */
  public byte[] value() {
    return value;
  }

  /** {@return the payload read as UTF-8, anew at each call; bytes that aren't become U+FFFD} */
  public String text() {
    return new String(value, UTF_8);
  }

  /** {@return when the event happened, as its source tells} */
  public Instant eventTime() {
    return eventTime;
  }

  /**
   * The time up to which the pipeline has seen all events, as far as it can know: later ones with
   * an earlier event time are late. Where the platform knows none, as in a MonoVertex, it is {@code
   * Instant.ofEpochMilli(-1)}.
   *
   * @return the watermark
   */
  public Instant watermark() {
    return watermark;
  }

  /**
   * {@return an unmodifiable map of what the source has attached, such as the headers of a Kafka
   * record}
   */
  public Map<String, String> headers() {
    return headers;
  }

  /**
   * What functions upstream have attached. It isn't handed on by itself; see {@link
   * Message#withUserMetadata}.
   *
   * @return the user metadata, empty where there is none
   */
  public Metadata userMetadata() {
    return userMetadata;
  }

  /**
   * {@return what the platform has attached, for instance a {@linkplain #traceContext() trace's
   * context}; to be read only, and never sent back}
   */
  public Metadata systemMetadata() {
    return systemMetadata;
  }

  /**
   * The trace that this call belongs to, where the platform traces: the headers of W3C Trace
   * Context, {@code traceparent} and perhaps {@code tracestate}, of the platform's span around the
   * call. Any propagator that reads W3C headers takes the map as it is; the trace then goes on with
   * a child of that span. A {@code traceparent} says as well whether the trace is sampled.
   *
   * <p>Read from the {@linkplain #systemMetadata() system metadata} anew at each call, so a handler
   * that doesn't ask pays nothing. What could not be a header counts as not sent: bytes other than
   * printable ASCII and tabs, and an empty {@code tracestate}, which the platform sends for a trace
   * without state. A {@code tracestate} without a {@code traceparent} means nothing and is left
   * out. So the values may go into another request's headers unchecked; whether they say something
   * sensible is for the propagator to tell.
   *
   * @return an unmodifiable map, empty where there is no trace
   */
  public Map<String, String> traceContext() {
    return TraceContext.of(systemMetadata);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    if (this == other) {
      return true;
    }
    return other instanceof Datum that
        && keys.equals(that.keys)
        && Arrays.equals(value, that.value)
        && eventTime.equals(that.eventTime)
        && watermark.equals(that.watermark)
        && headers.equals(that.headers)
        && userMetadata.equals(that.userMetadata)
        && systemMetadata.equals(that.systemMetadata);
  }

  @Override
  public int hashCode() {
    int hash = keys.hashCode();
    hash = 31 * hash + Arrays.hashCode(value);
    hash = 31 * hash + eventTime.hashCode();
    hash = 31 * hash + watermark.hashCode();
    hash = 31 * hash + headers.hashCode();
    hash = 31 * hash + userMetadata.hashCode();
    return 31 * hash + systemMetadata.hashCode();
  }

  /**
   * {@return one line with the beginning and the size of the value, both times, and of the rest
   * what isn't empty}
   */
  @Override
  public String toString() {
    StringBuilder shown = new StringBuilder("Datum[value=").append(Shown.bytes(value));
    if (!keys.isEmpty()) {
      shown.append(", keys=").append(Shown.texts(keys));
    }
    shown.append(", eventTime=").append(eventTime).append(", watermark=").append(watermark);
    if (!headers.isEmpty()) {
      shown.append(", headers=").append(Shown.map(headers, Shown::text));
    }
    if (!userMetadata.isEmpty()) {
      shown.append(", userMetadata=").append(userMetadata);
    }
    if (!systemMetadata.isEmpty()) {
      shown.append(", systemMetadata=").append(systemMetadata);
    }
    return shown.append(']').toString();
  }

  /**
   * Collects the fields of a datum. A setter replaces what was set before; {@link #build()} checks
   * all of it, and may be called several times. Not safe for use by several threads.
   */
  public static final class Builder {

    private @Nullable List<String> keys;
    private byte @Nullable [] value;
    private @Nullable Instant eventTime;
    private @Nullable Instant watermark;
    private Map<String, String> headers = new HashMap<>();
    private @Nullable Metadata userMetadata;
    private @Nullable Metadata systemMetadata;

    private Builder() {}

    /**
     * Sets the keys.
     *
     * @param keys copied by {@link #build()} unless immutable; {@code null} for none
     * @return this builder
     */
    public Builder keys(@Nullable List<String> keys) {
      this.keys = keys;
      return this;
    }

    /**
     * Sets the keys.
     *
     * @param keys any number of them
     * @return this builder
     */
    public Builder keys(String... keys) {
      return keys(Arrays.asList(keys.clone()));
    }

    /**
     * Sets the payload.
     *
     * @param value handed over: not to be changed afterwards; {@code null} for no bytes
     * @return this builder
     */
    public Builder value(byte @Nullable [] value) {
      this.value = value;
      return this;
    }

    /**
     * Sets the payload to a text as UTF-8.
     *
     * @param text the text; {@code null} for no bytes
     * @return this builder
     */
    public Builder text(@Nullable String text) {
      return value(text == null ? null : text.getBytes(UTF_8));
    }

    /**
     * Sets the event time, which every datum needs.
     *
     * @param eventTime when the event happened
     * @return this builder
     */
    public Builder eventTime(Instant eventTime) {
      this.eventTime = eventTime;
      return this;
    }

    /**
     * Sets the watermark, which every datum needs.
     *
     * @param watermark the time before which no more events are expected
     * @return this builder
     */
    public Builder watermark(Instant watermark) {
      this.watermark = watermark;
      return this;
    }

    /**
     * Sets all headers.
     *
     * @param headers copied; {@code null} for none
     * @return this builder
     */
    public Builder headers(@Nullable Map<String, String> headers) {
      this.headers = headers == null ? new HashMap<>() : new HashMap<>(headers);
      return this;
    }

    /**
     * Adds a header, or replaces the one of the same name.
     *
     * @param name the header's name
     * @param value its value
     * @return this builder
     */
    public Builder header(String name, String value) {
      headers.put(name, value);
      return this;
    }

    /**
     * Sets the user metadata.
     *
     * @param userMetadata what functions upstream have attached; {@code null} for none
     * @return this builder
     */
    public Builder userMetadata(@Nullable Metadata userMetadata) {
      this.userMetadata = userMetadata;
      return this;
    }

    /**
     * Sets the system metadata.
     *
     * @param systemMetadata what the platform has attached; {@code null} for none
     * @return this builder
     */
    public Builder systemMetadata(@Nullable Metadata systemMetadata) {
      this.systemMetadata = systemMetadata;
      return this;
    }

    /**
     * Sets the trace's context, as the platform does: a part of the system metadata, whose other
     * parts stay. It is for tests of handlers that ask for {@link Datum#traceContext()}.
     *
     * @param traceContext {@code traceparent} and perhaps {@code tracestate}, for instance as a
     *     propagator has put them; {@code null} or empty for none
     * @return this builder
     * @throws IllegalArgumentException if there is another name, a {@code tracestate} without a
     *     {@code traceparent}, or a value that is {@code null}, empty or not printable ASCII or
     *     tabs; the message says which
     */
    public Builder traceContext(@Nullable Map<String, String> traceContext) {
      Metadata before = systemMetadata == null ? Metadata.empty() : systemMetadata;
      return systemMetadata(
          TraceContext.in(before, Checks.entries("Datum.traceContext", traceContext)));
    }

    /**
     * Makes the datum.
     *
     * @return a datum with what was set, and the rest empty
     * @throws IllegalArgumentException if event time or watermark was not set, or a key, a header's
     *     name or a header's value is {@code null}; the message names the field and the place
     */
    public Datum build() {
      return new Datum(keys, value, eventTime, watermark, headers, userMetadata, systemMetadata);
    }
  }
}
