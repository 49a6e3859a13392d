package io.mapstream.server;

import io.grpc.Status;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.slf4j.bridge.SLF4JBridgeHandler;

/**
 * The function that the processes of {@link LoggingBridgeTest} run, since java.util.logging is
 * global to a process.
 */
final class LoggingMain {

  private LoggingMain() {}

  private static final Logger SOME = Logger.getLogger("io.grpc.netty.Some");

  public static void main(String[] args) throws InterruptedException {
    System.setProperty("org.slf4j.simpleLogger.log.io.grpc", "trace");
    System.setProperty("org.slf4j.simpleLogger.log.io.grpc.netty.shaded", "trace");
    switch (args[0]) {
      case "a bridge for all" -> {
        SLF4JBridgeHandler.removeHandlersForRootLogger();
        SLF4JBridgeHandler.install();
      }
      case "a bridge for gRPC" -> {
        Logger grpc = Logger.getLogger("io.grpc");
        grpc.addHandler(new SLF4JBridgeHandler());
        grpc.setUseParentHandlers(false);
      }
      default -> {}
    }
    LoggingBridge.install();
    LoggingBridge.install();
    switch (args[0]) {
      case "nothing", "a bridge for all", "a bridge for gRPC" -> {
        SOME.warning("of gRPC");
        Logger.getLogger("com.example.Other").warning("of others");
      }
      case "a flood on the event loop" -> flood();
      case "everything" -> everything();
      case "a message above the limit" -> aboveTheLimit();
      default -> throw new IllegalArgumentException(args[0]);
    }
  }

  private static void flood() throws InterruptedException {
    Thread loop =
        Thread.ofPlatform()
            .name("mapstream-io-1-1")
            .start(() -> {
              for (int i = 0; i <= 30; i++) {
                SOME.warning("flood of " + i);
              }
            });
    loop.join();
    if (!LogThread.OF_PROCESS.flush(Waits.LIMIT)) {
      throw new AssertionError("the log accepts no lines");
    }
  }

  private static void everything() {
    Logger.getLogger("io.grpc").setLevel(Level.ALL);
    Logger frames = Logger.getLogger("io.grpc.netty.shaded.io.grpc.netty.NettyServerHandler");
    SOME.fine("of gRPC");
    frames.fine("bytes of the payload");
    frames.info("of its own");
  }

  private static void aboveTheLimit() {
    Logger stream = Logger.getLogger("io.grpc.netty.shaded.io.grpc.netty.NettyServerStream");
    stream.log(Level.WARNING, "of a message", Status.RESOURCE_EXHAUSTED.asRuntimeException());
    stream.warning("of another kind");
  }
}
