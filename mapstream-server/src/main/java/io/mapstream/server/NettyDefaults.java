package io.mapstream.server;

import io.grpc.netty.shaded.io.netty.util.internal.logging.InternalLoggerFactory;
import io.grpc.netty.shaded.io.netty.util.internal.logging.JdkLoggerFactory;

/**
 * Settings that differ from Netty's defaults, and that Netty reads once, when its first class is
 * loaded. The process's own settings win, except for the log. Only gRPC's Netty is affected.
 */
final class NettyDefaults {

  private static final String ALLOCATOR_EVENTS = "io.grpc.netty.shaded.io.netty.jfr.enabled";

  private NettyDefaults() {}

  /**
   * Omits Netty's flight recorder events for single buffers. No recording has them unless its
   * settings name them, and registering them with the JVM takes a seventh of a server's start.
   *
   * <p>Netty is made to log like gRPC, so that its lines go through the {@link LoggingBridge}: by
   * default, it would use SLF4J, write on the event loop, and log payload at DEBUG.
   */
  static void set() {
    if (System.getProperty(ALLOCATOR_EVENTS) == null) {
      System.setProperty(ALLOCATOR_EVENTS, "false");
    }
    InternalLoggerFactory.setDefaultFactory(JdkLoggerFactory.INSTANCE);
  }
}
