package io.mapstream.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Checks that the examples of docs/tracing.md are compiled and built here. */
class TracingPageTest {

  private static final Path PAGE = Path.of("../docs/tracing.md");
  private static final Path EXAMPLE = Path.of("src/main/java/io/mapstream/examples/Traced.java");
  private static final Path TEST = Path.of("src/test/java/io/mapstream/examples/TracedTest.java");
  private static final Path BUILD = Path.of("pom.xml");

  private static final Pattern FENCE =
      Pattern.compile("^```(\\w+)\\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);
  private static final Pattern VERSION =
      Pattern.compile("<opentelemetry.version>(.*)</opentelemetry.version>");

  @TestFactory
  Stream<DynamicTest> javaComesFromTheExampleAndItsTest() throws IOException {
    String compiled = plain(Files.readString(EXAMPLE) + Files.readString(TEST));
    return tests("java", compiled);
  }

  @TestFactory
  Stream<DynamicTest> dependenciesAreThoseOfThisBuild() throws IOException {
    String build = Files.readString(BUILD);
    Matcher version = VERSION.matcher(build);
    assertTrue(version.find(), "the build has a version");
    return tests("xml", plain(build.replace("${opentelemetry.version}", version.group(1))));
  }

  @Test
  void allExamplesAreFound() throws IOException {
    assertEquals(5, examples("java").size());
    assertEquals(3, examples("xml").size());
  }

  @Test
  void codeThatIsNotCompiledIsFound() throws IOException {
    assertFalse(plain(Files.readString(EXAMPLE)).contains(plain("tracer.spanBuilder(\"other\")")));
  }

  private static Stream<DynamicTest> tests(String language, String source) throws IOException {
    return examples(language).stream()
        .map(text ->
            DynamicTest.dynamicTest(
                text.lines().findFirst().orElse(""),
                () -> assertTrue(source.contains(plain(text)), () -> "in no source:\n" + text)));
  }

  private static List<String> examples(String language) throws IOException {
    return FENCE
        .matcher(Files.readString(PAGE))
        .results()
        .filter(fence -> fence.group(1).equals(language))
        .map(fence -> fence.group(2))
        .toList();
  }

  /** Removes what depends on the place: indentation and line breaks. */
  private static String plain(String text) {
    return text.replaceAll("\\s+", " ").replace("( ", "(").strip();
  }
}
