package io.mapstream.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Checks that each Java example of a page is also part of a test, so that it is correct. */
class PagesTest {

  private static final Path MAIN = Path.of("src/main/java/io/mapstream/testkit");
  private static final Path TESTS = Path.of("src/test/java");
  private static final List<Path> PAGES =
      Stream.of(
              "README.md",
              "docs/testing.md",
              "docs/configuration.md",
              "docs/handlers.md",
              "docs/migration.md")
          .map(Path.of("..")::resolve)
          .toList();

  private static final Pattern SNIPPET =
      Pattern.compile(
          "^ \\* \\{@snippet lang=java :\\n(.*?)^ \\* }$(?!\\n \\* }$)",
          Pattern.MULTILINE | Pattern.DOTALL);
  private static final Pattern FENCE =
      Pattern.compile("^```java\\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);

  private static final Pattern BUILT =
      Pattern.compile("^```(?:java|kotlin|xml)\\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);

  @TestFactory
  Stream<DynamicTest> examplesInJavadocAreCompiled() throws IOException {
    try (Stream<Path> files = Files.walk(MAIN)) {
      List<Path> sources = files.filter(Files::isRegularFile).sorted().toList();
      return sources.stream().flatMap(file -> tests(file, SNIPPET));
    }
  }

  @TestFactory
  Stream<DynamicTest> examplesOfThePagesAreCompiled() {
    return PAGES.stream().flatMap(page -> tests(page, FENCE));
  }

  @TestFactory
  Stream<DynamicTest> examplesOfTheFrameworksPageComeFromUserBuilds() throws IOException {
    Path page = Path.of("../docs/frameworks.md");
    assertTrue(examples(page, BUILT).size() >= 4);
    return builtTests(page, Path.of("../user-builds/src/it"));
  }

  @TestFactory
  Stream<DynamicTest> examplesOfTheFirstPageComeFromTheStarter() throws IOException {
    return builtTests(Path.of("../docs/getting-started.md"), Path.of("../examples/starter/src"));
  }

  /** Checks that each decision has its own number and one line in the index. */
  @Test
  void eachDecisionIsInTheIndexOnce() throws IOException {
    Path folder = Path.of("../docs/adr");
    Pattern row = Pattern.compile("(?m)^\\| \\[(\\d+)]\\(((\\d{4})-[^)]+)\\) \\|");
    List<String> indexed = new ArrayList<>();
    row.matcher(read(folder.resolve("README.md")))
        .results()
        .forEach(found -> {
          assertEquals(Integer.parseInt(found.group(1)), Integer.parseInt(found.group(3)));
          assertTrue(read(folder.resolve(found.group(2))).startsWith("# " + found.group(1) + ". "));
          indexed.add(found.group(2));
        });

    try (Stream<Path> files = Files.list(folder)) {
      List<String> existing = files.map(file -> file.getFileName().toString()).sorted().toList();
      assertEquals(existing.subList(0, existing.size() - 1), indexed);
      assertEquals(
          indexed.size(), indexed.stream().map(name -> name.substring(0, 4)).distinct().count());
    }
  }

  private static Stream<DynamicTest> builtTests(Path page, Path builds) throws IOException {
    String built = plain(builds, "");
    List<String> examples = examples(page, BUILT);
    assertFalse(examples.isEmpty(), page.toString());
    return examples.stream()
        .map(text ->
            DynamicTest.dynamicTest(
                text.lines().findFirst().orElse(""),
                () -> assertTrue(built.contains(plain(text)), () -> "in no build:\n" + text)));
  }

  @Test
  void exampleThatIsNotCompiledIsFound() throws IOException {
    assertFalse(compiled().contains(plain("int notCompiled" + "Anywhere = 1;")));
  }

  @Test
  void allExamplesAreFound() {
    assertEquals(7, examples(MAIN.resolve("MapStreamHarness.java"), SNIPPET).size());
    assertEquals(1, examples(MAIN.resolve("MapStreamHarnessExtension.java"), SNIPPET).size());
    assertEquals(1, examples(MAIN.resolve("MapStreamTestServerExtension.java"), SNIPPET).size());
    PAGES.forEach(page -> assertFalse(examples(page, FENCE).isEmpty(), page.toString()));
  }

  private static Stream<DynamicTest> tests(Path page, Pattern example) {
    return examples(page, example).stream()
        .map(text ->
            DynamicTest.dynamicTest(
                page.getFileName() + ": " + text.lines().findFirst().orElse(""),
                () ->
                    assertTrue(
                        compiled().contains(plain(text)),
                        () -> "in no file below " + TESTS + ":\n" + text)));
  }

  private static List<String> examples(Path page, Pattern example) {
    return example.matcher(read(page)).results().map(found -> found.group(1)).toList();
  }

  /** Returns the concatenated sources of all tests. */
  private static String compiled() throws IOException {
    return plain(TESTS, ".java");
  }

  private static String plain(Path folder, String ending) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(file -> Files.isRegularFile(file) && file.toString().endsWith(ending))
          .map(file -> plain(read(file)))
          .collect(Collectors.joining("\n"));
    }
  }

  /** Removes what depends on the place: Javadoc's stars, indentation and line breaks. */
  private static String plain(String code) {
    return code.lines()
        .map(line -> line.startsWith(" *") ? line.substring(2) : line)
        .collect(Collectors.joining(" "))
        .replaceAll("\\s+", " ")
        .replace("( ", "(")
        .strip();
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
