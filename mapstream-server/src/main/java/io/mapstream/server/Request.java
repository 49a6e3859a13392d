package io.mapstream.server;

import io.mapstream.Datum;

/** One {@code MapRequest}, decoded by {@link WireMapping#readRequest}. */
sealed interface Request {

  /** The first message of a stream; {@code sot} must be true. */
  record Handshake(boolean sot) implements Request {}

  /**
   * A datum to be handled.
   *
   * @param id the client's name for it, which every response repeats; never empty
   * @param datum the handler's input
   * @param size bytes of the encoded request, the unit of the admission budget
   * @param hasEventTime whether the client sent an event time; the datum has -1 ms otherwise
   */
  record Data(String id, Datum datum, int size, boolean hasEventTime) implements Request {

    Data(String id, Datum datum, int size) {
      this(id, datum, size, true);
    }
  }

  /**
   * A message that violates the contract, or that could not be decoded.
   *
   * @param kind the kind of failure that is counted, which decides the stream's status
   * @param reason names the field or the setting, and what was found
   */
  record Refused(FailureKind kind, String reason) implements Request {

    /** Creates one for which the client is at fault. */
    Refused(String reason) {
      this(FailureKind.REQUEST_REFUSED, reason);
    }
  }
}
