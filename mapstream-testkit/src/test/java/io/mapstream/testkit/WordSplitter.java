package io.mapstream.testkit;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.MessageSink;
import java.util.List;

/** The handler of the first examples. */
final class WordSplitter implements MapStreamer {
  @Override
  public void handle(List<String> keys, Datum datum, MessageSink sink) {
    if (datum.text().isBlank()) {
      sink.emit(Message.toDrop());
      return;
    }
    for (String word : datum.text().split(",", -1)) {
      sink.emit(Message.of(word).withKeys(keys));
    }
  }
}
