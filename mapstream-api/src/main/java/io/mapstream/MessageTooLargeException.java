package io.mapstream;

/**
 * A message is larger than one response may be. Thrown by {@link MessageSink#emit(Message)} before
 * any of it is written.
 *
 * <p>The limit is the server's {@code maxMessageSize}. It protects the client, which is set to 64
 * MiB and breaks on a larger response, so raising the server's limit alone does not help. The sizes
 * are those of the encoded response: value, keys, tags, metadata and the datum's id.
 */
public class MessageTooLargeException extends IllegalArgumentException {

  private static final long serialVersionUID = 1L;

  /** Bytes, encoded. */
  private final long size;

  /** Bytes, encoded. */
  private final long limit;

  /**
   * Describes a response that was refused.
   *
   * @param size its encoded length in bytes
   * @param limit the greatest length allowed, in bytes
   */
  public MessageTooLargeException(long size, long limit) {
    super(
        "an encoded response of "
            + size
            + " bytes is above the limit of "
            + limit
            + " bytes (maxMessageSize)");
    this.size = size;
    this.limit = limit;
  }

  /** {@return how long the response would have been: bytes, encoded} */
  public long size() {
    return size;
  }

  /** {@return how long a response may be: bytes, encoded} */
  public long limit() {
    return limit;
  }
}
