package io.mapstream.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.mapstream.Messages;
import org.jspecify.annotations.Nullable;

/**
 * Thrown when the handler threw an exception and its stream ended for that reason. The handler's
 * exception is the {@linkplain #getCause() cause}.
 *
 * <p>On the platform this affects more than the one datum; see {@link
 * io.mapstream.MapStreamer#handle MapStreamer.handle}.
 */
public class HandlerFailedException extends StreamBrokenException {

  private static final long serialVersionUID = 1L;

  /** What was emitted; lost in serialization, since messages are not serializable. */
  private final transient @Nullable Messages messages;

  HandlerFailedException(String message, Messages messages, Throwable cause, StreamStatus status) {
    super(message, status);
    initCause(cause);
    this.messages = messages;
  }

  /**
   * {@return a copy of the messages that had arrived and were not taken, in order} In a harness,
   * these are all that the handler emitted before it failed, without those that the test has taken.
   * The {@link Reply} still has them.
   */
  public Messages messages() {
    return messages == null ? Messages.empty() : messages;
  }

  /** Returns what a status has of a throwable: its text, or the class if that can't be printed. */
  @SuppressWarnings("CatchingUnchecked")
  static String text(Throwable thrown) {
    String text;
    try {
      text = thrown.toString();
    } catch (Throwable t) {
      String reason = thrown.getClass().getName() + ", which can't be printed";
      text = new IllegalStateException(reason).toString();
    }
    return new String(text.getBytes(UTF_8), UTF_8); // an unpaired surrogate becomes "?"
  }
}
