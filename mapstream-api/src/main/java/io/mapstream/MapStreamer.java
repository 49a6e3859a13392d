package io.mapstream;

import java.util.List;

/**
 * A map-stream function: takes one datum and emits any number of messages. Each leaves for the next
 * vertex while the function goes on.
 *
 * <p><b>Threads.</b> One instance serves all datums. Each call runs on a virtual thread of its own,
 * and many run at the same time (500 with the platform's default batch). So the fields of the
 * instance must be safe for concurrent use. Blocking is fine: waiting for a file, a database or a
 * network delays no other datum.
 *
 * <p><b>Results.</b> The messages of one datum arrive in the order of their emission; those of
 * different datums may arrive in any order. A function may emit nothing: the datum then yields no
 * message. The platform delivers at least once: after a failure the same datum may come again, and
 * messages that had already left are then seen twice downstream.
 */
@FunctionalInterface
public interface MapStreamer {

  /**
   * Handles one datum. When this method returns, the server tells the client that the datum is
   * done. So messages must be emitted before, also those of threads that the handler started.
   *
   * <p>The thread is interrupted when its stream ends early: the client cancels, its connection
   * breaks or it violates the protocol, another handler's failure ends the stream, or the server
   * stops and its grace period is over. The handler should then return or throw soon. What it emits
   * is refused with {@link SinkClosedException}. If it then throws that exception or an {@code
   * InterruptedException}, also as a cause, this is not a failure; any other exception is logged. A
   * handler that runs for long can ask {@link MessageSink#isStopping()} whether the server stops,
   * before it is interrupted.
   *
   * @param keys the keys of the datum, the same as {@link Datum#keys()}; unmodifiable, often empty
   * @param datum the input
   * @param sink takes the messages; only for use during this call
   * @throws Exception whatever prevents this function from doing its work. By the platform's
   *     contract this ends more than the one datum: the stream ends with an error that carries the
   *     stack trace, and the process ends with a non-zero code. The platform restarts the container
   *     and sends all unfinished datums again. For a single datum, catch the exception and emit
   *     {@link Message#toDrop()} or {@link Message#toNack()} instead. On releases after Numaflow
   *     1.8.3 there is also {@link Message#toFail()}, and the server's error policy {@code FAIL},
   *     which does that with every exception.
   */
  void handle(List<String> keys, Datum datum, MessageSink sink) throws Exception;
}
