package io.mapstream.testkit.cli;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayInputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests how lines are read; {@link DriveCommandTest} covers those that cannot be read. */
class LineReaderTest {

  private static LineReader reader(String text) {
    LineReader reader =
        LineReader.of(List.of(), new ByteArrayInputStream(text.getBytes(ISO_8859_1)));
    reader.start();
    return reader;
  }

  private static LineReader.Line next(LineReader reader) throws Exception {
    return reader.next(() -> {});
  }

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
  void linesAreReturnedWithoutTheirTerminators(String text, List<String> expected)
      throws Exception {
    LineReader reader = reader(text);
    List<String> lines = new ArrayList<>();
    for (var line = next(reader); line != null; line = next(reader)) {
      lines.add(line.bytes().toString(ISO_8859_1));
      assertEquals("line " + lines.size() + " of standard input", line.place());
    }
    assertEquals(expected, lines);
  }

  @ParameterizedTest
  @ValueSource(ints = {8_191, 8_192, 8_193, LineReader.LONGEST_LINE})
  void linesOfAnyLengthAreComplete(int length) throws Exception {
    LineReader reader = reader("x".repeat(length) + "\n" + "y".repeat(length) + "\n\nz");

    assertEquals("x".repeat(length), next(reader).bytes().toString(ISO_8859_1));
    assertEquals("y".repeat(length), next(reader).bytes().toString(ISO_8859_1));
    assertEquals("", next(reader).bytes().toString(ISO_8859_1));
    assertEquals("z", next(reader).bytes().toString(ISO_8859_1));
    assertNull(next(reader));
  }

  @Test
  void standardInputIsNotReadTwice() {
    List<Path> twice = List.of(Path.of("-"), Path.of("-"));

    var refused =
        assertThrows(
            UsageFault.class, () -> LineReader.of(twice, new ByteArrayInputStream(new byte[0])));

    assertEquals("standard input (-) can be read only once", refused.getMessage());
  }
}
