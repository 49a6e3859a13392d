package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The states, components and sizes in docs/architecture.md are those of the code. */
class ArchitecturePageTest {

  private static final Path PAGE = Path.of("../docs/architecture.md");
  private static final List<Path> SOURCES =
      List.of(
          Path.of("src/main/java/io/mapstream/server"),
          Path.of("../mapstream-api/src/main/java/io/mapstream"));

  private static final Pattern STATES =
      Pattern.compile("(?s)```mermaid\\nstateDiagram-v2\\n(.*?)```");
  private static final Pattern STATE = Pattern.compile("[A-Z][A-Z_]+");
  private static final Pattern TYPE =
      Pattern.compile("\\b[A-Z][a-z]+[A-Z]\\w+|(?<=`)[A-Z][a-z]+(?=`)");

  /** Classes of protobuf, of gRPC's status details, and of the JDK. */
  private static final Set<String> TYPES_OF_OTHERS = Set.of("MapRequest", "DebugInfo", "Error");

  @Test
  void statesAreThoseOfTheCode() throws IOException {
    List<Set<String>> diagrams =
        STATES.matcher(Files.readString(PAGE)).results().map(it -> states(it.group(1))).toList();

    assertEquals(List.of(names(MapStream.State.class), names(serverState())), diagrams);
  }

  @Test
  void eachComponentIsThere() throws IOException {
    Set<String> types =
        TYPE.matcher(Files.readString(PAGE))
            .results()
            .map(found -> found.group())
            .filter(type -> !TYPES_OF_OTHERS.contains(type))
            .collect(Collectors.toCollection(TreeSet::new));

    assertTrue(types.size() > 15, types.toString());
    types.removeIf(
        type -> SOURCES.stream().anyMatch(folder -> Files.exists(folder.resolve(type + ".java"))));
    assertEquals(Set.of(), types);
  }

  @Test
  void sizesAreThoseOfTheCode() throws IOException {
    assertEquals((Tuning.READY_THRESHOLD >> 10) + " KiB", bound("inside the transport"));
    assertEquals(
        (Tuning.RECEIVE_WINDOW >> 20) + " MiB, the HTTP/2 window",
        bound("bytes that the client may send before the server reads"));
    assertTrue(
        bound("message and stack of a failure, on the wire")
            .startsWith(HandlerFailure.SENT_MESSAGE + " and "));
  }

  private static String bound(String what) throws IOException {
    return Files.readAllLines(PAGE).stream()
        .filter(line -> line.startsWith("| " + what + " |"))
        .map(line -> line.split("\\|", -1)[2].strip())
        .findFirst()
        .orElseThrow(() -> new AssertionError("no row " + what));
  }

  private static Set<String> states(String diagram) {
    return diagram
        .lines()
        .map(line -> line.split(":", -1)[0])
        .flatMap(line -> STATE.matcher(line).results())
        .map(found -> found.group())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Set<String> names(Class<?> state) {
    return Stream.of(state.getEnumConstants())
        .map(Object::toString)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Class<?> serverState() {
    return Arrays.stream(MapStreamServer.class.getDeclaredClasses())
        .filter(Class::isEnum)
        .findFirst()
        .orElseThrow();
  }
}
