package io.mapstream;

import static java.util.Objects.requireNonNull;

import java.util.stream.Stream;

/**
 * Accepts the messages of one datum and sends each of them at once.
 *
 * <p>There is nothing to flush or close. A message is sent at once when the connection is free, and
 * together with a few others when it is busy; the order of emission is kept. Several threads of one
 * handler may emit at the same time: each message arrives exactly once; the order of messages from
 * different threads is the order in which the threads emit them.
 *
 * <p>A sink belongs to one call of {@link MapStreamer#handle handle}. It closes when that call
 * ends, when a message with the {@linkplain Message#toFail() fail mark} is emitted, and when the
 * stream is cancelled or broken.
 */
public interface MessageSink {

  /**
   * Sends a message to the next vertex.
   *
   * <p>Returns when the message has been sent or placed in a bounded buffer. While the client reads
   * more slowly than handlers write, this method blocks, without a time limit: a client that stops
   * reading stops the handler.
   *
   * <p>The wait ends when the thread is interrupted, and when the stream ends: the client cancels
   * or disappears, another handler fails, or the server's grace period is over; the server
   * interrupts the handler then. In each case the message is not sent and the interrupt flag stays
   * set. A call that does not have to wait ignores the flag and sends the message; a message of
   * more than what may wait for the client always counts as one that waits.
   *
   * <p>When this method returns, normally or by an exception, the message's array may be changed or
   * reused. No thread may change it before that.
   *
   * @param message what to send
   * @throws SinkClosedException if the thread is interrupted while it waits, the stream is
   *     cancelled or broken, the handler has already returned, or a fail mark was emitted before
   * @throws MessageTooLargeException if the encoded message exceeds the server's limit; nothing of
   *     it was written, and the sink stays usable
   * @throws UnsupportedMarkException if the platform's release is configured in the server, and
   *     that release does not know the message's mark; the sink stays usable
   * @throws NullPointerException if the message is {@code null}
   */
  void emit(Message message);

  /**
   * Sends a value without keys or tags, as {@link #emit(Message)} does.
   *
   * @param value the payload; may be changed or reused when this method returns
   * @throws SinkClosedException as {@link #emit(Message)} does
   * @throws MessageTooLargeException as {@link #emit(Message)} does
   * @throws NullPointerException if the value is {@code null}
   */
  default void emit(byte[] value) {
    emit(Message.of(value));
  }

  /**
   * Sends a part of an array without keys or tags, as {@link #emit(Message)} does: for loops that
   * read into one buffer.
   *
   * @param value an array that contains the payload; may be changed or reused when this method
   *     returns
   * @param offset index of the first byte
   * @param length number of bytes
   * @throws SinkClosedException as {@link #emit(Message)} does
   * @throws MessageTooLargeException as {@link #emit(Message)} does
   * @throws NullPointerException if the array is {@code null}
   * @throws IndexOutOfBoundsException if the part is not within the array
   */
  default void emit(byte[] value, int offset, int length) {
    emit(Message.of(value, offset, length));
  }

  /**
   * Sends a string, encoded as UTF-8, without keys or tags, as {@link #emit(Message)} does.
   *
   * @param text the payload
   * @throws SinkClosedException as {@link #emit(Message)} does
   * @throws MessageTooLargeException as {@link #emit(Message)} does
   * @throws NullPointerException if the text is {@code null}
   * @throws IllegalArgumentException if the text has an unpaired surrogate
   */
  default void emit(String text) {
    emit(Message.of(text));
  }

  /**
   * Sends messages one after the other, each as {@link #emit(Message)} does. Each is sent before
   * the iterator is asked for the next one, so a lazy iterable is streamed. Messages of other
   * threads may come in between. If an exception ends the loop, the messages before it have been
   * sent.
   *
   * @param messages what to send, in this order
   * @throws SinkClosedException as {@link #emit(Message)} does
   * @throws MessageTooLargeException as {@link #emit(Message)} does
   * @throws UnsupportedMarkException as {@link #emit(Message)} does
   * @throws NullPointerException if {@code messages} or one of them is {@code null}
   */
  default void emitAll(Iterable<Message> messages) {
    for (Message message : requireNonNull(messages, "messages")) {
      emit(message);
    }
  }

  /**
   * Sends the messages of a stream in its order, each as {@link #emit(Message)} does, on the
   * calling thread. Each is sent before the stream is asked for the next one. If an exception ends
   * the loop, the messages before it have been sent. The stream is always closed, which closes a
   * file or a cursor that it reads.
   *
   * @param messages what to send; consumed and closed
   * @throws SinkClosedException as {@link #emit(Message)} does
   * @throws MessageTooLargeException as {@link #emit(Message)} does
   * @throws UnsupportedMarkException as {@link #emit(Message)} does
   * @throws NullPointerException if {@code messages} or one of them is {@code null}
   */
  default void emitAll(Stream<Message> messages) {
    try (Stream<Message> closing = requireNonNull(messages, "messages")) {
      closing.sequential().forEachOrdered(this::emit);
    }
  }

  /**
   * Returns whether the handler should finish soon because the server drains. A draining server has
   * been asked to stop, accepts no new datums, and waits for open handlers until its grace period
   * is over. Then it interrupts them. If only the datum's stream ends, the handler is interrupted
   * at once, and this method does not report it.
   *
   * <p>A handler that runs for long, or without end, should check this between two messages and
   * return when it can. While the server drains, emitted messages still arrive, and the datum
   * counts as done when the handler returns. To have the datum sent again instead, do not return:
   * wait for the interruption, or emit a nack. Once true, the result stays true. This method never
   * blocks; any thread may call it.
   *
   * @return whether the handler should finish; always false for a sink without a server
   */
  default boolean isStopping() {
    return false;
  }
}
