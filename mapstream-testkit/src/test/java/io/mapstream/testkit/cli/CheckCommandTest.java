package io.mapstream.testkit.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.mapstream.testkit.MapStreamTestServer;
import io.mapstream.testkit.cli.BrokenServer.Fault;
import io.mapstream.testkit.cli.Shell.Ran;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Most of its time is waits for answers that do not come, so its tests run at the same time. */
@Tag("slow")
@Execution(ExecutionMode.CONCURRENT)
class CheckCommandTest {

  @TempDir Path folder;

  @Test
  void ourServerHonoursTheContract() throws Exception {
    try (var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          sink.emit("a".getBytes(UTF_8));
          sink.emit("b".getBytes(UTF_8));
        })) {
      Ran ran =
          Shell.run(
              "check",
              "--socket=" + server.socketPath(),
              "--server-info=" + server.serverInfoFile(),
              "--empty-value");

      assertEquals(0, ran.code(), ran.out() + ran.err());
      assertTrue(ran.out().endsWith(" 0 failed, 0 not checked\n"), ran.out());
      assertTrue(ran.lines().getFirst().startsWith("PASS  ready "), ran.out());
    }
  }

  @Test
  void ourServerDrainsAndExitsWithZero() {
    Ran ran = Shell.run("check", "--class", ServedFunction.class.getName(), "--json");

    JsonObject report = JsonParser.parseString(ran.out()).getAsJsonObject();
    assertEquals(0, ran.code(), ran.out() + ran.err());
    assertEquals("PASS", outcome(report, "drain"));
    assertEquals("PASS", outcome(report, "server-info"));
    assertEquals(ServedFunction.class.getName(), report.get("function").getAsString());
  }

  @Test
  void functionThatDrainsAndExitsWithAnotherCodeFails() {
    Ran ran = Shell.run("check", "--class", HookedFunction.class.getName(), "--datums=2");

    assertEquals(1, ran.code(), ran.out() + ran.err());
    assertTrue(
        ran.out()
            .contains(
                """
                FAIL  drain             drains at SIGTERM, exits with 0
                                        the exit code was 143
                """),
        ran.out());
  }

  /** It exits with 143, which another process can't see. */
  @Test
  void processOfAPidIsDrainedWhateverItsExitCode() throws Exception {
    Path socket = folder.resolve("s");
    var builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            HookedFunction.class.getName());
    builder.environment().put("MAPSTREAM_SOCKET_PATH", socket.toString());
    builder.environment().put("MAPSTREAM_SERVER_INFO_FILE", folder.resolve("info").toString());
    Process process =
        builder.redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    try {
      Ran ran = Shell.run("check", "--socket=" + socket, "--drain", "--pid=" + process.pid());

      assertEquals(0, ran.code(), ran.out() + ran.err());
      assertTrue(ran.out().contains("PASS  drain             drains at SIGTERM\n"), ran.out());
      assertEquals(143, process.onExit().get().exitValue());
    } finally {
      process.destroyForcibly();
    }
  }

  private static String outcome(JsonObject report, String name) {
    for (JsonElement row : report.getAsJsonArray("rows")) {
      if (row.getAsJsonObject().get("name").getAsString().equals(name)) {
        return row.getAsJsonObject().get("outcome").getAsString();
      }
    }
    return "no row " + name;
  }

  private static Set<String> rows(JsonObject report, String outcome) {
    Set<String> names = new TreeSet<>();
    for (JsonElement row : report.getAsJsonArray("rows")) {
      if (row.getAsJsonObject().get("outcome").getAsString().equals(outcome)) {
        names.add(row.getAsJsonObject().get("name").getAsString());
      }
    }
    return names;
  }

  static Stream<Arguments> faults() {
    return Stream.of(
        arguments(Fault.NONE, Set.of()),
        arguments(Fault.NOT_READY, Set.of("ready")),
        arguments(Fault.NO_SOT, Set.of("handshake")),
        arguments(Fault.ACCEPTS_ALL_FIRSTS, Set.of("handshake-first", "handshake-sot")),
        arguments(
            Fault.NO_EOT,
            Set.of(
                "eot",
                "half-close",
                "id-again",
                "id-twice",
                "metadata",
                "two-streams",
                "no-keys",
                "big-message",
                "slow-reader",
                "cancel",
                "disconnect",
                "still-ready")),
        arguments(
            Fault.NO_ID,
            Set.of(
                "eot",
                "ids",
                "half-close",
                "id-again",
                "id-twice",
                "metadata",
                "two-streams",
                "no-keys",
                "big-message",
                "slow-reader",
                "cancel",
                "disconnect",
                "still-ready")),
        arguments(Fault.TWO_EOTS, Set.of("eot-once", "two-streams")),
        arguments(Fault.RESULT_AFTER_EOT, Set.of("eot-last")),
        arguments(Fault.RESULTS_ON_EOT, Set.of("eot-alone")),
        arguments(Fault.FOREIGN_ID, Set.of("ids", "two-streams")),
        arguments(Fault.TWO_MARKS, Set.of("marks")),
        arguments(Fault.RESULT_AFTER_FAIL, Set.of("marks")),
        arguments(
            Fault.OPEN_AFTER_HALF_CLOSE, Set.of("complete", "half-close", "half-close-empty")),
        arguments(Fault.NO_REPEATED_IDS, Set.of("id-again", "id-twice")),
        arguments(Fault.OVERTAKEN_RESULTS, Set.of("order")),
        arguments(Fault.NO_METADATA, Set.of("metadata")),
        arguments(Fault.ENDS_AFTER_A_STREAM, Set.of("runs-on")),
        arguments(Fault.ENDS_AT_A_CANCEL, Set.of("cancel")),
        arguments(Fault.SMALL_LIMIT, Set.of("big-message")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("faults")
  void faultFailsTheRowsThatNameIt(Fault fault, Set<String> failing) throws Exception {
    try (var server = new BrokenServer(folder.resolve("s"), fault)) {
      Ran ran =
          Shell.run(
              "check",
              "--socket=" + server.socketPath(),
              "--json",
              "--datums=5",
              "--timeout=" + timeout(fault));

      JsonObject report = JsonParser.parseString(ran.out()).getAsJsonObject();
      assertEquals(new TreeSet<>(failing), rows(report, "FAIL"), ran.out());
      assertEquals(failing.isEmpty() ? 0 : 1, ran.code(), ran.err());
    }
  }

  @Test
  void systemMetadataInAResultIsTolerated() throws Exception {
    try (var server = new BrokenServer(folder.resolve("s"), Fault.SYSTEM_METADATA_BACK)) {
      Ran ran = Shell.run("check", "--socket=" + server.socketPath(), "--json", "--datums=5");

      JsonObject report = JsonParser.parseString(ran.out()).getAsJsonObject();
      assertEquals("WARN", outcome(report, "metadata"));
      assertEquals(1, report.get("tolerated").getAsInt());
      assertEquals(0, ran.code(), ran.out() + ran.err());
    }
  }

  @Test
  void functionThatEndsIsReportedOnceAndTheRestIsNotChecked() throws Exception {
    try (var server = new BrokenServer(folder.resolve("s"), Fault.ENDS_AFTER_A_STREAM)) {
      Ran ran = Shell.run("check", "--socket=" + server.socketPath(), "--datums=5");

      assertEquals(1, ran.code(), ran.out() + ran.err());
      assertEquals(1, ran.lines().stream().filter(line -> line.startsWith("FAIL")).count());
      assertTrue(
          ran.out().contains("FAIL  runs-on           keeps running after each stream"), ran.out());
      assertTrue(ran.out().contains("it ended after \"handshake\""), ran.out());
      assertTrue(ran.out().contains("SKIP  still-ready"), ran.out());
      assertTrue(ran.out().contains("2 passed, 0 tolerated, 1 failed, 25 not checked"), ran.out());
    }
  }

  @Test
  void functionThatEndsAtACancelIsCheckedUpToThat() throws Exception {
    try (var server = new BrokenServer(folder.resolve("s"), Fault.ENDS_AT_A_CANCEL)) {
      Ran ran = Shell.run("check", "--socket=" + server.socketPath(), "--datums=5");

      assertEquals(1, ran.code(), ran.out() + ran.err());
      assertTrue(ran.out().contains("PASS  slow-reader"), ran.out());
      assertTrue(
          ran.out()
              .contains(
                  """
                  FAIL  cancel            keeps serving after a cancelled stream
                                          the function has ended: one datum: 0 of 1 EOT(s);\
                  """),
          ran.out());
      assertTrue(ran.out().contains("SKIP  disconnect"), ran.out());
      assertFalse(ran.out().contains("runs-on"), ran.out());
    }
  }

  @Test
  void emptyMinimumVersionIsTolerated() throws Exception {
    Ran ran =
        checkedWith(
            "{\"protocol\":\"uds\",\"language\":\"rust\",\"minimum_numaflow_version\":\"\","
                + "\"version\":\"0.6.0\",\"metadata\":{\"MAP_MODE\":\"stream-map\"}}");

    assertEquals(0, ran.code(), ran.out() + ran.err());
    assertTrue(ran.out().contains("WARN  server-info"), ran.out());
    assertTrue(ran.out().contains("minimum_numaflow_version is empty"), ran.out());
  }

  /** Checks a correct function whose server info file has the given content. */
  private Ran checkedWith(String serverInfo) throws Exception {
    Path file = folder.resolve("info");
    Files.writeString(file, serverInfo + "U+005C__END__");
    try (var server = MapStreamTestServer.start((keys, datum, sink) -> sink.emit("a"))) {
      return Shell.run("check", "--socket=" + server.socketPath(), "--server-info=" + file);
    }
  }

  /** Returns a short timeout if a row is expected to time out. */
  private static String timeout(Fault fault) {
    return switch (fault) {
      case NOT_READY -> "1s"; // nothing has to succeed
      case NO_METADATA, NO_EOT, OPEN_AFTER_HALF_CLOSE, NO_REPEATED_IDS, ACCEPTS_ALL_FIRSTS -> "4s";
      default -> "30s";
    };
  }

  @Test
  void tableShowsWhatWasSeenBelowAFailedRow() throws Exception {
    try (var server = new BrokenServer(folder.resolve("s"), Fault.RESULTS_ON_EOT)) {
      Ran ran = Shell.run("check", "--socket=" + server.socketPath());

      assertTrue(
          ran.out()
              .contains(
                  """
                  FAIL  eot-alone         sends no results with an EOT
                                          the EOT of datum "check-1" carries 1 result(s), which the platform drops
                  """),
          ran.out());
      assertEquals(1, ran.code(), ran.err());
    }
  }

  @Test
  void eachFailedRowSaysWhatWasSeenEvenIfItIsTheSame() throws Exception {
    try (var server = new BrokenServer(folder.resolve("s"), Fault.NO_ID)) {
      Ran ran = Shell.run("check", "--socket=" + server.socketPath(), "--datums=5");

      for (String name : List.of("id-again", "id-twice", "no-keys")) {
        int row = ran.out().indexOf("FAIL  " + name);
        assertTrue(
            ran.out().indexOf("1 result(s) for the id \"\"", row) - row < 120,
            name + "\n" + ran.out());
      }
    }
  }

  @Test
  void serverThatIsNotReadyIsNotCheckedFurther() throws Exception {
    try (var server = new BrokenServer(folder.resolve("s"), Fault.NOT_READY)) {
      Ran ran = Shell.run("check", "--socket=" + server.socketPath(), "--timeout=100ms");

      assertEquals(1, ran.code(), ran.err());
      assertTrue(
          ran.out()
              .contains(
                  """
                  SKIP  server-info       announces itself in its file
                                          the function is not ready
                  SKIP  handshake         echoes the handshake first, with sot
                  """),
          ran.out());
    }
  }

  @Test
  void missingServerFailsTheFirstRowAndSkipsTheOthers() {
    Ran ran = Shell.run("check", "--socket=" + folder.resolve("none"), "--timeout=100ms");

    assertEquals(1, ran.code());
    assertTrue(ran.lines().getFirst().startsWith("FAIL  ready"), ran.out());
    assertTrue(ran.out().contains("0 passed, 0 tolerated, 1 failed"), ran.out());
  }

  @Test
  void wrongServerInfoIsReportedWithItsField() throws Exception {
    Ran ran =
        checkedWith(
            "{\"protocol\":\"uds\",\"language\":\"go\",\"minimum_numaflow_version\":\"1.4.0-z\","
                + "\"version\":\"1.0.0\"}");

    assertEquals(1, ran.code());
    assertTrue(ran.out().contains("FAIL  server-info"), ran.out());
    assertTrue(ran.out().contains("MAP_MODE"), ran.out());
  }

  static Stream<Arguments> rulesThatWait() {
    return Stream.of(arguments("half-close", 2), arguments("order", 5));
  }

  /** The timeout is long: a second wait for the function would not end. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("rulesThatWait")
  void interruptEndsTheCheck(String rule, int answered) throws Exception {
    var datums = new AtomicInteger();
    var hangs = new CountDownLatch(1);
    try (var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          if (datums.incrementAndGet() > answered) {
            hangs.countDown();
            new CountDownLatch(1).await();
          }
        })) {
      var check =
          new FutureTask<>(() ->
              Shell.run("check", "--socket=" + server.socketPath(), "--datums=2", "--timeout=1h"));
      Thread command = Thread.ofPlatform().start(check);
      assertTrue(hangs.await(30, TimeUnit.SECONDS), "the rule has started");
      command.interrupt();

      Ran ran = check.get(30, TimeUnit.SECONDS);

      assertEquals(130, ran.code(), ran.err());
      assertEquals("mapstream check: interrupted\n", ran.err());
      assertFalse(ran.out().contains(rule), ran.out());
    }
  }

  @Test
  void unknownPidIsNamed() {
    Ran ran = Shell.run("check", "--socket=/none", "--drain", "--pid=999999999");

    assertEquals(2, ran.code());
    assertTrue(ran.err().contains("no process has the pid 999999999"), ran.err());
  }
}
