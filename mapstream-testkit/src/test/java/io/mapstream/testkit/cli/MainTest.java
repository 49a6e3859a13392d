package io.mapstream.testkit.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.mapstream.server.ServerOptions;
import io.mapstream.testkit.cli.Shell.Ran;
import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {

  @Test
  void helpNamesTheCommandsAndTheExitCodes() {
    Ran ran = Shell.run("--help");

    assertEquals(0, ran.code());
    for (String expected : List.of("drive", "load", "check", "130", "143", "invalid options")) {
      assertTrue(ran.out().contains(expected), ran.out());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"drive", "load", "check"})
  void helpOfACommandNamesTheExitCodes(String command) {
    Ran ran = Shell.run(command, "--help");

    assertEquals(0, ran.code());
    assertTrue(ran.out().contains("Exit codes:"), ran.out());
    assertTrue(ran.out().contains("--socket"), ran.out());
    assertFalse(ran.out().contains("Default:"), ran.out());
  }

  @Test
  void versionIsThatOfTheProject() {
    Ran ran = Shell.run("--version");

    assertEquals(0, ran.code());
    assertTrue(ran.out().matches("mapstream \\d+\\.\\d+\\.\\d+\\S*\\R"), ran.out());
  }

  @Test
  void noCommandIsAUsageError() {
    Ran ran = Shell.run();

    assertEquals(2, ran.code());
    assertTrue(ran.err().contains("no command was given"), ran.err());
  }

  @Test
  void unknownCommandIsNamedOnOneLine() {
    Ran ran = Shell.run("drvie");

    assertEquals(2, ran.code());
    assertTrue(ran.err().contains("drvie"), ran.err());
    assertEquals(1, ran.err().lines().count(), ran.err());
  }

  /** No JVM has an array of this length, whatever its memory. */
  @Test
  void errorOfTheJvmIsReportedOnOneLine() {
    Ran ran = Shell.run("load", "--socket=/none", "--size=2147483647");

    assertEquals(1, ran.code());
    assertTrue(
        ran.err().startsWith("mapstream load: java.lang.OutOfMemoryError: Requested array size"),
        ran.err());
    assertEquals(1, ran.err().lines().count(), ran.err());
  }

  static Stream<Arguments> wrongOptions() {
    return Stream.of(
        arguments("drive", "--in-flight=0", "--in-flight must be at least 1 but was 0"),
        arguments("drive", "--in-flight=many", "'many'"),
        arguments("drive", "--output=xml", "xml"),
        arguments("drive", "--header=n", "n"),
        arguments("drive", "--event-time=noon", "'noon' is not an instant"),
        arguments("drive", "--watermark=noon", "'noon' is not an instant"),
        arguments("drive", "--timeout=10", "'10' is not a duration"),
        arguments("drive", "--timeout=25h", "'25h' is more than 24h"),
        arguments("drive", "--timeout=0s", "--timeout must be more than 0 but was 0s"),
        arguments("drive", "--class=X", "--socket /none and --class X can't be combined"),
        arguments("drive", "--nonsense", "--nonsense"),
        arguments("drive", "/no/such/file", "no such file: /no/such/file"),
        arguments("drive", "/", "a folder, not a file: /"),
        arguments("check", "--datums=0", "--datums must be at least 1 but was 0"),
        arguments("check", "--timeout=0ms", "--timeout must be more than 0 but was 0s"),
        arguments("check", "--timeout=soon", "'soon' is not a duration"),
        arguments("check", "--big-message=1GiB", "'1GiB' is not a size"),
        arguments(
            "check",
            "--big-message=61MiB",
            "--big-message must be at most 62914560 bytes (60MiB) but was 63963136 bytes"),
        arguments("check", "--drain", "--drain needs --pid"),
        arguments("check", "--pid=1", "--pid 1 requires --drain"),
        arguments("check", "--pid=me", "'me'"),
        arguments("check", "--key", "--key"),
        arguments("check", "--header=x", "x"),
        arguments("check", "surplus", "surplus"),
        arguments("load", "--concurrency=0", "--concurrency must be at least 1 but was 0"),
        arguments("load", "--concurrency=x", "'x'"),
        arguments("load", "--rate=0", "--rate must be more than 0"),
        arguments("load", "--rate=NaN", "but was NaN"),
        arguments("load", "--rate=-1", "but was -1"),
        arguments("load", "--count=0", "--count must be at least 1 but was 0"),
        arguments("load", "--duration=0s", "--duration must be more than 0 but was 0s"),
        arguments("load", "--timeout=0s", "--timeout must be more than 0 but was 0s"),
        arguments("load", "--duration=5", "'5' is not a duration"),
        arguments("load", "--warmup=x", "'x' is not a duration"),
        arguments("load", "--size=1TB", "'1TB' is not a size"),
        arguments("load", "--size=2048MiB", "must be at most 2147483647 bytes but was '2048MiB'"),
        arguments("load", "--payload=/no/file", "--payload /no/file can't be read: "),
        arguments("load", "--pid=x", "'x'"),
        arguments("load", "--pid=999999999", "no process has the pid 999999999"),
        arguments("load", "--html=/no/folder/x", "--html /no/folder/x is a folder, or can't be"),
        arguments("load", "--html=/usr", "--html /usr is a folder, or can't be written"),
        arguments("load", "--event-time=x", "'x' is not an instant"));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("wrongOptions")
  void wrongOptionIsNamedOnOneLine(String command, String option, String expected) {
    Ran ran = Shell.run(command, "--socket=/none", option);

    assertEquals(2, ran.code(), ran.err());
    assertTrue(ran.err().contains(expected), ran.err());
    assertEquals(1, ran.err().lines().count(), ran.err());
  }

  @Test
  void socketIsTheOneThatAFunctionWouldUse() {
    assertEquals(ServerOptions.fromEnvironment().socketPath(), Target.socketOf(System.getenv()));
    assertEquals(Path.of("/s"), Target.socketOf(Map.of("MAPSTREAM_SOCKET_PATH", " /s ")));
    assertEquals(Target.socketOf(Map.of()), Target.socketOf(Map.of("MAPSTREAM_SOCKET_PATH", " ")));
  }

  /** Another setting of the function does not concern the command. */
  @Test
  void onlyTheSocketIsReadFromTheEnvironment() throws Exception {
    Map<String, String> environment =
        Map.of("MAPSTREAM_SOCKET_PATH", "/none/s", "MAPSTREAM_MAX_MESSAGE_SIZE", "64MiB");

    String line = onlyLine(1, environment, entry -> true, "drive", "--timeout=100ms");

    assertTrue(line.startsWith("mapstream drive: waited 0.1 s for a server on /none/s to"), line);
  }

  @Test
  void missingLibraryIsReportedInOneLine() throws Exception {
    String line =
        onlyLine(2, Map.of(), entry -> !entry.matches(".*/(picocli|HdrHistogram)-[^/]*"), "load");

    assertTrue(
        line.matches(
            "mapstream: not on the class path: info.picocli:picocli or"
                + " org.hdrhistogram:HdrHistogram \\(picocli/.*\\); add both in test scope,"
                + " or use the jar with the classifier cli"),
        line);
  }

  /** Runs a command as a process, which prints one line. */
  private static String onlyLine(
      int code, Map<String, String> environment, Predicate<String> onClassPath, String... args)
      throws Exception {
    String classPath =
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator, -1))
            .filter(onClassPath)
            .collect(Collectors.joining(File.pathSeparator));
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                classPath,
                Main.class.getName()));
    command.addAll(List.of(args));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    try (var output = process.inputReader()) {
      List<String> lines = output.lines().toList();
      assertEquals(1, lines.size(), lines::toString);
      assertEquals(code, process.waitFor());
      return lines.getFirst();
    }
  }
}
