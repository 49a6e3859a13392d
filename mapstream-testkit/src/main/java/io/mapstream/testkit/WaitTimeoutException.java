package io.mapstream.testkit;

/**
 * Says that something did not happen within the limit of a wait: what was waited for, how long, and
 * what had happened until then.
 */
public class WaitTimeoutException extends IllegalStateException {

  private static final long serialVersionUID = 1L;

  /**
   * Describes a wait that was in vain.
   *
   * @param message what was waited for, how long, and what had happened until then
   */
  public WaitTimeoutException(String message) {
    super(message);
  }
}
