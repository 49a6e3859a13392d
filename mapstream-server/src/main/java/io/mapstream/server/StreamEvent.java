package io.mapstream.server;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;
import org.jspecify.annotations.Nullable;

/**
 * In a flight recording: one stream, written at its end. A recording that was started while the
 * stream was open sees no more than that end; so the time for which it was open is a field as well.
 */
@Name("io.mapstream.Stream")
@Label("Stream")
@Category("mapstream")
@Description("One MapFn stream, at its end")
@Enabled(false)
@StackTrace(false)
final class StreamEvent extends Event {

  @Label("Open For")
  @Description("Time from the stream's start to its end, also where the recording began between")
  @Timespan(Timespan.NANOSECONDS)
  long openFor;

  @Label("Datums")
  @Description("Datums taken on")
  long datums;

  @Label("Results")
  @Description("Results written to the client")
  long results;

  @Label("Status")
  @Description("The gRPC status of the end; CANCELLED where the client had gone")
  @Nullable String status;

  @Label("Reason")
  @Description("Why the stream ended")
  @Nullable String reason;
}
