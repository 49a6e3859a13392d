package io.mapstream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrowsExactly;

import org.junit.jupiter.api.function.Executable;

/** Checks for refused arguments: the exception's type, and a message that users rely on. */
final class Refusal {

  private Refusal() {}

  static void assertNullRefused(String place, Executable call) {
    assertEquals(place, assertThrowsExactly(NullPointerException.class, call).getMessage());
  }

  static void assertRefused(String message, Executable call) {
    IllegalArgumentException refusal = assertThrowsExactly(IllegalArgumentException.class, call);
    assertEquals(message, refusal.getMessage());
  }
}
