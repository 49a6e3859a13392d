package io.mapstream;

import java.util.List;

// The example of the package's page; PackagePageTest compares it with the code between the tags.
// @start
final class FlatMapExample implements MapStreamer {
  @Override
  public void handle(List<String> keys, Datum datum, MessageSink sink) {
    String text = datum.text();
    if (text.isBlank()) {
      sink.emit(Message.toDrop());
      return;
    }
    for (String word : text.split(",", -1)) {
      sink.emit(Message.of(word).withKeys(keys));
    }
  }
}
// @end
