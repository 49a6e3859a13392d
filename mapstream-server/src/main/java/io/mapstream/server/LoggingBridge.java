package io.mapstream.server;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * Passes what gRPC logs through {@code java.util.logging} to SLF4J, for gRPC's loggers only. gRPC
 * logs on the event loop, so its lines are written by the {@link LogThread}, and counted if they
 * are alike. If SLF4J itself logs through {@code java.util.logging}, the lines are passed to the
 * handlers that they would have reached without this class.
 */
final class LoggingBridge extends Handler {

  private static final ReentrantLock installing = new ReentrantLock();

  /** Held permanently: java.util.logging loses the settings of a logger without references. */
  private static @Nullable Logger bridged;

  /** Below INFO, it logs HTTP/2 frames, including the payload's bytes. */
  private static final String FRAMES = "io.grpc.netty.shaded.io.grpc.netty.NettyServerHandler";

  /** Logs what breaks a message's framing. */
  private static final String STREAM = "io.grpc.netty.shaded.io.grpc.netty.NettyServerStream";

  private static final Formatter TEXT = new SimpleFormatter();

  private final Logger grpc;
  private final boolean leadsBack;

  private LoggingBridge(Logger grpc) {
    this.grpc = grpc;
    this.leadsBack =
        LoggerFactory.getILoggerFactory().getClass().getName().startsWith("org.slf4j.jul.");
  }

  /**
   * Installs the bridge once per process. A bridge for gRPC that the application has installed is
   * replaced.
   */
  static void install() {
    installing.lock();
    try {
      if (bridged == null) {
        bridged = bridge();
      }
    } finally {
      installing.unlock();
    }
  }

  private static Logger bridge() {
    Logger grpc = Logger.getLogger("io.grpc");
    for (Handler handler : grpc.getHandlers()) {
      if (handler.getClass().getName().equals("org.slf4j.bridge.SLF4JBridgeHandler")) {
        grpc.removeHandler(handler);
      }
    }
    grpc.addHandler(new LoggingBridge(grpc));
    grpc.setUseParentHandlers(false);
    return grpc;
  }

  @Override
  public void publish(LogRecord record) {
    if (!isLoggable(record)) {
      return;
    }
    String name = String.valueOf(record.getLoggerName());
    if (name.equals(FRAMES) && record.getLevel().intValue() < Level.INFO.intValue()) {
      return;
    }
    if (name.equals(STREAM) && isAboveLimit(record.getThrown())) {
      return; // The stream logs this itself, with more details.
    }
    LogThread.OF_PROCESS.log(line(name, record), true);
  }

  private static boolean isAboveLimit(@Nullable Throwable thrown) {
    return thrown instanceof StatusRuntimeException e
        && e.getStatus().getCode() == Status.Code.RESOURCE_EXHAUSTED;
  }

  private LogLine line(String name, LogRecord record) {
    Level level = record.getLevel();
    LogLine.Output output =
        leadsBack
            ? (at, text, thrown) -> passOn(name, level, text, thrown)
            : LogLine.to(LoggerFactory.getLogger(name));
    return LogLine.of(
        name, output, slf4jLevel(level.intValue()), TEXT.formatMessage(record), record.getThrown());
  }

  private static org.slf4j.event.Level slf4jLevel(int level) {
    if (level < Level.FINE.intValue()) {
      return org.slf4j.event.Level.TRACE;
    } else if (level < Level.INFO.intValue()) {
      return org.slf4j.event.Level.DEBUG;
    } else if (level < Level.WARNING.intValue()) {
      return org.slf4j.event.Level.INFO;
    }
    return level < Level.SEVERE.intValue()
        ? org.slf4j.event.Level.WARN
        : org.slf4j.event.Level.ERROR;
  }

  /** Passes a record to the handlers of the loggers above gRPC's. */
  private void passOn(String name, Level level, String text, @Nullable Throwable thrown) {
    LogRecord record = new LogRecord(level, text);
    record.setLoggerName(name);
    record.setSourceClassName(name);
    record.setThrown(thrown);
    for (Logger at = grpc.getParent();
        at != null;
        at = at.getUseParentHandlers() ? at.getParent() : null) {
      for (Handler handler : at.getHandlers()) {
        handler.publish(record);
      }
    }
  }

  @Override
  public void flush() {}

  @Override
  public void close() {}
}
