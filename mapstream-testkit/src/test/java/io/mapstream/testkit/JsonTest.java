package io.mapstream.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {

  @Test
  void readsEveryKindOfValue() {
    assertEquals(
        Map.of(
            "text", "a\"\\/\b\f\n\r\té😀",
            "numbers", List.of(BigDecimal.ZERO, new BigDecimal("-1.5e3")),
            "words", List.of(true, false),
            "nested", Map.of("empty", Map.of(), "none", List.of())),
        Json.read(
            """
             { "text" : "a\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\uDE00" ,
              "numbers":[0, -1.5e3],
              "words":[true,false],"nested":{"empty":{},"none":[ ]}}
            """));
    assertNull(Json.read("null"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "[1",
        "[1,]",
        "{\"a\"}",
        "{\"a\":1,}",
        "{a:1}",
        "\"a",
        "\"\\x\"",
        "\"\\u00g0\"",
        "01",
        "1.",
        "+1",
        "--1",
        "nul",
        "1 2",
        "\"\n\"",
        "\"\\",
      })
  void refusesAnythingElse(String text) {
    assertThrows(IllegalArgumentException.class, () -> Json.read(text));
  }

  @Test
  void refusesDepthThatWouldOverflowTheStack() {
    assertThrows(IllegalArgumentException.class, () -> Json.read("[".repeat(100_000)));
  }
}
