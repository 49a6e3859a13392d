package io.mapstream.examples;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.MessageSink;
import io.mapstream.server.MapStreamServer;
import java.util.List;

/**
 * Splits a datum at its commas and sends each part as a message; an empty datum is dropped.
 *
 * <p>It shows both ways of writing a function: this class, and the method {@link #split}, which is
 * a {@link MapStreamer} as {@code FlatMap::split}.
 */
public final class FlatMap implements MapStreamer {

  /** Serves this function until the process is stopped. */
  public static void main(String[] args) throws Exception {
    MapStreamServer.run(new FlatMap());
  }

  @Override
  public void handle(List<String> keys, Datum datum, MessageSink sink) {
    split(keys, datum, sink);
  }

  /** The same as a method. */
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
