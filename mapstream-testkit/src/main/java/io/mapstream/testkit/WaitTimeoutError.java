package io.mapstream.testkit;

import java.util.Objects;

/**
 * Thrown when an awaited event did not happen within a time limit. The message says what was
 * awaited, for how long, and what had happened by then. A test that does not catch this error
 * fails.
 */
public class WaitTimeoutError extends AssertionError {

  private static final long serialVersionUID = 1L;

  /**
   * Creates an error.
   *
   * @param message what was awaited, for how long, and what had happened by then
   */
  public WaitTimeoutError(String message) {
    super(Objects.requireNonNull(message, "message"));
  }
}
