package io.mapstream.testkit;

/**
 * Thrown when a stream ended before what was awaited: the server or this side ended it, or the
 * connection was lost. Datums without an EOT can be sent again; see {@link
 * MapStreamClient#redrive}.
 */
public class StreamBrokenException extends IllegalStateException {

  private static final long serialVersionUID = 1L;

  /** How the stream ended. */
  private final StreamStatus status;

  StreamBrokenException(String message, StreamStatus status) {
    super(message + ": " + status);
    this.status = status;
  }

  /** {@return how the stream ended} */
  public StreamStatus status() {
    return status;
  }
}
