package io.mapstream.server;

import io.mapstream.server.PendingBudget.Loan;
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

  private final byte[] result;
  private final boolean last;
  private final int permits;
  private final @Nullable Loan loan;
  private @Nullable Emission next;

  private Emission(byte[] result, boolean last, int permits, @Nullable Loan loan) {
    this.result = result;
    this.last = last;
    this.permits = permits;
    this.loan = loan;
  }

  /**
   * A result.
   *
   * @param result its message, which is copied
   * @param permits what it holds of the stream's own permits until it is written
   * @param loan what it holds besides, or null
   */
  static Emission result(ResultEncoding result, int permits, @Nullable Loan loan) {
    return new Emission(result.encode(), result.isLast(), permits, loan);
  }

  /** The end of a datum that has no more results. */
  static Emission end() {
    return new Emission(NONE, true, 0, null);
  }

  /** Nothing at all: a sentinel in a chain. */
  static Emission nothing() {
    return new Emission(NONE, false, 0, null);
  }

  /** Encoded bytes; 0 where there is no result in it. */
  int size() {
    return result.length;
  }

  /** The stream's own permits that are to be given back when this emission is written. */
  int permits() {
    return permits;
  }

  /** The loan that is to be given back then, or null. */
  @Nullable Loan loan() {
    return loan;
  }

  boolean hasResult() {
    return result.length > 0;
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
    out.write(result, 0, result.length);
  }
}
