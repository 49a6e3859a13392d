package io.mapstream.server;

/**
 * The kinds of failure that {@link ServerMetrics#failures()} counts. Datums that were not answered
 * because of a failure are sent again by the data plane. With {@link #HANDLER_ANSWERED_WITH_FAIL}
 * and {@link #HANDLER_EMITTED_LATE}, the datum was answered.
 */
public enum FailureKind {

  /**
   * A handler threw, and only its datum was answered with the fail mark; one per datum. See {@link
   * ServerOptions.ErrorPolicy#FAIL}.
   */
  HANDLER_ANSWERED_WITH_FAIL,

  /**
   * A handler threw, which ended its stream and stops the server; one per stream. Also an {@link
   * OutOfMemoryError} after the end of the stream.
   */
  HANDLER_STOPPED_SERVER,

  /**
   * A handler threw after the end of its stream, and not because of that end; one per datum. An
   * exception caused by the interruption, or by a refused {@code emit}, is not counted.
   */
  HANDLER_LATE,

  /**
   * A result was emitted after the handler had returned, and its datum was answered without it:
   * that result is lost. This happens if a handler passes work to other threads and does not wait
   * for them; one per datum.
   */
  HANDLER_EMITTED_LATE,

  /**
   * A client's request violated the contract, or requests that were not admitted took more than
   * their share of the heap. This ended the stream; one per stream.
   */
  REQUEST_REFUSED,

  /**
   * A client's request was larger than {@link ServerOptions#maxMessageSize()}, which ended its
   * stream; one per stream.
   */
  REQUEST_TOO_LARGE,

  /**
   * The client cancelled or disconnected while datums were in work, so their handlers were
   * interrupted; one per stream. Not counted if nothing was in work.
   */
  CLIENT_GONE,

  /**
   * There was not enough memory to decode or admit a datum, which ended its stream; one per stream.
   */
  ADMISSION_FAILED,

  /** Responses could not be written, which ended the stream; one per stream. */
  WRITE_FAILED
}
