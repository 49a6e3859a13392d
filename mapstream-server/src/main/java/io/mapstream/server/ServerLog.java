package io.mapstream.server;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * A logger that any thread of the server may use: none of the server's own threads waits for the
 * log. See {@link LogThread}.
 */
final class ServerLog {

  private final Logger logger;
  private final LogThread thread;

  private ServerLog(Logger logger, LogThread thread) {
    this.logger = logger;
    this.thread = thread;
  }

  static ServerLog of(Class<?> type) {
    return new ServerLog(LoggerFactory.getLogger(type), LogThread.OF_PROCESS);
  }

  boolean isDebugEnabled() {
    return logger.isDebugEnabled();
  }

  void error(String template, Object... arguments) {
    log(Level.ERROR, false, "", template, arguments);
  }

  void warn(String template, Object... arguments) {
    log(Level.WARN, false, "", template, arguments);
  }

  void info(String template, Object... arguments) {
    log(Level.INFO, false, "", template, arguments);
  }

  void debug(String template, Object... arguments) {
    log(Level.DEBUG, false, "", template, arguments);
  }

  void trace(String template, Object... arguments) {
    log(Level.TRACE, false, "", template, arguments);
  }

  /**
   * Logs a line that a client or a handler can cause in any number: the first one is written,
   * similar ones are counted.
   */
  void counted(Level level, String template, Object... arguments) {
    log(level, true, "", template, arguments);
  }

  /**
   * Logs a line as above, for lines of one template that are not all alike.
   *
   * @param kind the same for lines that are alike; for instance {@link Thrown#likeness}
   */
  void countedBy(String kind, Level level, String template, Object... arguments) {
    log(level, true, kind, template, arguments);
  }

  private void log(
      Level level, boolean counted, String kind, String template, Object... arguments) {
    if (logger.isEnabledForLevel(level)) {
      thread.log(LogLine.of(logger, level, kind, template, arguments), counted);
    }
  }
}
