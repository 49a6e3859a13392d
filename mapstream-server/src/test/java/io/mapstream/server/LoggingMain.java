package io.mapstream.server;

import java.util.logging.Logger;
import org.slf4j.bridge.SLF4JBridgeHandler;

/** What the processes of {@link LoggingBridgeTest} run: java.util.logging is one per process. */
final class LoggingMain {

  private LoggingMain() {}

  public static void main(String[] args) {
    switch (args[0]) {
      case "nothing" -> {}
      case "a bridge for all" -> {
        SLF4JBridgeHandler.removeHandlersForRootLogger();
        SLF4JBridgeHandler.install();
      }
      case "a bridge for gRPC" -> {
        Logger grpc = Logger.getLogger("io.grpc");
        grpc.addHandler(new SLF4JBridgeHandler());
        grpc.setUseParentHandlers(false);
      }
      default -> throw new IllegalArgumentException(args[0]);
    }
    LoggingBridge.install();
    LoggingBridge.install();
    Logger.getLogger("io.grpc.netty.Some").warning("of gRPC");
    Logger.getLogger("com.example.Other").warning("of others");
  }
}
