package io.mapstream.testkit.readme;

import io.mapstream.server.MapStreamServer;

public class Words {
  public static void main(String[] args) throws Exception {
    MapStreamServer.run((keys, datum, sink) -> {
      for (String word : datum.text().split(",", -1)) {
        sink.emit(word);
      }
    });
  }
}
