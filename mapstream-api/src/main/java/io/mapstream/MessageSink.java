package io.mapstream;

import static java.util.Objects.requireNonNull;

import java.util.stream.Stream;

/**
 * Takes the messages of one datum and sends each at once.
 *
 * <p>There is nothing to flush or close. A message leaves at once when the connection is free, and
 * together with a few others when it is busy; the order of emission is kept. Several threads of one
 * handler may emit at the same time: each message arrives exactly once, and the threads decide the
 * order among them.
 *
 * <p>A sink belongs to one call of {@link MapStreamer#handle handle}. It closes when that call
 * ends, when a message with the {@linkplain Message#toFail() fail mark} was emitted, and when the
 * stream is cancelled or broken.
 */
public interface MessageSink {

  /**
   * Sends a message to the next vertex.
   *
   * <p>Returns when the message is on its way or has its place in a bounded buffer. While the
   * client reads more slowly than handlers write, this method waits, without a time limit: a client
   * that stops reading stops the handler.
   *
   * <p>The wait ends when the thread is interrupted, and when the stream ends: the client cancels
   * or disappears, another handler fails, or the server's grace period is over; the server
   * interrupts the handler then. In each case the message is not sent and the interrupt flag stays
   * set. A call that does not have to wait ignores the flag and sends the message.
   *
   * <p>When this method returns, normally or not, the message's array is the caller's again and may
   * be changed or reused. Another thread must not change it before.
   *
   * @param message what to send
   * @throws SinkClosedException if the thread is interrupted while it waits, the stream is
   *     cancelled or broken, the handler has already returned, or a fail mark was emitted before
   * @throws MessageTooLargeException if the encoded message is above the server's limit; nothing of
   *     it was written, and the sink stays usable
   * @throws UnsupportedMarkException if the server was told the platform's release, and that
   *     release does not know the message's mark; the sink stays usable
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
   * @param value an array that holds the payload; may be changed or reused when this method returns
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
   * Sends a text as UTF-8 without keys or tags, as {@link #emit(Message)} does.
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
   * Sends messages one after the other, each as {@link #emit(Message)} does. The first is sent
   * before the iterator is asked for the second, so that a lazy iterable streams. Messages of other
   * threads may come in between. If an exception ends the loop, the messages before it were sent.
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
   * the loop, the messages before it were sent. The stream is closed in every case, which closes a
   * file or a cursor that it reads.
   *
   * @param messages what to send; used up and closed
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
   * Tells whether the handler should finish soon: the server drains, or the datum's stream has
   * ended. A server that drains has been asked to stop, accepts no new datum, and waits for the
   * open handlers until its grace period is over. Then it interrupts them.
   *
   * <p>A handler that would go on for long, or without end, should look at this between two
   * messages and return when it can. While the server drains, what the handler emits still arrives,
   * and its datum counts as done when it returns. To have the datum sent again instead, do not
   * return: wait for the interruption, or emit a nack. Once true it stays true. This method never
   * waits; any thread may call it.
   *
   * @return whether the handler should finish; always false in sinks that have no server
   */
  default boolean isStopping() {
    return false;
  }
}
