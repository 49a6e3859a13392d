package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.mapstream.server.ServerOptions.ErrorPolicy;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Compares the options in docs/configuration.md with those of the code: a new option, or a changed
 * default, fails here until the page is updated.
 */
class ConfigurationPageTest {

  private static final Path PAGE = Path.of("../docs/configuration.md");

  private static final Pattern CODE = Pattern.compile("`([^`]+)`");

  /** A row of the table of options. */
  record Row(String option, List<String> variables, String defaultValue) {}

  static List<Row> rows() throws IOException {
    return table("environment | default").stream()
        .map(cells ->
            new Row(
                code(cells.get(0)).getFirst(), code(cells.get(1)), cells.get(2).replace("`", "")))
        .toList();
  }

  /** The cells of each row of the table whose header contains these words. */
  private static List<List<String>> table(String header) throws IOException {
    return Files.readAllLines(PAGE).stream()
        .dropWhile(line -> !(line.startsWith("|") && line.contains(header)))
        .skip(2)
        .takeWhile(line -> line.startsWith("|"))
        .map(line -> Arrays.stream(line.substring(1).split("\\|")).map(String::strip).toList())
        .toList();
  }

  private static List<String> code(String cell) {
    return CODE.matcher(cell).results().map(found -> found.group(1)).toList();
  }

  @Test
  void thePageHasEachOptionOnce() throws IOException {
    List<String> options = accessors().map(Method::getName).sorted().toList();

    assertEquals(options, rows().stream().map(Row::option).sorted().toList());
  }

  @ParameterizedTest
  @MethodSource("rows")
  void defaultIsThatOfThePage(Row row) {
    assertEquals(row.defaultValue(), text(read(defaults(), row.option())));
  }

  @ParameterizedTest
  @MethodSource("rows")
  void eachVariableSetsOnlyItsOption(Row row) {
    assertFalse(row.variables().isEmpty());
    for (String variable : row.variables()) {
      Object other = other(read(defaults(), row.option()));

      ServerOptions set = ServerOptions.in(Map.of(variable, text(other)));

      assertEquals(other, read(set, row.option()), variable);
      accessors()
          .map(Method::getName)
          .filter(name -> !name.equals(row.option()))
          .forEach(name -> assertEquals(read(defaults(), name), read(set, name), name));
    }
  }

  static Stream<Row> rowsWithSeveralVariables() throws IOException {
    return rows().stream().filter(row -> row.variables().size() > 1);
  }

  @ParameterizedTest
  @MethodSource("rowsWithSeveralVariables")
  void firstOfSeveralVariablesWins(Row row) {
    Object first = other(read(defaults(), row.option()));
    Map<String, String> all = new HashMap<>();
    for (String variable : row.variables().reversed()) {
      all.put(variable, text(other(first)));
    }
    all.put(row.variables().getFirst(), text(first));

    assertEquals(first, read(ServerOptions.in(all), row.option()));
  }

  @Test
  void thePageNamesEachVariableThatIsRead() throws IOException {
    Set<String> read = new TreeSet<>();
    ServerOptions.in(new Watched(read));
    String page = Files.readString(PAGE);

    assertFalse(read.isEmpty());
    read.forEach(variable -> assertTrue(page.contains("`" + variable + "`"), variable));
  }

  @Test
  void unusableValuesArePrintedAsThePageSays() throws IOException {
    List<List<String>> rows = table("given | printed");
    assertFalse(rows.isEmpty());
    for (List<String> row : rows) {
      String[] given = code(row.get(0)).getFirst().split("=", 2);

      var refused =
          assertThrows(
              IllegalArgumentException.class, () -> ServerOptions.in(Map.of(given[0], given[1])));

      assertEquals("the environment's " + code(row.get(1)).getFirst(), refused.getMessage());
    }
  }

  /** Tests run with the heap of the table's last column. */
  @Test
  void budgetsFollowTheHeapAsThePageSays() throws IOException {
    assumeTrue(Runtime.getRuntime().maxMemory() == 1L << 30);
    List<List<String>> rows = table("share of the heap");

    assertEquals((Tuning.bytesInWork() >> 20) + " MiB", rows.get(0).getLast());
    assertEquals((Limits.of(defaults()).heldByWaiting() >> 10) + " KiB", rows.get(1).getLast());
    assertEquals((Tuning.pendingBytes() >> 20) + " MiB", rows.get(2).getLast());
    assertEquals((Tuning.sharedPendingBytes() >> 20) + " MiB", rows.get(3).getLast());
    assertEquals((Tuning.pooledBytes() >> 20) + " MiB", rows.get(4).getLast());
  }

  private static Stream<Method> accessors() {
    return Arrays.stream(ServerOptions.class.getDeclaredMethods())
        .filter(method -> Modifier.isPublic(method.getModifiers()))
        .filter(method -> !Modifier.isStatic(method.getModifiers()))
        .filter(method -> method.getParameterCount() == 0)
        .filter(method -> !method.getName().equals("toString"));
  }

  private static ServerOptions defaults() {
    return ServerOptions.in(Map.of());
  }

  private static Object read(ServerOptions options, String option) {
    Method accessor =
        accessors()
            .filter(method -> method.getName().equals(option))
            .findFirst()
            .orElseThrow(() -> new AssertionError("there is no option " + option));
    try {
      return accessor.invoke(options);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(e.getMessage(), e);
    }
  }

  /** The value as text, as in the environment. */
  private static String text(Object value) {
    return switch (value) {
      case Duration duration -> String.valueOf(duration.toSeconds());
      case Optional<?> optional -> String.valueOf(optional.map(Object.class::cast).orElse("none"));
      default -> String.valueOf(value);
    };
  }

  /** A valid value that differs from this one. */
  private static Object other(Object value) {
    return switch (value) {
      case Path path -> path.resolveSibling("other");
      case Integer number -> number + (number < 2 ? 1 : -1);
      case Duration duration -> duration.plusSeconds(1);
      case Boolean flag -> !flag;
      case ErrorPolicy policy -> policy == ErrorPolicy.STOP ? ErrorPolicy.FAIL : ErrorPolicy.STOP;
      case Optional<?> version -> Optional.of("1.8.4");
      default -> throw new AssertionError("no other value is known for " + value.getClass());
    };
  }

  /** An empty environment that records the names that are looked up in it. */
  private static final class Watched extends HashMap<String, String> {
    private static final long serialVersionUID = 1L;

    private final transient Set<String> asked;

    Watched(Set<String> asked) {
      this.asked = asked;
    }

    @Override
    public String getOrDefault(Object name, String otherwise) {
      asked.add((String) name);
      return otherwise;
    }
  }
}
