package io.mapstream.server;

import jdk.jfr.FlightRecorder;

/**
 * Whether a flight recording may be on, asked before any event's class is touched: a server that
 * nobody records loads none of them. A Java runtime may also come without the module {@code
 * jdk.jfr}.
 */
final class FlightRecording {

  private static final boolean AVAILABLE = ModuleLayer.boot().findModule("jdk.jfr").isPresent();

  private FlightRecording() {}

  /** Whether this process has used its flight recorder; then the events know whether it is on. */
  static boolean mayBeOn() {
    return AVAILABLE && FlightRecorder.isInitialized();
  }
}
