package io.mapstream.server;

import io.mapstream.Datum;

/** What one {@code MapRequest} asks for, as {@link WireMapping#readRequest} understood it. */
sealed interface Request {

  /** The first message of a stream; {@code sot} has to be true. */
  record Handshake(boolean sot) implements Request {}

  /**
   * A datum to be handled.
   *
   * @param id the client's name for it, to be repeated on every response; never empty
   * @param datum what the handler is given
   * @param size bytes of the encoded request, the unit of the admission budget
   * @param hasEventTime whether the client sent an event time; the datum has -1 ms otherwise
   */
  record Data(String id, Datum datum, int size, boolean hasEventTime) implements Request {

    Data(String id, Datum datum, int size) {
      this(id, datum, size, true);
    }
  }

  /**
   * A message that the contract has no place for, or that could not be decoded.
   *
   * @param kind what that is counted as, which decides the stream's status
   * @param reason names the field or the setting, and what was found
   */
  record Refused(FailureKind kind, String reason) implements Request {

    /** The client is at fault. */
    Refused(String reason) {
      this(FailureKind.REQUEST_REFUSED, reason);
    }
  }
}
