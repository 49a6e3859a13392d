package io.mapstream;

/**
 * Thrown if a {@link MessageSink} accepts no more messages: its handler has returned or emitted a
 * fail mark, its stream was cancelled or broken, or the emitting thread was interrupted.
 *
 * <ul>
 *   <li>The stream has ended: the interrupt flag of the handler's thread is set. Let the exception
 *       leave the handler; it is not a failure then.
 *   <li>The handler has emitted {@link Message#toFail()}: return afterwards, since an exception
 *       that leaves the handler is a failure like any other.
 *   <li>Other code has interrupted the emitting thread while the stream is open: the flag of that
 *       thread is set, and the exception is a failure if it leaves the handler.
 * </ul>
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
