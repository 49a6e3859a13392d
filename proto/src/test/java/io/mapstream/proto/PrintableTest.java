package io.mapstream.proto;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PrintableTest {

  @Test
  void leavesTextAsItIs() {
    String text = "in-0-17 \"größe\" 漢字 🙂 \\ ~";

    assertSame(text, Printable.text(text));
  }

  /** Given as code points: a file of tests should not hold them either. */
  @ParameterizedTest
  @CsvSource({
    "000a, \\u000a", // line feed
    "000d, \\u000d",
    "001b, \\u001b", // begins a terminal's commands
    "007f, \\u007f",
    "0085, \\u0085", // next line
    "2028, \\u2028", // line separator
    "202e, \\u202e", // writes what follows from right to left
    "200b, \\u200b", // has no width
    "e0041, \\udb40\\udc41", // a tag, which is not shown at all
    "d83d, \\ud83d" // half a character
  })
  void escapesWhatEndsALineOrHidesSomething(String codePoint, String shown) {
    String unseen = Character.toString(Integer.parseInt(codePoint, 16));

    assertEquals("a" + shown + "b", Printable.text("a" + unseen + "b"));
  }
}
