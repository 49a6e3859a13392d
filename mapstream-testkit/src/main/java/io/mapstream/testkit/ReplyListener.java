package io.mapstream.testkit;

import io.mapstream.Message;

/**
 * Told of what arrives for one datum, at the moment of its arrival: the way to follow many datums
 * without a thread for each, and without keeping what has arrived.
 *
 * <p>The calls of one stream come one after the other. While one of them blocks, the client reads
 * nothing from that stream, and the server's handlers wait in {@code emit} once the buffers between
 * are full. So a slow listener slows the server down, and nothing piles up. For the same reason it
 * must not wait for its own stream. An exception thrown here cancels the stream.
 */
public interface ReplyListener {

  /**
   * A message has arrived.
   *
   * @param message with its marks, if any
   */
  void message(Message message);

  /** The EOT has arrived: the datum is answered, and this is the last call. */
  void ended();

  /**
   * There will be no EOT, and this is the last call.
   *
   * @param reason a {@link StreamBrokenException} or a {@link ProtocolFaultError}
   */
  void failed(Throwable reason);
}
