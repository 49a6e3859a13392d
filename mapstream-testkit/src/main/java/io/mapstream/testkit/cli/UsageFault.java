package io.mapstream.testkit.cli;

/** The command was called wrongly, or its input can't be read: the message names what was given. */
final class UsageFault extends IllegalArgumentException {

  private static final long serialVersionUID = 1L;

  UsageFault(String message) {
    super(message);
  }
}
