package io.mapstream.testkit.migration;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.MessageSink;
import io.mapstream.server.MapStreamServer;
import java.util.List;

/** The function that docs/migration.md moves from other SDKs to this one. */
public final class Words implements MapStreamer {

  public static void main(String[] args) throws Exception {
    MapStreamServer.run(new Words());
  }

  @Override
  public void handle(List<String> keys, Datum datum, MessageSink sink) {
    if (datum.text().isBlank()) {
      sink.emit(Message.toDrop());
      return;
    }
    for (String word : datum.text().split(",", -1)) {
      sink.emit(Message.of(word).withKeys(keys).withTags("word"));
    }
  }
}
