package io.mapstream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One event on its way through a pipeline: the input of a {@link MapStreamer}.
 *
 * <p>Keys, value, headers and metadata may be absent and are then empty. Event time and watermark
 * are always present. Two datums are equal when all of these are equal, byte by byte; the {@link
 * #id()} is not compared.
 *
 * <p>Immutable apart from the value's array, which is not copied; safe for use by several threads.
 *
 * <p>The server creates datums from requests. Tests create them with {@link #of(List, byte[],
 * Instant, Instant, Map) of}, or with {@link #builder()} if only a few of the fields matter.
 */
@SuppressWarnings("exports") // JSpecify's annotations, which callers do not need
public final class Datum {

  private final String id;
  private final List<String> keys;
  private final byte[] value;
  private final Instant eventTime;
  private final Instant watermark;
  private final Map<String, String> headers;
  private final Metadata userMetadata;
  private final Metadata systemMetadata;

  private Datum(Builder builder, Instant eventTime, Instant watermark) {
    this.id = builder.id;
    this.keys = Checks.texts("keys", builder.keys);
    this.value = Checks.bytes(builder.value);
    this.eventTime = eventTime;
    this.watermark = watermark;
    this.headers = Checks.textEntries("headers", builder.headers);
    this.userMetadata = builder.userMetadata;
    this.systemMetadata = builder.systemMetadata;
  }

  /**
   * Creates a datum without an id and without metadata.
   *
   * @param keys the keys; copied unless immutable; {@code null} for none
   * @param value the payload; not copied, and must not be changed afterwards; {@code null} for no
   *     bytes
   * @param eventTime when the event happened
   * @param watermark the time before which no more events are expected
   * @param headers the headers; copied; {@code null} for none
   * @return the datum
   * @throws NullPointerException if the event time, the watermark, a key, a header's name or a
   *     header's value is {@code null}
   * @throws IllegalArgumentException if a key, a header's name or a header's value has an unpaired
   *     surrogate
   */
  public static Datum of(
      @Nullable List<String> keys,
      byte @Nullable [] value,
      Instant eventTime,
      Instant watermark,
      @Nullable Map<String, String> headers) {
    return builder()
        .keys(keys)
        .value(value)
        .eventTime(eventTime)
        .watermark(watermark)
        .headers(headers)
        .build();
  }

  /**
   * Returns a builder for a datum. Event time and watermark must be set; neither defaults to the
   * current time.
   *
   * @return a builder with nothing set
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Returns a builder for a changed copy of this datum.
   *
   * @return a builder with all fields of this datum, including the id; it shares the value's array
   */
  public Builder toBuilder() {
    return new Builder()
        .id(id)
        .keys(keys)
        .value(value)
        .eventTime(eventTime)
        .watermark(watermark)
        .headers(headers)
        .userMetadata(userMetadata)
        .systemMetadata(systemMetadata);
  }

  /**
   * Returns the data plane's name for this datum, from the request.
   *
   * <p>The id stays the same when the data plane sends the datum again because it was not answered:
   * after a fail mark, or when the stream broke and was opened again. It can therefore be used to
   * recognise a retry, for instance to give up after several of them, or to build keys for
   * idempotent writes.
   *
   * <p>Otherwise the id is opaque: its structure, length and order are not specified. It is unique
   * among the datums that are open on a stream, but not necessarily across vertices, pods or time:
   * a key for a shared database needs more, such as the vertex's name. When the source delivers an
   * input again (after a nack, or after the data plane itself was restarted), the id may be
   * different.
   *
   * @return the id; empty if the datum was created without one
   */
  public String id() {
    return id;
  }

  /** {@return the keys that the platform partitions events by; unmodifiable, often empty} */
  public List<String> keys() {
    return keys;
  }

  /**
   * Returns the payload: the array itself, not a copy. A handler may keep it and may emit it. Do
   * not change it: that would change the datum and its hash code.
   *
   * @return the bytes, which must not be changed
   */
  public byte[] value() {
    return value;
  }

  /** {@return the payload decoded as UTF-8 at each call; malformed bytes become U+FFFD} */
  public String text() {
    return new String(value, UTF_8);
  }

  /**
   * {@return when the event happened, according to its source; {@code Instant.ofEpochMilli(-1)} if
   * the client sent none}
   */
  public Instant eventTime() {
    return eventTime;
  }

  /**
   * Returns the time up to which the pipeline has seen all events, as far as it knows: a datum that
   * arrives afterwards with an earlier event time is late. Where the platform has no watermark, as
   * in a MonoVertex, this is {@code Instant.ofEpochMilli(-1)}.
   *
   * @return the watermark
   */
  public Instant watermark() {
    return watermark;
  }

  /** {@return what the source attached, such as the headers of a Kafka record; unmodifiable} */
  public Map<String, String> headers() {
    return headers;
  }

  /**
   * Returns the metadata that upstream functions attached. Messages do not carry it unless the
   * handler sets it; see {@link Message#withUserMetadata}.
   *
   * @return the user metadata, empty if there is none
   */
  public Metadata userMetadata() {
    return userMetadata;
  }

  /**
   * {@return what the platform attached, for instance a {@linkplain #traceContext() trace context};
   * read-only, and never sent back}
   */
  public Metadata systemMetadata() {
    return systemMetadata;
  }

  /**
   * Returns the context of the trace that this call belongs to, if the platform traces: the W3C
   * headers {@code traceparent} and possibly {@code tracestate} of the platform's span around the
   * call. Any propagator that reads W3C headers accepts this map; the trace then continues with a
   * child of that span. A {@code traceparent} also says whether the trace is sampled.
   *
   * <p>The context is read from the {@linkplain #systemMetadata() system metadata} at each call, so
   * it costs nothing unless a handler asks for it. Anything that can't be a header is left out:
   * bytes other than printable ASCII and tabs, an empty {@code tracestate} (which the platform
   * sends for a trace without state), and a {@code tracestate} without a {@code traceparent}. The
   * values can therefore be set as headers of another request without a check. The propagator
   * decides whether their content is valid.
   *
   * @return an unmodifiable map, empty if there is no trace
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
   * {@return one line: the beginning and size of the value, both times, and every other non-empty
   * field}
   */
  @Override
  public String toString() {
    StringBuilder shown = new StringBuilder("Datum[");
    if (!id.isEmpty()) {
      shown.append("id=").append(Shown.text(id)).append(", ");
    }
    shown.append("value=").append(Shown.bytes(value));
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
   * Collects the fields of a datum. A setter replaces what was set before. {@link #build()} may be
   * called several times. Not safe for use by several threads.
   */
  public static final class Builder {

    private String id = "";
    private @Nullable List<String> keys;
    private byte @Nullable [] value;
    private @Nullable Instant eventTime;
    private @Nullable Instant watermark;
    private @Nullable Map<String, String> headers;
    private boolean ownsHeaders;
    private Metadata userMetadata = Metadata.empty();
    private Metadata systemMetadata = Metadata.empty();

    private Builder() {}

    /**
     * Sets the id, for tests of handlers that use it.
     *
     * @param id any text; empty for none
     * @return this builder
     * @throws NullPointerException if the id is {@code null}
     * @throws IllegalArgumentException if the id has an unpaired surrogate
     */
    public Builder id(String id) {
      this.id = Checks.text("id", id);
      return this;
    }

    /**
     * Sets the keys.
     *
     * @param keys the keys; checked and copied by {@link #build()}; {@code null} for none
     * @return this builder
     */
    public Builder keys(@Nullable List<String> keys) {
      this.keys = keys;
      return this;
    }

    /**
     * Sets the keys.
     *
     * @param keys any number of keys
     * @return this builder
     * @throws NullPointerException if the array is {@code null}
     */
    public Builder keys(String... keys) {
      return keys(Arrays.asList(requireNonNull(keys, "keys").clone()));
    }

    /**
     * Sets the payload.
     *
     * @param value the bytes; not copied, and must not be changed afterwards; {@code null} for no
     *     bytes
     * @return this builder
     */
    public Builder value(byte @Nullable [] value) {
      this.value = value;
      return this;
    }

    /**
     * Sets the payload to a string, encoded as UTF-8.
     *
     * @param text the text; {@code null} for no bytes
     * @return this builder
     * @throws IllegalArgumentException if the text has an unpaired surrogate
     */
    public Builder text(@Nullable String text) {
      return value(text == null ? null : Checks.utf8("text", text));
    }

    /**
     * Sets the event time, which every datum needs.
     *
     * @param eventTime when the event happened
     * @return this builder
     * @throws NullPointerException if the event time is {@code null}
     */
    public Builder eventTime(Instant eventTime) {
      this.eventTime = requireNonNull(eventTime, "eventTime");
      return this;
    }

    /**
     * Sets the watermark, which every datum needs.
     *
     * @param watermark the time before which no more events are expected
     * @return this builder
     * @throws NullPointerException if the watermark is {@code null}
     */
    public Builder watermark(Instant watermark) {
      this.watermark = requireNonNull(watermark, "watermark");
      return this;
    }

    /**
     * Sets all headers.
     *
     * @param headers the headers; checked and copied by {@link #build()}; {@code null} for none
     * @return this builder
     */
    public Builder headers(@Nullable Map<String, String> headers) {
      this.headers = headers;
      this.ownsHeaders = false;
      return this;
    }

    /**
     * Adds a header, or replaces the one with the same name.
     *
     * @param name the header's name
     * @param value its value
     * @return this builder
     * @throws NullPointerException if an argument is {@code null}
     */
    public Builder header(String name, String value) {
      requireNonNull(name, "name");
      requireNonNull(value, "value");
      if (headers == null || !ownsHeaders) {
        headers = headers == null ? new HashMap<>() : new HashMap<>(headers);
        ownsHeaders = true;
      }
      headers.put(name, value);
      return this;
    }

    /**
     * Sets the user metadata.
     *
     * @param userMetadata the metadata that upstream functions attached; {@code null} for none
     * @return this builder
     */
    public Builder userMetadata(@Nullable Metadata userMetadata) {
      this.userMetadata = userMetadata == null ? Metadata.empty() : userMetadata;
      return this;
    }

    /**
     * Sets the system metadata.
     *
     * @param systemMetadata the metadata that the platform attached; {@code null} for none
     * @return this builder
     */
    public Builder systemMetadata(@Nullable Metadata systemMetadata) {
      this.systemMetadata = systemMetadata == null ? Metadata.empty() : systemMetadata;
      return this;
    }

    /**
     * Sets the trace context where the platform puts it: in the system metadata, whose other groups
     * are kept. For tests of handlers that use {@link Datum#traceContext()}.
     *
     * @param traceContext {@code traceparent} and possibly {@code tracestate}, for instance as
     *     injected by a propagator; {@code null} or empty for none
     * @return this builder
     * @throws NullPointerException if a name or a value is {@code null}
     * @throws IllegalArgumentException if there is any other name, a {@code tracestate} without a
     *     {@code traceparent}, or a value that is empty or contains anything but printable ASCII
     *     and tabs
     */
    public Builder traceContext(@Nullable Map<String, String> traceContext) {
      return systemMetadata(
          TraceContext.in(systemMetadata, Checks.entries("traceContext", traceContext)));
    }

    /**
     * Creates the datum.
     *
     * @return a datum with the fields that were set; the others are empty
     * @throws IllegalStateException if event time or watermark was not set
     * @throws NullPointerException if a key, a header's name or a header's value is {@code null}
     * @throws IllegalArgumentException if a key, a header's name or a header's value has an
     *     unpaired surrogate
     */
    public Datum build() {
      return new Datum(this, set("eventTime", eventTime), set("watermark", watermark));
    }

    private static Instant set(String field, @Nullable Instant time) {
      if (time == null) {
        throw new IllegalStateException(field + " must be set");
      }
      return time;
    }
  }
}
