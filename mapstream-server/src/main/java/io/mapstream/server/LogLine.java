package io.mapstream.server;

import java.time.Duration;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.event.Level;
import org.slf4j.helpers.MessageFormatter;

/**
 * A log line that is yet to be written. The arguments must be immutable: another thread may read
 * them later.
 */
final class LogLine {

  /** Where lines go. */
  @FunctionalInterface
  interface Output {

    /** Writes a line; may block as long as the application's log does. */
    void write(Level level, String text, @Nullable Throwable thrown);
  }

  /** Numbers, including hexadecimal ones, which identify channels and streams in messages. */
  private static final Pattern NUMBER = Pattern.compile("\\b(?:0x)?[0-9a-f]*[0-9][0-9a-f]*\\b");

  private final String logger;
  private final Output output;
  private final Level level;
  private final String template;
  private final Object[] arguments;
  private final @Nullable Throwable thrown;
  private final String kind;

  private LogLine(
      String logger,
      Output output,
      Level level,
      String kind,
      String template,
      Object[] arguments,
      @Nullable Throwable thrown) {
    this.logger = logger;
    this.output = output;
    this.level = level;
    this.template = template;
    this.arguments = arguments;
    this.thrown = thrown;
    this.kind = kind;
  }

  /**
   * Returns a line for SLF4J.
   *
   * @param kind distinguishes lines of the same template that are not alike; empty if all are
   * @param arguments for the template's {@code {}}; an additional last one may be a throwable
   */
  static LogLine of(Logger logger, Level level, String kind, String template, Object... arguments) {
    return new LogLine(
        logger.getName(),
        to(logger),
        level,
        kind,
        template,
        arguments,
        MessageFormatter.getThrowableCandidate(arguments));
  }

  /** Returns SLF4J's log as an output. */
  static Output to(Logger logger) {
    return (level, text, thrown) -> logger.atLevel(level).setCause(thrown).log(text);
  }

  /** Returns a line whose text is complete. */
  static LogLine of(
      String logger, Output output, Level level, String text, @Nullable Throwable thrown) {
    return new LogLine(logger, output, level, "", text, new Object[0], thrown);
  }

  /** Writes the line. May block as long as the application's log does. */
  void write() {
    output.write(level, text(), thrown);
  }

  /** Writes how many lines like this one were not written, and the text of this one, the last. */
  void writeCount(long count, Duration time) {
    String cause = thrown == null ? "" : ": " + Thrown.describe(thrown);
    output.write(
        level,
        count + " more in " + LogLines.seconds(time) + ", the last: " + text() + cause,
        null);
  }

  private String text() {
    String text = MessageFormatter.basicArrayFormat(template, arguments);
    return text == null ? "" : text;
  }

  /**
   * Returns what similar lines have in common: the logger, the text except its arguments and
   * numbers, and the class and stack of the exception, or the kind.
   */
  String likeness() {
    String text = NUMBER.matcher(template).replaceAll("#");
    return logger + '|' + text + '|' + (thrown == null ? kind : Thrown.likeness(thrown));
  }
}
