package io.mapstream;

import java.util.List;

/**
 * A map-stream function: takes one datum and emits any number of messages. Each message is sent to
 * the next vertex while the function continues.
 *
 * <p><b>Threads.</b> One instance serves all datums. Each call runs on its own virtual thread, and
 * many run at the same time (500 with the platform's default batch). The instance's fields must
 * therefore be safe for concurrent use. Blocking is fine: waiting for a file, a database or a
 * network does not delay other datums.
 *
 * <p><b>Results.</b> The messages of one datum arrive in the order of their emission; those of
 * different datums may arrive in any order. A function may emit nothing: the datum then yields no
 * message. The platform delivers at least once: after a failure the same datum may be delivered
 * again, and messages that were already sent then arrive twice downstream.
 */
@FunctionalInterface
public interface MapStreamer {

  /**
   * Handles one datum. When this method returns, the server informs the client that the datum is
   * done. All messages must be emitted before that, including those of threads that the handler
   * started.
   *
   * <p>The thread is interrupted when its stream ends early: the client cancels, its connection
   * breaks or it violates the protocol, another handler's failure ends the stream, or the server
   * stops and its grace period is over. The handler should then return or throw soon. Any message
   * that it emits is refused with {@link SinkClosedException}. If it then throws that exception or
   * an {@code InterruptedException}, directly or as a cause, this is not a failure; any other
   * exception is logged. A long-running handler can call {@link MessageSink#isStopping()} to find
   * out that the server is stopping before it is interrupted.
   *
   * @param keys the keys of the datum, the same as {@link Datum#keys()}; unmodifiable, often empty
   * @param datum the input
   * @param sink accepts the messages; for use during this call only
   * @throws Exception if this function can't do its work. By the platform's contract this affects
   *     more than the one datum: the stream ends with an error that carries the stack trace, and
   *     the process ends with a non-zero code. The platform restarts the container and sends all
   *     unfinished datums again. To affect this datum alone, catch the exception and emit {@link
   *     Message#toDrop()} or {@link Message#toNack()} instead. On releases after Numaflow 1.8.3,
   *     {@link Message#toFail()} is also available, and the server's error policy {@code FAIL}
   *     emits it for every exception.
   */
  void handle(List<String> keys, Datum datum, MessageSink sink) throws Exception;
}
