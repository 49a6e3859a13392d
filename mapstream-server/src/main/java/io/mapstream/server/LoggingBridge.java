package io.mapstream.server;

import java.util.logging.Handler;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;

/**
 * Sends what gRPC logs through {@code java.util.logging} to SLF4J: gRPC's loggers alone, and only
 * where the application has not bridged all of them itself.
 */
final class LoggingBridge {

  /** Held for good: java.util.logging forgets the settings of a logger that nobody refers to. */
  private static @Nullable Logger bridged;

  private LoggingBridge() {}

  static synchronized void install() {
    if (bridged != null || SLF4JBridgeHandler.isInstalled() || leadsBack()) {
      return;
    }
    Logger grpc = Logger.getLogger("io.grpc");
    for (Handler handler : grpc.getHandlers()) {
      if (handler instanceof SLF4JBridgeHandler) {
        return;
      }
    }
    grpc.addHandler(new SLF4JBridgeHandler());
    grpc.setUseParentHandlers(false);
    bridged = grpc;
  }

  /** Whether SLF4J itself logs through java.util.logging, so that a bridge would be a circle. */
  private static boolean leadsBack() {
    return LoggerFactory.getILoggerFactory().getClass().getName().startsWith("org.slf4j.jul.");
  }
}
