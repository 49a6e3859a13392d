package io.mapstream.server;

/** The program that {@link ServerProcess} runs; its settings come from the environment. */
final class ChildServer {

  private ChildServer() {}

  public static void main(String[] args) throws Exception {
    MapStreamServer.run(new ScriptedHandler());
  }
}
