package io.mapstream.server;

/** What became of a datum when its handler had ended, as its flight recorder event tells it. */
enum DatumOutcome {
  /** The handler returned while its stream was open; the EOT follows the results. */
  ANSWERED,

  /** The handler threw, and the datum was answered with the fail mark. */
  ANSWERED_WITH_FAIL,

  /** The handler threw, which ends the stream and stops the server. */
  FAILED,

  /** The stream had ended before the handler did; the client sends the datum again. */
  STREAM_ENDED
}
