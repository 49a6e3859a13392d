package io.mapstream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Collections;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ShownTest {

  @Test
  void textOfThirtyTwoCharactersIsShownWhole() {
    String text = "x".repeat(32);

    assertEquals("\"" + text + "\" (32 bytes)", Shown.bytes(text.getBytes(UTF_8)));
    assertEquals("\"" + text + "\"", Shown.text(text));
  }

  @Test
  void longerTextIsCutAndCounted() {
    String text = "x".repeat(33);

    assertEquals("\"" + "x".repeat(32) + "\"… (33 bytes)", Shown.bytes(text.getBytes(UTF_8)));
    assertEquals("\"" + "x".repeat(32) + "\"…", Shown.text(text));
  }

  @Test
  void cutDoesNotSplitACharacterOfTwoUnits() {
    String text = "x".repeat(31) + "😀😀";
    String shown = "\"" + "x".repeat(31) + "\"…";

    assertEquals(shown, Shown.text(text));
    assertEquals(shown + " (39 bytes)", Shown.bytes(text.getBytes(UTF_8)));
  }

  @Test
  void longestCharactersFillThePrefixToo() {
    String text = "😀".repeat(100);

    assertEquals("\"" + "😀".repeat(16) + "\"… (400 bytes)", Shown.bytes(text.getBytes(UTF_8)));
  }

  @Test
  void lineEndsAreEscaped() {
    assertEquals("\"a\\tb\\r\\n\" (5 bytes)", Shown.bytes("a\tb\r\n".getBytes(UTF_8)));
  }

  @ParameterizedTest
  @CsvSource({
    "00, 0x00 (1 byte)",
    "61ff, 0x61ff (2 bytes)",
    "61c3, 0x61c3 (2 bytes)",
    "000102030405060708090a0b0c0d0e0f, 0x000102030405060708090a0b0c0d0e0f (16 bytes)",
    "000102030405060708090a0b0c0d0e0f10, 0x000102030405060708090a0b0c0d0e0f… (17 bytes)",
  })
  void bytesThatAreNotPrintableAreShownAsHex(String hex, String shown) {
    assertEquals(shown, Shown.bytes(HexFormat.of().parseHex(hex)));
  }

  @Test
  void longListsAreCutAndCounted() {
    assertEquals("[" + "\"k\", ".repeat(15) + "\"k\"]", Shown.texts(Collections.nCopies(16, "k")));
    assertEquals(
        "[" + "\"k\", ".repeat(16) + "… 4 more]", Shown.texts(Collections.nCopies(20, "k")));
  }
}
