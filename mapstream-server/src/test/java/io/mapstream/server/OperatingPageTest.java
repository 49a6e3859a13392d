package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The statements of docs/operating.md that a test can check. */
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
  private static final Path ARCHITECTURE = Path.of("../docs/architecture.md");
  private static final Path SERVER = Path.of("src/main/java/io/mapstream/server");

  /** The first string of a logging call, possibly in several pieces. */
  private static final Pattern LOGGED =
      Pattern.compile(
          "(?:info|warn|error|counted|countedBy)\\(\\s*(?:[\\w.()]+,\\s*)*((?:\"(?:[^\"\\\\]|\\\\.)*\"[\\s+]*)+)");

  private static final Pattern THREAD =
      Pattern.compile("(?:[nN]ame|start|Thread|super)\\([^\"()]*\"(mapstream-[a-z-]+)\"");
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

  private static String sources() throws IOException {
    StringBuilder all = new StringBuilder();
    try (Stream<Path> files = Files.walk(SERVER)) {
      for (Path file : files.filter(it -> it.toString().endsWith(".java")).toList()) {
        all.append(Files.readString(file));
      }
    }
    return all.toString();
  }

  /** The first words without a value: the page may shorten the rest of the line. */
  private static String beginning(String pieces) {
    String text = pieces.replaceAll("\"[\\s+]+\"", "").strip().replaceAll("^\"|\"[\\s+]*$", "");
    for (String part : text.replace("\\\"", "\"").split("\\{}", -1)) {
      if (part.strip().length() >= 8) {
        return part.strip().substring(0, Math.min(20, part.strip().length())).strip();
      }
    }
    throw new AssertionError("no words: " + pieces);
  }

  @Test
  void itHasEachLineOfTheLog() throws IOException {
    String page = Files.readString(PAGE);
    List<String> lines =
        LOGGED.matcher(sources()).results().map(found -> beginning(found.group(1))).toList();

    assertTrue(lines.contains("stream refused:"), lines::toString);
    assertTrue(lines.contains("onStop failed"), lines::toString);
    assertEquals(List.of(), lines.stream().filter(line -> !page.contains(line)).toList());
  }

  @Test
  void thePagesHaveEachThread() throws IOException {
    String page = Files.readString(PAGE);
    String architecture = Files.readString(ARCHITECTURE);
    List<String> threads =
        THREAD.matcher(sources()).results().map(found -> found.group(1)).sorted().toList();

    assertTrue(threads.size() > 8, threads::toString);
    for (String thread : threads) {
      assertTrue(page.contains("`" + thread), thread);
      assertTrue(architecture.contains("`" + thread), thread);
    }
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
