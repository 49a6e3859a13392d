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
   */
  record Data(String id, Datum datum, int size) implements Request {}

  /**
   * A message that the contract has no place for, or that could not be decoded.
   *
   * @param reason names the field and what was found in it
   */
  record Refused(String reason) implements Request {}
}
