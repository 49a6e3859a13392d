package io.mapstream.server;

import io.grpc.Status;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;
import org.jspecify.annotations.Nullable;

/** Collects what a flight recording contains about one stream. Belongs to the event loop. */
final class StreamRecording {

  /** Whether this Java runtime has the module {@code jdk.jfr}. */
  private static final boolean AVAILABLE = ModuleLayer.boot().findModule("jdk.jfr").isPresent();

  private final long opened = System.nanoTime();
  private final @Nullable StreamEvent begun;

  /** Begins with the stream. */
  StreamRecording() {
    begun = mayBeOn() ? begin() : null;
  }

  /**
   * Returns whether this process has used its flight recorder; only then can a recording be on.
   * Called before an event's class is used, so that a server without a recording loads none of
   * them.
   */
  static boolean mayBeOn() {
    return AVAILABLE && FlightRecorder.isInitialized();
  }

  private static StreamEvent begin() {
    StreamEvent event = new StreamEvent();
    event.begin();
    return event;
  }

  /** Called when the stream has ended; writes the event if a recording asks for it by then. */
  void end(long datums, long results, Status.Code status, String reason) {
    if (mayBeOn()) {
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

  /**
   * An event of a flight recording: one stream, written at its end. A recording that was started
   * while the stream was open contains only that end, so the time for which it was open is also a
   * field.
   */
  @Name("io.mapstream.Stream")
  @Label("Stream")
  @Category("mapstream")
  @Description("One MapFn stream, recorded when it ends")
  @Enabled(false)
  @StackTrace(false)
  static final class StreamEvent extends Event {

    @Label("Open For")
    @Description("Time from the stream's start to its end, even if the recording began in between")
    @Timespan(Timespan.NANOSECONDS)
    long openFor;

    @Label("Datums")
    @Description("Datums admitted")
    long datums;

    @Label("Results")
    @Description("Results written to the client")
    long results;

    @Label("Status")
    @Description("The gRPC status of the end; CANCELLED if the client was gone")
    @Nullable String status;

    @Label("Reason")
    @Description("Why the stream ended")
    @Nullable String reason;
  }
}
