package io.mapstream.server;

import io.mapstream.server.ServerOptions.ErrorPolicy;
import java.util.List;

/**
 * What is played in an order of its steps.
 *
 * @param streams how many; each datum goes to the next of them
 * @param scripts what the handler of each datum does, see {@link PlayedService}
 * @param places how many handlers may run at once
 * @param ending how the last stream ends; the others, if it is a matter of one, by half-close
 */
record StreamScenario(
    int streams, List<String> scripts, int places, ErrorPolicy policy, Ending ending) {

  /** How a stream comes to its end: one event from outside or two. */
  enum Ending {
    HALF_CLOSE,
    CANCEL,
    /** By a second handshake. */
    REFUSAL,
    DRAIN,
    ABORT,
    HALF_CLOSE_AND_CANCEL,
    HALF_CLOSE_AND_ABORT,
    DRAIN_AND_CANCEL,
    DRAIN_AND_ABORT;

    boolean halfCloses() {
      return name().startsWith("HALF_CLOSE");
    }

    boolean cancels() {
      return name().endsWith("CANCEL");
    }

    boolean refuses() {
      return this == REFUSAL;
    }

    boolean drains() {
      return name().startsWith("DRAIN");
    }

    boolean aborts() {
      return name().endsWith("ABORT");
    }

    boolean isOneEvent() {
      return !name().contains("_AND_");
    }

    /** Whether handlers come to their own end, and are not stopped. */
    boolean isPatient() {
      return this == HALF_CLOSE || this == DRAIN;
    }
  }

  /** Whether a handler waits for an interruption that does not come. */
  boolean hangs() {
    return ending.isPatient() && has("[~^]") && !stopsTheServer();
  }

  private boolean has(String letter) {
    return String.join("", scripts).matches(".*" + letter + ".*");
  }

  private boolean stopsTheServer() {
    return policy == ErrorPolicy.STOP && has("x");
  }

  /** Whether it is the same under the other policy. */
  boolean isTwin() {
    return policy == ErrorPolicy.FAIL && !has("x");
  }

  @Override
  public String toString() {
    return "%s on %d streams in %d places, %s, %s"
        .formatted(scripts, streams, places, policy, ending);
  }
}
