package io.mapstream.testkit.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * Runs {@code drive} as a process with endless input, until a signal or its reader ends it. After
 * each test, its function has ended and its temporary folder is empty.
 */
@DisabledOnOs(OS.WINDOWS)
class DriveProcessTest {

  private static final long LIMIT_SECONDS = 60;

  @TempDir Path folder;

  private Path temporary;

  /** Null until a test starts it; a skipped test does not. */
  private Process drive;

  private ProcessHandle function;

  @BeforeEach
  void makeFolder() throws IOException {
    temporary = Files.createDirectory(folder.resolve("tmp"));
  }

  @AfterEach
  void nothingIsLeft() throws Exception {
    if (drive == null) {
      return;
    }
    try {
      assertTrue(drive.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS), "drive has ended");
      function.onExit().get(LIMIT_SECONDS, TimeUnit.SECONDS);
      try (Stream<Path> left = Files.list(temporary)) {
        assertEquals(List.of(), left.filter(Files::isDirectory).toList());
      }
    } finally {
      drive.descendants().forEach(ProcessHandle::destroyForcibly);
      drive.destroyForcibly();
    }
  }

  /** Starts {@code drive}, and returns when it has printed the first result. */
  private void start(String... launcher) throws IOException {
    List<String> command = new ArrayList<>(List.of(launcher));
    command.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-Djava.io.tmpdir=" + temporary,
            "-D" + Main.END_WITH_PARENT + "=" + (launcher.length > 0),
            "-cp",
            System.getProperty("java.class.path"),
            Main.class.getName(),
            "drive",
            "--progress",
            "--class",
            ServedFunction.class.getName()));
    drive = new ProcessBuilder(command).redirectError(folder.resolve("errors").toFile()).start();
    OutputStream in = drive.getOutputStream();
    Thread.ofPlatform()
        .daemon()
        .start(() -> {
          try (in) {
            byte[] lines = "some,words\n".repeat(1000).getBytes(UTF_8);
            while (true) {
              in.write(lines);
            }
          } catch (IOException e) {
            // The process has ended.
          }
        });
    assertTrue(Character.isDigit(drive.getInputStream().read()), "the first result's id");
    ProcessHandle java =
        launcher.length == 0 ? drive.toHandle() : drive.children().findFirst().orElseThrow();
    function = java.children().findFirst().orElseThrow();
  }

  private void readAllOutput() throws IOException {
    try (BufferedReader lines = drive.inputReader(UTF_8)) {
      lines.lines().forEach(line -> {});
    }
  }

  private int exitCode() throws Exception {
    assertTrue(drive.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS), "drive ends in time");
    return drive.exitValue();
  }

  private List<String> errors() throws IOException {
    return Files.readAllLines(folder.resolve("errors"));
  }

  private void assertSummedUpAndInterrupted() throws IOException {
    List<String> errors = errors();
    assertEquals("mapstream drive: interrupted", errors.getLast());
    assertTrue(
        errors.stream().anyMatch(line -> line.contains("to the first result p50")),
        errors::toString);
    assertFalse(errors.toString().contains("ended before"), errors::toString);
  }

  @Test
  void sigtermEndsDriveAndItsFunction() throws Exception {
    start();
    // Not Process.destroy(), which would close the streams.
    assertTrue(drive.toHandle().destroy());
    readAllOutput();

    assertEquals(128 + 15, exitCode());
    assertSummedUpAndInterrupted();
  }

  @Test
  void ctrlCThatReachesTheFunctionFirstIsNotAFailure() throws Exception {
    assumeFalse(interruptsAreIgnored(), "SIGINT is ignored here, as in a background job");
    start();
    String[] both = {"kill", "-INT", Long.toString(function.pid()), Long.toString(drive.pid())};
    assertEquals(0, new ProcessBuilder(both).start().waitFor());
    readAllOutput();

    assertEquals(128 + 2, exitCode());
    assertFalse(errors().toString().contains("ended before"), errors()::toString);
  }

  @Test
  void endsWithItsParentIfRequested() throws Exception {
    // The parent is a shell, which passes on its streams and is then killed.
    start("sh", "-c", "\"$@\"; exit $?", "sh");
    ProcessHandle java = drive.children().findFirst().orElseThrow();
    assertTrue(drive.toHandle().destroyForcibly());

    java.onExit().get(LIMIT_SECONDS, TimeUnit.SECONDS);
  }

  @Test
  void functionThatDiesIsReportedAndEndsTheRun() throws Exception {
    start();
    function.destroyForcibly();
    readAllOutput();

    assertEquals(1, exitCode());
    assertTrue(errors().getLast().contains("mapstream drive: stream 1"), errors()::toString);
  }

  @Test
  void closedOutputEndsTheRunQuietly() throws Exception {
    start();
    drive.getInputStream().close();

    assertEquals(0, exitCode());
    assertFalse(errors().toString().contains("mapstream drive:"), errors()::toString);
  }

  /** Ignored signals are inherited; the second bit is SIGINT's. */
  private static boolean interruptsAreIgnored() throws IOException {
    Path status = Path.of("/proc/self/status");
    return Files.exists(status)
        && Files.readAllLines(status).stream()
            .filter(line -> line.startsWith("SigIgn:"))
            .anyMatch(line -> (Long.parseUnsignedLong(line.substring(7).strip(), 16) & 2) != 0);
  }
}
