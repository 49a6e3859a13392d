package io.mapstream.server;

import java.util.concurrent.atomic.AtomicLong;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;
import org.jspecify.annotations.Nullable;

/**
 * Collects what a flight recording contains about one datum. {@link #begin}, {@link #end} and
 * {@link #commit} belong to the handler's thread; any thread may emit.
 */
final class DatumRecording {

  /** The outcome of a datum when its handler has ended. */
  enum Outcome {
    /** The handler returned while its stream was open; the EOT follows the results. */
    ANSWERED,

    /** The handler threw, and the datum was answered with the fail mark. */
    ANSWERED_WITH_FAIL,

    /** The handler threw, which ends the stream and stops the server. */
    FAILED,

    /** The stream had ended before the handler did; the client sends the datum again. */
    STREAM_ENDED
  }

  private final DatumEvent event;
  private final AtomicLong results = new AtomicLong();
  private final AtomicLong resultSize = new AtomicLong();
  private final AtomicLong blockedNanos = new AtomicLong();

  private DatumRecording(DatumEvent event) {
    this.event = event;
  }

  /** Returns a recording of the datum, or null if no flight recording asks for it. */
  static @Nullable DatumRecording of(String id) {
    if (!StreamRecording.mayBeOn()) {
      return null;
    }
    DatumEvent event = new DatumEvent();
    if (!event.isEnabled()) {
      return null;
    }
    event.id = id;
    return new DatumRecording(event);
  }

  void begin() {
    event.begin();
  }

  void emitted(Emission result) {
    results.getAndIncrement();
    resultSize.getAndAdd(result.size());
  }

  void blocked(long nanos) {
    blockedNanos.getAndAdd(nanos);
  }

  /** Called when the handler has returned or thrown. */
  void end() {
    event.end();
  }

  /** Writes the event, once. */
  void commit(Outcome outcome) {
    if (event.outcome != null) {
      return;
    }
    event.results = results.get();
    event.resultSize = resultSize.get();
    event.emitBlocked = blockedNanos.get();
    event.outcome = outcome.name();
    event.commit();
  }

  /**
   * An event of a flight recording: one handler call, on the handler's thread and with its
   * duration.
   */
  @Name("io.mapstream.Datum")
  @Label("Datum")
  @Category("mapstream")
  @Description("One handler call: how long it took, and what it emitted")
  @Enabled(false)
  @StackTrace(false)
  static final class DatumEvent extends Event {

    @Label("Datum Id")
    @Description("The client's id for the datum; a retry reuses it")
    @Nullable String id;

    @Label("Emit Blocked")
    @Description("Total time for which the datum's calls of emit waited for the client")
    @Timespan(Timespan.NANOSECONDS)
    long emitBlocked;

    @Label("Results")
    @Description("Messages emitted")
    long results;

    @Label("Result Size")
    @Description("Encoded size of these messages")
    @DataAmount(DataAmount.BYTES)
    long resultSize;

    @Label("Outcome")
    @Description("Outcome of the datum when its handler ended")
    @Nullable String outcome;
  }
}
