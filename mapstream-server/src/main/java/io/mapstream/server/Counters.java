package io.mapstream.server;

/** What the server has done since its start. Belongs to the event loop. */
final class Counters {

  private long streams;
  private long datums;
  private long answered;
  private long results;
  private long failMarks;

  void opened() {
    streams++;
  }

  void admitted() {
    datums++;
  }

  void answered() {
    answered++;
  }

  void wrote(long written) {
    results += written;
  }

  void failedAlone() {
    failMarks++;
  }

  @Override
  public String toString() {
    return "%d streams, %d datums (%d answered, %d of them failed alone), %d results"
        .formatted(streams, datums, answered, failMarks, results);
  }
}
