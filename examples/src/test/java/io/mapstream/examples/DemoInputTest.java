package io.mapstream.examples;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class DemoInputTest {

  static List<Arguments> texts() {
    return List.of(
        Arguments.of("", List.of()),
        Arguments.of("\n", List.of("")),
        Arguments.of("a\nb\n", List.of("a", "b")),
        Arguments.of("a\n\nb", List.of("a", "", "b")),
        Arguments.of("a\r\nb\rc\r\n\r\n", List.of("a", "b\rc", "")),
        Arguments.of("\u00ff\u0000", List.of("\u00ff\u0000")));
  }

  @ParameterizedTest
  @MethodSource("texts")
  void linesComeWithoutTheirEnds(String text, List<String> expected) throws Exception {
    DemoInput input = new DemoInput("it", new ByteArrayInputStream(text.getBytes(ISO_8859_1)));
    List<String> lines = new ArrayList<>();
    for (byte[] line = input.next(); line != null; line = input.next()) {
      lines.add(new String(line, ISO_8859_1));
    }
    assertEquals(expected, lines);
  }

  @ParameterizedTest
  @ValueSource(ints = {65_535, 65_536, 65_537, 200_000, DemoInput.LONGEST_LINE})
  void linesOfAnyLengthComeWhole(int length) throws Exception {
    String text = "x".repeat(length) + "\n" + "y".repeat(length) + "\n\nz";
    DemoInput input = new DemoInput("it", new ByteArrayInputStream(text.getBytes(ISO_8859_1)));

    assertEquals(length, input.next().length);
    byte[] second = input.next();
    assertEquals(length, second.length);
    assertEquals('y', second[length - 1]);
    assertEquals(0, input.next().length);
    assertEquals(1, input.next().length);
    assertNull(input.next());
    assertNull(input.next());
  }

  @Test
  void aLineWithoutAnEndIsGivenUp() throws Exception {
    byte[] large = new byte[3 + DemoInput.LONGEST_LINE + 1];
    Arrays.fill(large, 0, 3, (byte) '\n');
    DemoInput input = new DemoInput("the device", new ByteArrayInputStream(large));
    for (int i = 0; i < 3; i++) {
      input.next();
    }

    IOException tooLong = assertThrows(IOException.class, input::next);

    assertEquals("line 4 of the device is longer than 16777216 bytes", tooLong.getMessage());
  }

  @Test
  void whatCannotBeReadIsNamed(@TempDir Path folder) {
    Path missing = folder.resolve("missing");
    assertEquals(
        "no such file: " + missing,
        assertThrows(IOException.class, () -> DemoInput.open(missing.toString())).getMessage());
    assertEquals(
        "is a folder and not a file: " + folder,
        assertThrows(IOException.class, () -> DemoInput.open(folder.toString())).getMessage());
    assertTrue(
        assertThrows(IOException.class, () -> DemoInput.open("a\0b"))
            .getMessage()
            .startsWith("no path of a file: a"));
  }
}
