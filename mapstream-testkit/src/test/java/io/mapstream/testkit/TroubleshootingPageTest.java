package io.mapstream.testkit;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Checks that the messages explained in docs/troubleshooting.md are in the sources. */
class TroubleshootingPageTest {

  private static final Path PAGE = Path.of("../docs/troubleshooting.md");
  private static final List<Path> SOURCES =
      List.of(
          Path.of("../mapstream-api/src/main/java"),
          Path.of("../mapstream-server/src/main/java"),
          Path.of("src/main/java"));

  private static final Pattern ROW = Pattern.compile("(?m)^\\| `([^`]+)` \\| ");

  /** Variable parts, and what the code prepends to a message: a class, an option, a prefix. */
  private static final Pattern VARYING =
      Pattern.compile("…:?|\\w+Exception: |emit refused: |serverInfoFile (?=\\w+ )");

  @Test
  void eachMessageOfTheTablesIsInTheSources() throws IOException {
    String literals = literals();
    List<String> messages =
        ROW.matcher(Files.readString(PAGE)).results().map(row -> row.group(1)).toList();

    assertFalse(messages.isEmpty());
    messages.forEach(message -> assertTrue(isIn(literals, message), "in no source: " + message));
  }

  @Test
  void messageThatIsInNoSourceIsFound() throws IOException {
    assertTrue(isIn(literals(), "a live server answers on socketPath …"));
    assertFalse(isIn(literals(), "a dead server answers on socketPath …"));
  }

  /** Returns whether the literals contain the parts of the message that do not vary. */
  private static boolean isIn(String literals, String message) {
    return VARYING
        .splitAsStream(message)
        .map(String::strip)
        .filter(part -> part.length() > 3)
        .allMatch(literals::contains);
  }

  /** Returns the sources with concatenated literals joined, and … for each placeholder. */
  private static String literals() throws IOException {
    StringBuilder all = new StringBuilder();
    for (Path folder : SOURCES) {
      try (Stream<Path> files = Files.walk(folder)) {
        all.append(
            files
                .filter(file -> file.toString().endsWith(".java"))
                .map(TroubleshootingPageTest::read)
                .collect(Collectors.joining("\n")));
      }
    }
    return all.toString()
        .replace("\\\"", "\u201d")
        .replaceAll("\"\\s*\\+\\s*\"", "")
        .replaceAll("\\{}|%[sd]", "…")
        .replace("\u201d", "\"");
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
