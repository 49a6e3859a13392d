package io.mapstream;

/**
 * Says that a {@link MessageSink} takes no more messages: its handler has returned or emitted a
 * fail mark, its stream was cancelled or broken, or the emitting thread was interrupted.
 *
 * <p>In the last two cases the interrupt flag of the handler's thread is set. Usually there is
 * nothing to do but to let it pass: a handler whose stream is gone ends quietly with it.
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
