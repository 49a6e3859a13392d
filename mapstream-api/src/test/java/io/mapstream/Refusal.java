package io.mapstream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrowsExactly;

import org.junit.jupiter.api.function.Executable;

/** What refused arguments have in common: the exception's type, and a text that users rely on. */
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
