package io.mapstream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrowsExactly;

import org.junit.jupiter.api.function.Executable;

/**
 * What every refused argument has in common: the exception's type, and a text that users rely on.
 */
final class Refusal {

  private Refusal() {}

  static void assertRefused(String message, Executable call) {
    IllegalArgumentException refusal = assertThrowsExactly(IllegalArgumentException.class, call);
    assertEquals(message, refusal.getMessage());
  }
}
