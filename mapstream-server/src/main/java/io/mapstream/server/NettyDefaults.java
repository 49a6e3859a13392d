package io.mapstream.server;

import io.grpc.netty.shaded.io.netty.util.internal.logging.InternalLoggerFactory;
import io.grpc.netty.shaded.io.netty.util.internal.logging.JdkLoggerFactory;

/**
 * What this server wants otherwise than Netty's defaults, and Netty reads once, when its first
 * class is loaded. The process's own settings win, but for the log, and no other Netty than gRPC's
 * is meant.
 */
final class NettyDefaults {

  private static final String ALLOCATOR_EVENTS = "io.grpc.netty.shaded.io.netty.jfr.enabled";

  private NettyDefaults() {}

  /**
   * Leaves out Netty's flight recorder events of single buffers. No recording has them unless its
   * settings name them, and making them known to the JVM takes a seventh of a server's start.
   *
   * <p>Netty logs the way gRPC does, so that its lines go through the {@link LoggingBridge}: by
   * itself it would find SLF4J, write on the event loop, and log payload at DEBUG.
   */
  static void set() {
    if (System.getProperty(ALLOCATOR_EVENTS) == null) {
      System.setProperty(ALLOCATOR_EVENTS, "false");
    }
    InternalLoggerFactory.setDefaultFactory(JdkLoggerFactory.INSTANCE);
  }
}
