package io.mapstream.testkit;

/**
 * Says that a stream has ended before what was waited for: the server or this side has broken it,
 * or the connection is gone. What it left without an EOT can be sent again, see {@link
 * MapStreamClient#redrive}.
 */
public class StreamBrokenException extends IllegalStateException {

  private static final long serialVersionUID = 1L;

  /** How the stream ended. */
  private final StreamStatus status;

  /**
   * Describes the end of a stream.
   *
   * @param message what was waited for when it ended
   * @param status how it ended
   */
  public StreamBrokenException(String message, StreamStatus status) {
    super(message + ": " + status);
    this.status = status;
  }

  /** {@return how the stream ended} */
  public StreamStatus status() {
    return status;
  }
}
