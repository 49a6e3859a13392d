package io.mapstream.server;

/**
 * What this server wants otherwise than Netty's defaults, and Netty reads once, when its first
 * class is loaded. The process's own settings win, and no other Netty than gRPC's is meant.
 */
final class NettyDefaults {

  private static final String ALLOCATOR_EVENTS = "io.grpc.netty.shaded.io.netty.jfr.enabled";

  private NettyDefaults() {}

  /**
   * Leaves out Netty's flight recorder events of single buffers. No recording has them unless its
   * settings name them, and making them known to the JVM takes a seventh of a server's start.
   */
  static void set() {
    if (System.getProperty(ALLOCATOR_EVENTS) == null) {
      System.setProperty(ALLOCATOR_EVENTS, "false");
    }
  }
}
