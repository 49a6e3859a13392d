package io.mapstream.examples;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.MessageSink;
import io.mapstream.server.MapStreamServer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Splits a datum at its commas and sends each part on by itself; a datum without any bytes is
 * dropped.
 *
 * <p>It is there twice, to show both ways of writing a function: this class, and the method {@link
 * #split}. The environment variable {@code INVOKE} chooses: {@code class} the first, anything else
 * the second.
 */
public final class FlatMap implements MapStreamer {

  /** Serves this function until the process is told to end. */
  public static void main(String[] args) throws Exception {
    MapStreamServer.run(chosenBy(System.getenv("INVOKE")));
  }

  static MapStreamer chosenBy(@Nullable String invoke) {
    return "class".equals(invoke) ? new FlatMap() : FlatMap::split;
  }

  @Override
  public void handle(List<String> keys, Datum datum, MessageSink sink) {
    split(keys, datum, sink);
  }

  /** The same as a method, which is a {@link MapStreamer} just as a lambda is. */
  static void split(List<String> keys, Datum datum, MessageSink sink) {
    if (datum.value().length == 0) {
      sink.emit(Message.toDrop());
      return;
    }
    for (String part : datum.text().split(",", -1)) {
      sink.emit(part);
    }
  }
}
