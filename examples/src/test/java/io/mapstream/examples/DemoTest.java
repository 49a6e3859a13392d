package io.mapstream.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * The demo as a process, as a user starts it. After each test, whatever ended the demo, its server
 * is gone and its temporary folder is empty.
 */
@DisabledOnOs(OS.WINDOWS)
class DemoTest {

  private static final long LIMIT_SECONDS = 60;

  @TempDir Path folder;

  private Path temporary;
  private Process demo;
  private ProcessHandle server;
  private List<String> launcher = List.of();
  private List<String> options = List.of();
  private final List<String> out = new ArrayList<>();

  /** Standard error as it comes, and {@link #END}. */
  private final BlockingQueue<String> errors = new LinkedBlockingQueue<>();

  private static final String END = "end of standard error";

  @BeforeEach
  void makeFolder() throws IOException {
    temporary = Files.createDirectory(folder.resolve("tmp"));
  }

  @AfterEach
  void nothingIsLeft() throws Exception {
    try {
      assertTrue(demo.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS), "the demo has ended");
      if (server != null) {
        assertFalse(server.isAlive(), "the server process is gone");
      }
      try (Stream<Path> left = Files.list(temporary)) {
        assertEquals(List.of(), left.toList());
      }
    } finally {
      kill(demo.toHandle());
    }
  }

  private static void kill(ProcessHandle process) {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }

  private void start(String... args) throws IOException {
    List<String> command = new ArrayList<>(launcher);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-Djava.io.tmpdir=" + temporary);
    command.addAll(options);
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(Demo.class.getName());
    command.addAll(Arrays.asList(args));
    demo = new ProcessBuilder(command).start();
    Thread.ofVirtual()
        .start(() -> {
          try (BufferedReader lines = demo.errorReader(UTF_8)) {
            lines.lines().forEach(errors::add);
          } catch (IOException e) {
            errors.add(e.toString());
          } finally {
            errors.add(END);
          }
        });
  }

  /** Waits for the demo's child. */
  private void findServer() {
    while (server == null && demo.isAlive()) {
      server = demo.toHandle().children().findFirst().orElse(null);
      LockSupport.parkNanos(1_000_000);
    }
  }

  private int exitCode() throws Exception {
    assertTrue(demo.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS), "the demo ends in time");
    return demo.exitValue();
  }

  private String nextError() throws Exception {
    String line = errors.poll(LIMIT_SECONDS, TimeUnit.SECONDS);
    assertTrue(line != null, "a line on standard error in time");
    return line;
  }

  private List<String> allErrors() throws Exception {
    List<String> all = new ArrayList<>();
    for (String line = nextError(); !line.equals(END); line = nextError()) {
      all.add(line);
    }
    return all;
  }

  private void readAllOutput() throws IOException {
    try (BufferedReader lines = demo.inputReader(UTF_8)) {
      lines.lines().forEach(out::add);
    }
  }

  @Test
  void printsEveryPartOfEveryLineAndSumsUp() throws Exception {
    Path file = Files.writeString(folder.resolve("lines"), "a,b\n\nümlaut\r\n,", UTF_8);
    start(file.toString());
    findServer();
    readAllOutput();

    assertEquals(0, exitCode());
    assertEquals(List.of("", "", "a", "b", "ümlaut"), out.stream().sorted().toList());
    assertEquals(out.indexOf("a") + 1, out.indexOf("b"), "in order within a line, uninterrupted");
    List<String> err = allErrors();
    assertEquals(1, err.size(), err::toString);
    assertTrue(
        err.getFirst()
            .matches(
                "4 datums, 5 messages \\(1 datums dropped\\) in [0-9.]+ s, [0-9]+ messages/s;"
                    + " to the first result p50 [0-9.]+ ms, p99 [0-9.]+ ms"),
        err.getFirst());
  }

  @Test
  void losesNothingOfManyLines() throws Exception {
    int many = 5000;
    List<String> expected = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < many; i++) {
      text.append(i).append(",x").append(i).append('\n');
      expected.addAll(List.of(Integer.toString(i), "x" + i));
    }
    start(Files.writeString(folder.resolve("lines"), text, UTF_8).toString());
    readAllOutput();

    assertEquals(0, exitCode());
    assertEquals(expected.stream().sorted().toList(), out.stream().sorted().toList());
  }

  @Test
  void messagesAppearAsLinesComeAndProgressIsShown() throws Exception {
    start("-");
    OutputStream in = demo.getOutputStream();
    try (BufferedReader lines = demo.inputReader(UTF_8)) {
      for (String word : List.of("one", "two", "three")) {
        in.write((word + "," + word + "\n").getBytes(UTF_8));
        in.flush();
        assertEquals(word, lines.readLine());
        assertEquals(word, lines.readLine());
      }
      String progress = nextError();
      while (progress.matches("[0-9]+ s: [0-2] datums, .*")) { // on a busy machine
        progress = nextError();
      }
      assertTrue(progress.matches("[0-9]+ s: 3 datums, 6 messages, [0-9]+ messages/s"), progress);
      findServer();
      in.close();
      assertEquals(0, exitCode());
    }
    assertTrue(allErrors().getLast().startsWith("3 datums, 6 messages in "));
  }

  @Test
  void aFileThatIsMissingIsNamed() throws Exception {
    String missing = folder.resolve("missing").toString();
    start(missing);

    assertEquals(2, exitCode());
    assertEquals(List.of("demo: no such file: " + missing), allErrors());
  }

  @Test
  void withoutAnArgumentTheUsageIsShown() throws Exception {
    start();

    assertEquals(2, exitCode());
    assertEquals(List.of("usage: Demo FILE [FUNCTION]   (- for standard input)"), allErrors());
  }

  @Test
  void sigtermEndsTheServerToo() throws Exception {
    startEndless();
    // Not the process's own destroy, which would close its streams.
    assertTrue(demo.toHandle().destroy());
    readAllOutput();

    assertEquals(128 + 15, exitCode());
    List<String> err = allErrors();
    assertTrue(err.getLast().contains(" to the first result p50 "), err::toString);
  }

  @Test
  void whereItIsToEndWithItsParentItDoes() throws Exception {
    // A shell between, which hands over its streams and is killed.
    launcher = List.of("sh", "-c", "\"$@\"; exit $?", "sh");
    options = List.of("-Dmapstream.demo.endWithParent=true");
    startEndless();
    ProcessHandle java = server;
    server = java.children().findFirst().orElseThrow();
    assertTrue(demo.toHandle().destroyForcibly());
    try {
      java.onExit().get(LIMIT_SECONDS, TimeUnit.SECONDS);
    } finally {
      kill(java);
    }
  }

  @Test
  void ctrlCWhichReachesTheServerTooIsNoFailure() throws Exception {
    assumeFalse(interruptsAreIgnored(), "SIGINT is ignored here, as in a background job");
    startEndless();
    // The server first, as the case that is harder to tell from a failure.
    String[] both = {"kill", "-INT", Long.toString(server.pid()), Long.toString(demo.pid())};
    assertEquals(0, new ProcessBuilder(both).start().waitFor());
    readAllOutput();

    assertEquals(128 + 2, exitCode());
    List<String> err = allErrors();
    assertFalse(err.toString().contains("demo:"), err::toString);
    assertTrue(err.getLast().contains(" to the first result p50 "), err::toString);
  }

  @Test
  void aServerThatDiesEndsTheDemo() throws Exception {
    startEndless();
    server.destroyForcibly();
    readAllOutput();

    assertEquals(1, exitCode());
    List<String> err = allErrors();
    assertTrue(err.stream().anyMatch(line -> line.startsWith("demo: ")), err::toString);
  }

  @Test
  void outputThatNobodyReadsAnyMoreEndsTheDemoQuietly() throws Exception {
    startEndless();
    demo.getInputStream().close();

    assertEquals(0, exitCode());
    List<String> err = allErrors();
    assertTrue(err.stream().allMatch(line -> line.matches("[0-9]+ s: .*")), err::toString);
  }

  /** A process inherits which signals are ignored; the second bit is SIGINT's. */
  private static boolean interruptsAreIgnored() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) {
      return false;
    }
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith("SigIgn:"))
        .anyMatch(line -> (Long.parseUnsignedLong(line.substring(7).strip(), 16) & 2) != 0);
  }

  /** Starts the demo on lines without an end, and returns when it is at work. */
  private void startEndless() throws IOException {
    start("-");
    OutputStream in = demo.getOutputStream();
    Thread.ofPlatform()
        .daemon()
        .start(() -> {
          try (in) {
            byte[] lines = "some,words\n".repeat(1000).getBytes(UTF_8);
            while (true) {
              in.write(lines);
            }
          } catch (IOException e) {
            // The demo has ended.
          }
        });
    findServer();
    InputStream first = demo.getInputStream();
    assertEquals('s', first.read());
  }
}
