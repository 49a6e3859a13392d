package io.mapstream.testkit;

/**
 * Something did not happen within the limit of a wait. The message says what was waited for, how
 * long, and what had happened by then. A test that does not catch it fails.
 */
public class WaitTimeoutError extends AssertionError {

  private static final long serialVersionUID = 1L;

  /**
   * Describes a wait that timed out.
   *
   * @param message what was waited for, how long, and what had happened by then
   */
  public WaitTimeoutError(String message) {
    super(message);
  }
}
