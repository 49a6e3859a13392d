package io.mapstream;

/**
 * Takes the results of one datum and sends each on as it comes.
 *
 * <p>There is nothing to flush or close: a message leaves at once when the connection is free,
 * together with a few others when it is busy, and in the order of emission either way. Several
 * threads of one handler may emit at the same time; each message then arrives exactly once, in an
 * order among the threads that is theirs to decide.
 *
 * <p>Being open is bound to the call of {@link MapStreamer#handle handle} that got this sink. It
 * closes when that call ends, when a message marked as {@linkplain Message#toFail() fail} was
 * emitted, after which nothing may follow, and when the stream is cancelled or broken.
 */
public interface MessageSink {

  /**
   * Sends a message to the next vertex.
   *
   * <p>Returns when the message is on its way or has its place in a bounded buffer, and waits as
   * long as it takes while the client reads more slowly than handlers write. That wait has no time
   * limit: a client that stops reading is meant to stop the handler.
   *
   * <p>Interrupting the thread ends the wait (where there is none, because there is room, the
   * message is sent all the same); so does the end of the stream, by a client that cancels or
   * disappears, another handler's failure or the end of the server's grace period, all of which
   * interrupt the handler. The message is not sent then, and the interrupt flag stays set, so that
   * blocking calls further up notice as well.
   *
   * <p>The message's byte array is handed over and must not be changed afterwards: it may be read
   * after this method has returned.
   *
   * @param message what to send
   * @throws SinkClosedException if the thread is interrupted while it waits, the stream is
   *     cancelled or broken, the handler has already returned, or a fail mark was emitted before
   * @throws MessageTooLargeException if the message, encoded, is above the server's limit; nothing
   *     of it has been written, and the sink can be used further
   * @throws IllegalArgumentException if the message is {@code null}
   */
  void emit(Message message);

  /**
   * Sends a value without keys or tags. The same as {@link #emit(Message)} with {@link
   * Message#of(byte[])}: it blocks, ends and fails as that does.
   *
   * @param value the payload, handed over: not to be changed afterwards
   * @throws SinkClosedException as {@link #emit(Message)} does
   * @throws MessageTooLargeException as {@link #emit(Message)} does
   */
  default void emit(byte[] value) {
    emit(Message.of(value));
  }

  /**
   * Sends messages one after the other, each as {@link #emit(Message)} does: the first leaves
   * before the second is asked of the iterator, so a lazy iterable streams. Other threads' messages
   * may come in between. Whatever ends the loop early, earlier messages have been sent.
   *
   * @param messages what to send, in this order
   * @throws SinkClosedException as {@link #emit(Message)} does
   * @throws MessageTooLargeException as {@link #emit(Message)} does
   * @throws IllegalArgumentException if {@code messages}, or one of them, is {@code null}
   */
  default void emitAll(Iterable<Message> messages) {
    for (Message message : Checks.required("messages", messages)) {
      emit(message);
    }
  }
}
