package io.mapstream.server;

import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/** What a flight recording is to hold of one stream. Belongs to the event loop. */
final class StreamRecording {

  private final long opened = System.nanoTime();
  private final @Nullable StreamEvent begun;

  /** Begins with the stream. */
  StreamRecording() {
    begun = FlightRecording.mayBeOn() ? begin() : null;
  }

  private static StreamEvent begin() {
    StreamEvent event = new StreamEvent();
    event.begin();
    return event;
  }

  /** The stream has ended; writes the event if a recording asks for it by now. */
  void end(long datums, long results, Status.Code status, String reason) {
    if (FlightRecording.mayBeOn()) {
      commit(begun == null ? new StreamEvent() : begun, datums, results, status, reason);
    }
  }

  private void commit(
      StreamEvent event, long datums, long results, Status.Code status, String reason) {
    event.end();
    if (event.shouldCommit()) {
      event.openFor = System.nanoTime() - opened;
      event.datums = datums;
      event.results = results;
      event.status = status.name();
      event.reason = reason;
      event.commit();
    }
  }
}
