package io.mapstream.testkit.cli;

import io.mapstream.server.MapStreamServer;

/** A function with its own main method, which a command can start: splits at commas. */
final class ServedFunction {

  private ServedFunction() {}

  public static void main(String[] args) throws Exception {
    System.out.println("a line of the function's own");
    MapStreamServer.run((keys, datum, sink) -> {
      for (String word : datum.text().split(",", -1)) {
        sink.emit(word.getBytes(java.nio.charset.StandardCharsets.UTF_8));
      }
    });
  }
}
