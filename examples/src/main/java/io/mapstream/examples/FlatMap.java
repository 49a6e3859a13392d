package io.mapstream.examples;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.MessageSink;
import io.mapstream.server.MapStreamServer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Splits a datum at its commas and sends each part as a message; an empty datum is dropped.
 *
 * <p>It shows both ways of writing a function: this class, and the method {@link #split}. The
 * environment variable {@code INVOKE} selects one: {@code class} the first, anything else the
 * second.
 */
public final class FlatMap implements MapStreamer {

  /** Serves this function until the process is stopped. */
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

  /** The same as a method, which can be used as a {@link MapStreamer}, like a lambda. */
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
