package io.mapstream.testkit.cli;

/** Thrown for invalid options or unreadable input; the message names what was given. */
final class UsageFault extends IllegalArgumentException {

  private static final long serialVersionUID = 1L;

  UsageFault(String message) {
    super(message);
  }
}
