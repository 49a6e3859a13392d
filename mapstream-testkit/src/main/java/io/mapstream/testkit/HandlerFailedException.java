package io.mapstream.testkit;

import io.mapstream.Messages;
import org.jspecify.annotations.Nullable;

/**
 * The handler threw, and its stream has ended with that. What it threw is the {@linkplain
 * #getCause() cause}.
 *
 * <p>On the platform this ends more than the one datum; see {@link io.mapstream.MapStreamer#handle
 * MapStreamer.handle}.
 */
public class HandlerFailedException extends StreamBrokenException {

  private static final long serialVersionUID = 1L;

  /** What was emitted; lost where the exception is serialized, since messages can't be. */
  private final transient @Nullable Messages messages;

  HandlerFailedException(String message, Messages messages, Throwable cause, StreamStatus status) {
    super(message, status);
    initCause(cause);
    this.messages = messages;
  }

  /**
   * {@return the messages that the handler emitted before it failed, in their order, except those
   * that the test had taken before: all of them after {@link
   * MapStreamHarness#process(io.mapstream.Datum) process}}
   */
  public Messages messages() {
    return messages == null ? Messages.empty() : messages;
  }
}
