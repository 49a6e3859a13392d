package io.mapstream;

/**
 * A {@link MessageSink} accepts no more messages: its handler has returned or emitted a fail mark,
 * its stream was cancelled or broken, or the emitting thread was interrupted.
 *
 * <p>If the stream has ended, the interrupt flag of the handler's thread is set, and the handler
 * should let this exception pass: it then ends quietly. If an emitting thread was interrupted, the
 * flag of that thread is set. While the stream is open (after a fail mark, or an interruption by
 * other code) an exception that leaves the handler is a failure like any other, so return after
 * {@link Message#toFail()}.
 */
public class SinkClosedException extends IllegalStateException {

  private static final long serialVersionUID = 1L;

  /**
   * Describes why the sink is closed.
   *
   * @param message what closed it
   */
  public SinkClosedException(String message) {
    super(message);
  }

  /**
   * Describes why the sink is closed, with what led to it.
   *
   * @param message what closed it
   * @param cause for instance the {@link InterruptedException} that ended a wait
   */
  public SinkClosedException(String message, Throwable cause) {
    super(message, cause);
  }
}
