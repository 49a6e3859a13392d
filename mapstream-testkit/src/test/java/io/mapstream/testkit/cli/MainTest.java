package io.mapstream.testkit.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.testkit.cli.Shell.Ran;
import java.io.File;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {

  @Test
  void helpNamesTheCommandsAndTheExitCodes() {
    Ran ran = Shell.run("--help");

    assertEquals(0, ran.code());
    for (String expected : List.of("drive", "load", "check", "130", "called wrongly")) {
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

  /** Without picocli and HdrHistogram, and with everything else. */
  @Test
  void missingLibraryIsASentence() throws Exception {
    String classPath =
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator, -1))
            .filter(entry -> !entry.matches(".*/(picocli|HdrHistogram)-[^/]*"))
            .collect(Collectors.joining(File.pathSeparator));
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                classPath,
                Main.class.getName(),
                "load")
            .redirectErrorStream(true)
            .start();
    try (var output = process.inputReader()) {
      assertEquals(
          List.of(
              "mapstream: not on the class path: info.picocli:picocli,"
                  + " org.hdrhistogram:HdrHistogram; add it in test scope, or use the jar with the"
                  + " classifier cli"),
          output.lines().toList());
    }
    assertEquals(2, process.waitFor());
  }
}
