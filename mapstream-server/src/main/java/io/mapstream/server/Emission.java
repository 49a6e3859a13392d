package io.mapstream.server;

import java.io.IOException;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/**
 * What a datum gives to the {@link ResponseWriter}: an encoded result, the end of the datum, or
 * both at once (a result with the fail mark is the last of its datum). Emissions of one datum are
 * linked through {@link #next}; whoever holds the chain owns the links.
 */
final class Emission {

  private static final byte[] NONE = {};

  private final byte[] fields;
  private final byte @Nullable [] value;
  private final boolean last;
  private int reserved;
  private @Nullable Emission next;

  private Emission(byte[] fields, byte @Nullable [] value, boolean last) {
    this.fields = fields;
    this.value = value;
    this.last = last;
  }

  /**
   * A result.
   *
   * @param fields the encoded field {@code results}, up to the bytes of its value where those are
   *     given on their own
   * @param value the value's array where it is too large to be worth a copy, else null
   * @param last whether the datum ends with this result
   */
  static Emission result(byte[] fields, byte @Nullable [] value, boolean last) {
    return new Emission(fields, value, last);
  }

  /** The end of a datum that has no more results. */
  static Emission end() {
    return new Emission(NONE, null, true);
  }

  /** Nothing at all: a sentinel in a chain. */
  static Emission nothing() {
    return new Emission(NONE, null, false);
  }

  /** Encoded bytes; 0 where there is no result in it. */
  int size() {
    return fields.length + (value == null ? 0 : value.length);
  }

  /** Permits that are to be given back when this emission is written. */
  int reserved() {
    return reserved;
  }

  void reserve(int permits) {
    this.reserved = permits;
  }

  boolean hasResult() {
    return fields.length > 0;
  }

  /** Whether the datum's EOT follows. */
  boolean isLast() {
    return last;
  }

  @Nullable Emission next() {
    return next;
  }

  void linkTo(@Nullable Emission following) {
    this.next = following;
  }

  void writeTo(OutputStream out) throws IOException {
    out.write(fields, 0, fields.length);
    if (value != null) {
      out.write(value, 0, value.length);
    }
  }
}
