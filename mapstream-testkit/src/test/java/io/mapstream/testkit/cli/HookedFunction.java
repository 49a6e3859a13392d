package io.mapstream.testkit.cli;

import io.mapstream.server.MapStreamServer;

/** A function that drains in a shutdown hook, so that it exits with 143 at SIGTERM. */
final class HookedFunction {

  private HookedFunction() {}

  public static void main(String[] args) throws Exception {
    var server = MapStreamServer.builder((keys, datum, sink) -> sink.emit("a")).build();
    server.start();
    Runtime.getRuntime().addShutdownHook(new Thread(server::close));
    server.awaitTermination();
  }
}
