package io.mapstream.testkit;

import io.mapstream.Message;

/**
 * Receives what arrives for one datum, as it arrives. A listener can follow many datums without a
 * thread for each, and without keeping what has arrived.
 *
 * <p>The calls for one stream are made one after another, on gRPC's threads. While one of them
 * blocks, the client reads nothing from that stream, and the server's handlers block in {@code
 * emit} once the buffers in between are full. So a slow listener slows the server down, and nothing
 * accumulates. For the same reason, a listener must not wait for its own stream. An exception
 * thrown by a listener cancels the stream.
 */
public interface ReplyListener {

  /**
   * Called when a message has arrived.
   *
   * @param message the message, with its mark, if any
   */
  void message(Message message);

  /** Called when the EOT has arrived: the datum is answered, and this is the last call. */
  void ended();

  /**
   * Called when there will be no EOT; this is the last call.
   *
   * @param reason a {@link StreamBrokenException} or a {@link ProtocolFaultError}
   */
  void failed(Throwable reason);
}
