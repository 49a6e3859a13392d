package io.mapstream.testkit;

import io.mapstream.Messages;
import org.jspecify.annotations.Nullable;

/**
 * Says that a handler threw. Its exception or error is the {@linkplain #getCause() cause}.
 *
 * <p>On the platform this ends more than the one datum; see {@link io.mapstream.MapStreamer#handle
 * MapStreamer.handle}.
 */
public class HandlerFailedException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /** What was emitted; lost where the exception is serialized, since messages can't be. */
  private final transient @Nullable Messages messages;

  HandlerFailedException(String message, Messages messages, Throwable cause) {
    super(message, cause);
    this.messages = messages;
  }

  /**
   * The messages that the handler emitted before it failed, as far as the test has not read them
   * before: all of them after {@link MapStreamHarness#process(io.mapstream.Datum) process}. In
   * production they have left already.
   *
   * @return the messages in the order of their emission
   */
  public Messages messages() {
    return messages == null ? Messages.empty() : messages;
  }
}
