package io.mapstream;

/**
 * Thrown by {@link MessageSink#emit(Message)} if a message is larger than a response may be.
 * Nothing of it is written.
 *
 * <p>The limit is the server's {@code maxMessageSize}. It protects the client, which is limited to
 * 64 MiB and fails on a larger response, so raising the server's limit alone does not help. The
 * sizes are those of the encoded response: value, keys, tags, metadata and the datum's id.
 */
public class MessageTooLargeException extends IllegalArgumentException {

  private static final long serialVersionUID = 1L;

  /** Encoded length in bytes. */
  private final long size;

  /** Encoded length in bytes. */
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

  /** {@return the encoded length that the response would have had, in bytes} */
  public long size() {
    return size;
  }

  /** {@return the greatest encoded length of a response, in bytes} */
  public long limit() {
    return limit;
  }
}
