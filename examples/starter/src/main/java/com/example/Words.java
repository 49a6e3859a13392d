package com.example;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.MessageSink;
import io.mapstream.server.MapStreamServer;
import java.util.List;

/** Splits a datum at its commas, one message per word. */
public final class Words implements MapStreamer {

  /** Serves this function until the process is stopped. */
  public static void main(String[] args) throws Exception {
    MapStreamServer.run(new Words());
  }

  @Override
  public void handle(List<String> keys, Datum datum, MessageSink sink) {
    for (String word : datum.text().split(",")) {
      sink.emit(Message.of(word).withKeys(keys));
    }
  }
}
