package io.mapstream.server;

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

/** In a flight recording: one handler call, on the handler's thread and as long as it took. */
@Name("io.mapstream.Datum")
@Label("Datum")
@Category("mapstream")
@Description("One handler call: what a datum took and what it gave")
@Enabled(false)
@StackTrace(false)
final class DatumEvent extends Event {

  @Label("Datum Id")
  @Description("The client's name for the datum; a retry uses it again")
  @Nullable String id;

  @Label("Emit Blocked")
  @Description("Time for which the datum's calls of emit waited for the client, in sum")
  @Timespan(Timespan.NANOSECONDS)
  long emitBlocked;

  @Label("Results")
  @Description("Messages emitted")
  long results;

  @Label("Result Size")
  @Description("Size of these messages as encoded")
  @DataAmount(DataAmount.BYTES)
  long resultSize;

  @Label("Outcome")
  @Description("What became of the datum when its handler had ended")
  @Nullable String outcome;
}
