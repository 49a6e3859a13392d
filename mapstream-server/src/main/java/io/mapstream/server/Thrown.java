package io.mapstream.server;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What the server reads from a throwable. The throwable's methods are the user's code, which may
 * throw or block: nothing here is for the event loop, unless the throwable is the server's own.
 */
final class Thrown {

  /** Causes may form a cycle. */
  private static final int LONGEST_CHAIN = 32;

  private Thrown() {}

  /** Returns the throwable and its causes, the outermost first. */
  static List<Throwable> causes(Throwable thrown) {
    List<Throwable> causes = new ArrayList<>();
    for (Throwable at = thrown; at != null && causes.size() < LONGEST_CHAIN; at = at.getCause()) {
      causes.add(at);
    }
    return causes;
  }

  /** Returns class and message, as {@link Throwable#toString} does, or the class alone. */
  static String describe(Throwable thrown) {
    String name = thrown.getClass().getName();
    String message = thrown.getMessage();
    return message == null ? name : name + ": " + message;
  }

  /** Returns the same text for all throwables of one class that were thrown at one place. */
  @SuppressWarnings("CatchingUnchecked")
  static String likeness(Throwable thrown) {
    String name = thrown.getClass().getName();
    try {
      return name + '|' + Arrays.hashCode(thrown.getStackTrace());
    } catch (Throwable t) {
      return name;
    }
  }
}
