package io.mapstream;

/**
 * Says that a {@link MessageSink} takes no more messages: its handler has returned or emitted a
 * fail mark, its stream was cancelled or broken, or the emitting thread was interrupted.
 *
 * <p>Where the stream has ended the interrupt flag of the handler's thread is set, and there is
 * nothing to do but to let the exception pass: the handler ends quietly. Where an emitting thread
 * was interrupted, that thread's flag is set. While the stream is open (after a fail mark, or an
 * interruption by somebody else) an exception that is let out is a handler's failure like any
 * other, so return after {@link Message#toFail()}.
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
