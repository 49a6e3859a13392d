package io.mapstream.server;

import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Gathers what a flight recording is to hold of one datum. {@link #begin}, {@link #end} and {@link
 * #commit} belong to the handler's thread; any thread may emit.
 */
final class DatumRecording {

  private final DatumEvent event;
  private final AtomicLong results = new AtomicLong();
  private final AtomicLong resultSize = new AtomicLong();
  private final AtomicLong blockedNanos = new AtomicLong();

  private DatumRecording(DatumEvent event) {
    this.event = event;
  }

  /** A recording of the datum, or null where nobody asks for it. */
  static @Nullable DatumRecording of(String id) {
    if (!FlightRecording.mayBeOn()) {
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

  /** The handler has left. */
  void end() {
    event.end();
  }

  /** Writes the event. */
  void commit(DatumOutcome outcome) {
    event.results = results.get();
    event.resultSize = resultSize.get();
    event.emitBlocked = blockedNanos.get();
    event.outcome = outcome.name();
    event.commit();
  }
}
