package io.mapstream;

import java.util.List;

/**
 * A map-stream function: takes one datum and emits any number of messages, each of which leaves for
 * the next vertex while the function goes on.
 *
 * <p><b>Threads.</b> One instance serves all datums. Each call runs on a virtual thread of its own
 * and many run at the same time (500 with the platform's default batch), so whatever the instance
 * holds must be safe for that. Blocking is fine and expected: waiting for a file, a database or a
 * network holds up no other datum.
 *
 * <p><b>Results.</b> Those of one datum arrive in the order of their emission; those of different
 * datums may arrive in any order. A function that emits nothing is complete too: the datum then
 * yields no message. The platform delivers at least once, so after a failure the same datum may
 * come again, and what had already left is then seen twice downstream.
 */
@FunctionalInterface
public interface MapStreamer {

  /**
   * Handles one datum. Its end is the end of the datum: after a normal return the server tells the
   * client that the datum is done, so results have to be emitted before, also by threads that the
   * handler started.
   *
   * <p>The thread is interrupted when its stream ends before it: the client cancels, its connection
   * breaks or it breaks the contract, another handler's failure ends the stream, or the server
   * stops and its grace period is over. A handler then does best to return or throw soon. What it
   * emits is refused with {@link SinkClosedException}; that exception or an {@code
   * InterruptedException}, thrown then or the cause of what is thrown, is no failure, and any other
   * is logged.
   *
   * @param keys the keys of the datum, the same as {@link Datum#keys()}; unmodifiable, often empty
   * @param datum what came in
   * @param sink where the results go; only for use during this call
   * @throws Exception anything that keeps this function from doing its work. By the contract with
   *     the platform this ends more than the one datum: the stream ends with an error that carries
   *     the stack trace, the process ends with a non-zero code, and the platform restarts the
   *     container and sends all unfinished datums again. To have a single datum retried, emit
   *     {@link Message#toFail()} and return instead; or have the server do that with every
   *     exception, by its error policy {@code FAIL}.
   */
  void handle(List<String> keys, Datum datum, MessageSink sink) throws Exception;
}
