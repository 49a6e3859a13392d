package io.mapstream.server;

import io.mapstream.server.PendingBudget.Loan;
import io.mapstream.server.SegmentPool.Segments;
import java.io.IOException;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/**
 * What a datum passes to the {@link ResponseWriter}: an encoded result, the end of the datum, or
 * both at once (a result with the fail mark is the last of its datum). Emissions of one datum are
 * linked through {@link #next}; the holder of the chain owns the links.
 */
final class Emission {

  private static final byte[] NONE = {};

  /** The bytes of a result without segments; empty if there is no result. */
  private final byte[] bytes;

  /** The bytes of a result with a large value. */
  private final @Nullable Segments segments;

  private final boolean last;
  private final boolean takesPermits;
  private final @Nullable Loan loan;
  private @Nullable Emission next;

  private Emission(
      byte[] bytes,
      @Nullable Segments segments,
      boolean last,
      boolean takesPermits,
      @Nullable Loan loan) {
    this.bytes = bytes;
    this.segments = segments;
    this.last = last;
    this.takesPermits = takesPermits;
    this.loan = loan;
  }

  /**
   * Returns a result for which permits were reserved.
   *
   * @param result its message, which is copied
   * @param loan what it holds in addition to the stream's own permits, or null
   * @param pool the memory for large results
   */
  static Emission result(ResultEncoding result, @Nullable Loan loan, SegmentPool pool) {
    if (!result.hasLargeValue()) {
      return new Emission(result.encode(), null, result.isLast(), true, loan);
    }
    Segments segments = pool.take(result.size());
    result.encodeTo(segments);
    return new Emission(NONE, segments, result.isLast(), true, loan);
  }

  /** Returns a result that does not count towards the bound on what waits. */
  static Emission unbounded(ResultEncoding result) {
    return new Emission(result.encode(), null, result.isLast(), false, null);
  }

  /** Returns the end of a datum that has no more results. */
  static Emission end() {
    return new Emission(NONE, null, true, false, null);
  }

  /** Returns an empty emission: a sentinel in a chain. */
  static Emission nothing() {
    return new Emission(NONE, null, false, false, null);
  }

  /** Returns the number of encoded bytes; 0 if there is no result. */
  int size() {
    return segments == null ? bytes.length : segments.size();
  }

  /** Returns whether it holds permits until it is written. */
  boolean takesPermits() {
    return takesPermits;
  }

  /** Returns the loan to give back then, or null. */
  @Nullable Loan loan() {
    return loan;
  }

  boolean hasResult() {
    return size() > 0;
  }

  /** Returns whether the datum's EOT follows. */
  boolean isLast() {
    return last;
  }

  @Nullable Emission next() {
    return next;
  }

  void linkTo(@Nullable Emission following) {
    this.next = following;
  }

  /** Writes the result, once: segments are reused after that. */
  void writeTo(OutputStream out) throws IOException {
    if (segments == null) {
      out.write(bytes, 0, bytes.length);
    } else {
      segments.writeTo(out);
    }
  }
}
