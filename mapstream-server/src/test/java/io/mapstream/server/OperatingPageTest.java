package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What docs/operating.md says that a test can hold it to. */
class OperatingPageTest {

  private static final Path PAGE = Path.of("../docs/operating.md");
  private static final Path EXAMPLE =
      Path.of("../examples/src/main/java/io/mapstream/examples/Metered.java");
  private static final Path TESTS =
      Path.of("../integration-tests/src/test/java/io/mapstream/server");
  private static final Path METERS =
      Path.of("src/main/java/io/mapstream/server/micrometer/MapStreamMetrics.java");

  private static final Pattern JAVA =
      Pattern.compile("^```java\\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);
  private static final Pattern METER = Pattern.compile("mapstream(\\.[a-z]+)+");

  private static String plain(String code) {
    return code.replaceAll("\\s+", "");
  }

  private static List<String> meters(String text, String before, String after) {
    return List.copyOf(
        new TreeSet<>(
            Pattern.compile(before + "(" + METER + ")" + after)
                .matcher(text)
                .results()
                .map(found -> found.group(1))
                .toList()));
  }

  @Test
  void itsJavaIsCompiled() throws IOException {
    String compiled =
        plain(Files.readString(EXAMPLE) + Files.readString(TESTS.resolve("ChildMain.java")));
    List<String> examples =
        JAVA.matcher(Files.readString(PAGE)).results().map(found -> found.group(1)).toList();

    assertEquals(3, examples.size());
    examples.forEach(example -> assertTrue(compiled.contains(plain(example)), example));
  }

  @Test
  void itsTableHasEachMeter() throws IOException {
    String code = Files.readString(METERS);
    List<String> registered = meters(code, "\"", "\"");

    assertEquals(14, registered.size(), registered::toString);
    assertEquals(registered, meters(Files.readString(PAGE), "\\| `", "` \\|"));
    assertEquals(registered, meters(code, "\\{@code ", "}"));
  }

  @Test
  void itNamesEachKindOfFailureAndEachOutcome() throws IOException {
    String page = Files.readString(PAGE);
    for (FailureKind kind : FailureKind.values()) {
      assertTrue(page.contains("`" + kind + "`"), kind::name);
    }
    for (DatumRecording.Outcome outcome : DatumRecording.Outcome.values()) {
      assertTrue(page.contains("`" + outcome + "`"), outcome::name);
    }
  }
}
