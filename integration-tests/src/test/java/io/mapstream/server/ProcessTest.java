package io.mapstream.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A function as a process: signals, exit codes, and the files that it leaves behind. */
class ProcessTest {

  private static final int SIGINT = 2;

  private static ChildProcess child(String mode) throws IOException {
    return ChildProcess.start(ChildMain.class, mode, Map.of());
  }

  /**
   * Whether the process was started with the signal ignored, as a shell does for background jobs.
   */
  private static boolean ignores(ChildProcess child, int signal) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/" + child.pid() + "/status"))) {
      if (line.startsWith("SigIgn:")) {
        return (Long.parseUnsignedLong(line.substring(7).strip(), 16) >> (signal - 1) & 1) != 0;
      }
    }
    return false;
  }

  @ParameterizedTest
  @ValueSource(strings = {"TERM", "INT"})
  void aSignalDrainsAndTheProcessExitsWithZero(String signal) throws Exception {
    try (ChildProcess child = child("run")) {
      Call call = child.open().send("1", "wait " + child.file("gate"));
      call.results("1", 1);
      assumeTrue(!signal.equals("INT") || !ignores(child, SIGINT), "SIGINT is ignored here");
      child.signal(signal);
      awaitStopping(child);
      assertTrue(call.isOpen());
      Files.createFile(child.file("gate"));

      call.endsWith(Status.Code.UNAVAILABLE);

      assertEquals(List.of("started", "done"), call.received("1").texts());
      assertEquals(1, call.received("1").eots());
      assertEquals(0, child.exitCode(), child::toString);
      assertEquals("run returned\n", child.out());
      child.assertFilesGone();
    }
  }

  private static void awaitStopping(ChildProcess child) {
    Waits.until(
        "a stop", () -> !Files.exists(child.file("s.sock")), () -> "the socket still exists");
  }

  @Test
  void aSecondSignalEndsAtOnce() throws Exception {
    try (ChildProcess child = child("run")) {
      Call call = child.open().send("1", "wait " + child.file("gate"));
      call.results("1", 1);
      child.signal("TERM");
      awaitStopping(child);
      child.signal("TERM");

      assertEquals(143, child.exitCode(), child.err());
      assertTrue(child.err().contains("SIGTERM after another signal"), child.err());
      assertTrue(child.err().contains("1 datums in work"), child.err());
      assertEquals(0, call.eots());
      child.assertFilesGone();
    }
  }

  /** The socket exists, but the server info file may not yet. */
  @Test
  void aSignalDuringStartIsObeyed() throws Exception {
    try (ChildProcess child = child("run")) {
      child.awaitFile("s.sock").signal("TERM");

      assertEquals(0, child.exitCode(), child.err());
      child.assertFilesGone();
    }
  }

  @Test
  void aHandlersFailureEndsTheProcessWithOneAndTheStackOnStandardError() throws Exception {
    try (ChildProcess child =
        ChildProcess.start(ChildMain.class, "run", Map.of("NUMAFLOW_UD_CONTAINER_TYPE", "udf"))) {
      Call call = child.open().send("datum-7", "fail");

      Status end = call.end();

      assertEquals(Status.Code.INTERNAL, end.getCode());
      assertEquals(
          "UDF_EXECUTION_ERROR(udf): java.lang.IllegalStateException: boom", end.getDescription());
      assertEquals(1, child.exitCode());
      assertEquals("", child.out());
      String err = child.err();
      assertTrue(err.contains("Exception in thread \"main\""), err);
      assertTrue(err.contains("Caused by: java.lang.IllegalStateException: boom"), err);
      assertTrue(err.contains(ChildMain.class.getName() + ".handle"), err);
      assertTrue(err.contains("datum-7"), err);
      child.assertFilesGone();
    }
  }

  /** The details of a failure need a missing class; the stream must still end. */
  @Test
  void aFailureThatCannotBeReportedInFullStillEndsTheProcess() throws Exception {
    try (ChildProcess child =
        ChildProcess.startWithout("proto-google-common-protos", ChildMain.class, "run")) {
      Call call = child.open().send("datum-7", "fail");

      Status end = call.end();

      assertEquals(Status.Code.INTERNAL, end.getCode());
      assertEquals(
          "UDF_EXECUTION_ERROR(unknown-container): java.lang.IllegalStateException: boom",
          end.getDescription());
      assertEquals(0, call.received("datum-7").eots());
      assertEquals(1, child.exitCode());
      String err = child.err();
      assertTrue(err.contains("Caused by: java.lang.IllegalStateException: boom"), err);
      assertTrue(err.contains("NoClassDefFoundError: com/google/rpc/"), err);
      child.assertFilesGone();
    }
  }

  @Test
  void underThePolicyFailAFailureIsOneWarningWithItsStackAndTheProcessContinues() throws Exception {
    try (ChildProcess child =
        ChildProcess.start(ChildMain.class, "run", Map.of("MAPSTREAM_ERROR_POLICY", "FAIL"))) {
      Call call = child.open().send("datum-7", "fail");
      assertEquals(2, call.answer("datum-7").results().size());
      assertEquals(List.of("started", "echo on"), call.send("8", "echo on").answer("8").texts());
      child.awaitErr(ChildMain.class.getName() + ".handle"); // reported after the answer
      child.signal("TERM");

      call.endsWith(Status.Code.UNAVAILABLE);

      assertEquals(0, child.exitCode());
      String err = child.err();
      assertEquals(1, err.lines().filter(line -> line.contains("datum-7")).count(), err);
      assertEquals(1, err.lines().filter(line -> line.contains("Exception: boom")).count(), err);
      assertTrue(err.contains(ChildMain.class.getName() + ".handle"), err);
    }
  }

  @Test
  void aHandlerThatTakesAllMemoryEndsTheProcessWithOne() throws Exception {
    try (ChildProcess child = child("run")) {
      Call call = child.open().send("1", "exhaust");

      Status end = call.end();

      assertEquals(Status.Code.INTERNAL, end.getCode());
      assertEquals(0, call.eots());
      assertEquals(1, child.exitCode());
      assertTrue(child.err().contains("java.lang.OutOfMemoryError"), child.err());
      child.assertFilesGone();
    }
  }

  @Test
  void aFailureThatCannotBePrintedEndsTheProcessWithOne() throws Exception {
    try (ChildProcess child = child("run")) {
      Call call = child.open().send("1", "fail-unprintably");

      call.endsWith(Status.Code.INTERNAL);

      assertEquals(1, child.exitCode());
      assertTrue(child.err().contains("ChildMain$Unprintable"), child.err());
      child.assertFilesGone();
    }
  }

  @Test
  void aFailureDuringTheDrainIsNotASuccess() throws Exception {
    try (ChildProcess child = child("run")) {
      Call call = child.open().send("1", "wait-and-fail " + child.file("gate"));
      call.results("1", 1);
      child.signal("TERM");
      awaitStopping(child);
      Files.createFile(child.file("gate"));

      call.endsWith(Status.Code.INTERNAL);

      assertNotEquals(0, child.exitCode());
      child.assertFilesGone();
    }
  }

  /** The exit code is not {@code main}'s, which returns normally. */
  @Test
  void aFailureDuringTheDrainThatMainCatchesIsNotASuccess() throws Exception {
    try (ChildProcess child = child("run and catch")) {
      Call call = child.open().send("1", "wait-and-fail " + child.file("gate"));
      call.results("1", 1);
      child.signal("TERM");
      awaitStopping(child);
      Files.createFile(child.file("gate"));

      assertEquals(1, child.exitCode(), child.err());
      assertEquals("until the exit runs: [mapstream-signal]\n", child.out());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"exit", "exit-here"})
  void theApplicationsExitCodeIsKept(String command) throws Exception {
    try (ChildProcess child =
        ChildProcess.start(
            ChildMain.class, "run", Map.of("MAPSTREAM_SHUTDOWN_GRACE_SECONDS", "1"))) {
      Call call = child.open().send("1", command);
      call.end();

      assertEquals(3, child.exitCode());
      child.assertFilesGone();
    }
  }

  @Test
  void aHandlerThatIgnoresInterruptionDoesNotOutliveTheGrace() throws Exception {
    try (ChildProcess child =
        ChildProcess.start(
            ChildMain.class, "run", Map.of("MAPSTREAM_SHUTDOWN_GRACE_SECONDS", "0"))) {
      Call call = child.open().send("1", "hang");
      call.results("1", 1);
      child.signal("TERM");

      call.endsWith(Status.Code.UNAVAILABLE);

      assertEquals(0, call.eots());
      assertEquals(0, child.exitCode());
      child.assertFilesGone();
    }
  }

  @Test
  void aClientThatDoesNotReadIsNotTakenForAHangingHandler() throws Exception {
    try (ChildProcess child =
            ChildProcess.start(
                ChildMain.class, "run", Map.of("MAPSTREAM_SHUTDOWN_GRACE_SECONDS", "5"));
        WireClient client = new WireClient(child.awaitFile("info").socket())) {
      Call call = client.openReading(2).shakeHands().send("1", "echo " + "x".repeat(3 << 20));
      call.results("1", 1);
      child.signal("TERM");

      assertEquals(0, child.exitCode());
      assertTrue(child.err().contains("a client had not read all results after 5 s"), child.err());
      assertFalse(child.err().contains("handlers were still running"), child.err());
    }
  }

  /**
   * The signal handler waits for the end of {@code main}, whose clean-up takes long, and for hooks.
   */
  @Test
  @Tag("slow")
  void nothingThatTheApplicationDoesAtItsEndIsCutShort() throws Exception {
    try (ChildProcess child = child("run with a slow end")) {
      child.awaitFile("info").signal("TERM");

      assertEquals(0, child.exitCode(), child.err());
      assertEquals("main ends\nhook ran\n", child.out());
      assertTrue(child.err().contains("the process exits when Thread[#"), child.err());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "run with an idle pool",
        "run in a pool",
        "run on a daemon",
        "run on a daemon that stays"
      })
  void threadsWithNothingToDoDoNotKeepTheProcessAlive(String mode) throws Exception {
    try (ChildProcess child = child(mode)) {
      Call call = child.open().send("1", "wait " + child.file("gate"));
      call.results("1", 1);
      child.signal("TERM");
      awaitStopping(child);
      Files.createFile(child.file("gate"));

      call.endsWith(Status.Code.UNAVAILABLE);

      assertEquals(1, call.received("1").eots());
      assertEquals(0, child.exitCode(), child.err());
      assertEquals("run returned\n", child.out());
      assertFalse(child.err().contains(" WARN "), child.err());
      child.assertFilesGone();
    }
  }

  @Test
  void anExceptionAfterRunIsNotASuccess() throws Exception {
    try (ChildProcess child = child("run and fail afterwards")) {
      child.awaitFile("info").signal("TERM");

      assertEquals(1, child.exitCode(), child.err());
      assertTrue(child.err().contains("IllegalStateException: after run"), child.err());
    }
  }

  /** A user's thread pool must not keep a process alive that has never served. */
  @Test
  void aFailedStartEndsTheProcessWithOtherThreadsLeft() throws Exception {
    try (ChildProcess child = child("run without a folder")) {
      assertEquals(1, child.exitCode(), child.err());
      assertTrue(child.err().contains("/none/s.sock"), child.err());
    }
  }

  @Test
  void anUnusableSettingEndsTheProcessWithOtherThreadsLeft() throws Exception {
    try (ChildProcess child =
        ChildProcess.start(
            ChildMain.class, "run with an idle pool", Map.of("MAPSTREAM_MAX_CONCURRENCY", "x"))) {
      assertEquals(1, child.exitCode(), child.err());
      assertTrue(child.err().contains("MAPSTREAM_MAX_CONCURRENCY"), child.err());
    }
  }

  /** A user's thread pool must not keep a process alive that no longer serves. */
  @Test
  void aHandlersFailureEndsTheProcessWithOtherThreadsLeft() throws Exception {
    try (ChildProcess child = child("run with an idle pool")) {
      child.open().send("1", "fail").endsWith(Status.Code.INTERNAL);

      assertEquals(1, child.exitCode(), child.err());
      assertTrue(child.err().contains("Exception in thread \"main\""), child.err());
      child.assertFilesGone();
    }
  }

  /**
   * A handler inside {@code System.exit} can't finish, so the exit waits neither for it nor for the
   * others.
   */
  @Test
  void anExitInAHandlerDoesNotWaitForTheOthers() throws Exception {
    try (ChildProcess child = child("run")) {
      Call call = child.open().send("1", "wait " + child.file("never"));
      call.results("1", 1);
      Files.createFile(child.file("gate"));
      call.send("2", "exit-7 " + child.file("gate"));

      call.endsWith(Status.Code.UNAVAILABLE);

      assertEquals(7, child.exitCode(), child.err());
      assertEquals(0, call.eots());
      assertTrue(child.err().contains("a handler called System.exit; 2 datums"), child.err());
      assertTrue(child.err().contains("2 datums unanswered"), child.err());
      assertFalse(child.err().contains("no failures"), child.err());
      child.assertFilesGone();
    }
  }

  /** As on a platform thread: only an exit in a handler can't wait for the handlers. */
  @Test
  void anExitOnAVirtualThreadOfTheApplicationDrains() throws Exception {
    try (ChildProcess child = child("run")) {
      Call call = child.open().send("1", "wait " + child.file("gate"));
      call.results("1", 1);
      call.send("2", "exit-elsewhere");
      awaitStopping(child);
      Files.createFile(child.file("gate"));

      call.endsWith(Status.Code.UNAVAILABLE);

      assertEquals(List.of("started", "done"), call.received("1").texts());
      assertEquals(2, call.eots());
      assertEquals(7, child.exitCode(), child.err());
      assertFalse(child.err().contains("a handler called System.exit"), child.err());
    }
  }

  /** The client of its stream is gone, but the handler still runs. */
  @Test
  void anExitInAHandlerOfAnEndedStreamDoesNotWaitForTheOthers() throws Exception {
    try (ChildProcess child = child("run")) {
      Call call = child.open().send("1", "wait " + child.file("never"));
      call.results("1", 1);
      Call ended = child.open().send("2", "exit-when-interrupted");
      ended.results("2", 1);
      ended.cancel();

      call.endsWith(Status.Code.UNAVAILABLE);

      assertEquals(7, child.exitCode(), child.err());
      assertTrue(child.err().contains("a handler called System.exit"), child.err());
    }
  }

  /** The exit comes during the drain, within the grace period of 30 seconds. */
  @Test
  void anExitInAHandlerEndsADrain() throws Exception {
    try (ChildProcess child = child("run")) {
      Call call = child.open().send("1", "wait " + child.file("never"));
      call.results("1", 1);
      call.send("2", "exit-7 " + child.file("gate")).results("2", 1);
      child.signal("TERM");
      awaitStopping(child);
      Files.createFile(child.file("gate"));

      call.endsWith(Status.Code.UNAVAILABLE);

      assertEquals(7, child.exitCode(), child.err());
      assertEquals(0, call.eots());
      child.assertFilesGone();
    }
  }

  /** How a function that follows an endless source stops. */
  @Test
  void theCallbackRunsWhenTheDrainBegins() throws Exception {
    try (ChildProcess child = child("run with a callback")) {
      Call call = child.open().send("1", "until-stop");
      call.results("1", 1);
      child.signal("TERM");

      call.endsWith(Status.Code.UNAVAILABLE);

      assertEquals(List.of("started", "stopped"), call.received("1").texts());
      assertEquals(1, call.received("1").eots());
      assertEquals(0, child.exitCode(), child.err());
      assertEquals("stopping\n", child.out());
      assertTrue(child.err().contains("IllegalStateException: in the callback"), child.err());
    }
  }

  @Test
  void mainSeesTheEffectOfTheCallback() throws Exception {
    try (ChildProcess child = child("run with a flag")) {
      child.awaitFile("info").signal("TERM");

      assertEquals(0, child.exitCode(), child.err());
      assertEquals("stopping is true\n", child.out());
    }
  }

  /** As operating.md shows it. The exit code is the JVM's own. */
  @Test
  void aServerThatIsStartedDrainsByAHookOfTheApplication() throws Exception {
    try (ChildProcess child = child("start with a hook")) {
      child.awaitErr(" serves "); // the hook follows
      Call call = child.open().send("1", "wait " + child.file("gate"));
      call.results("1", 1);
      child.signal("TERM");
      awaitStopping(child);
      Files.createFile(child.file("gate"));

      call.endsWith(Status.Code.UNAVAILABLE);

      assertEquals(1, call.received("1").eots());
      assertEquals(143, child.exitCode(), child.err());
      child.assertFilesGone();
    }
  }

  // Where signals can't be handled.

  private static final List<String> DEBUG =
      List.of("-Dorg.slf4j.simpleLogger.log.io.mapstream=debug");

  private static List<String> withDebug(String... options) {
    return Stream.concat(DEBUG.stream(), Stream.of(options)).toList();
  }

  /**
   * The JVM's shutdown hook does the drain there. A hook that joined itself would be reported as
   * still running.
   */
  @Test
  void withoutTheModuleOfSignalsTheHookDrains() throws Exception {
    List<String> options =
        withDebug("--limit-modules=java.base,java.logging,java.management,java.naming,jdk.jfr");
    try (ChildProcess child =
        ChildProcess.startWith(options, ChildMain.class, "run with an idle pool")) {
      Call call = child.open().send("1", "wait " + child.file("gate"));
      call.results("1", 1);
      child.signal("TERM");
      awaitStopping(child);
      Files.createFile(child.file("gate"));

      call.endsWith(Status.Code.UNAVAILABLE);

      assertEquals(1, call.received("1").eots());
      assertEquals(0, child.exitCode(), child.err());
      assertTrue(child.err().contains("signals are left to the JVM"), child.err());
      assertFalse(child.err().contains("waits only for hooks"), child.err());
      child.assertFilesGone();
    }
  }

  /** The JVM's own thread for the signal has a similar name. */
  @Test
  void withoutTheModuleOfSignalsOtherHooksAreAwaited() throws Exception {
    List<String> options =
        List.of("--limit-modules=java.base,java.logging,java.management,java.naming,jdk.jfr");
    try (ChildProcess child = ChildProcess.startWith(options, ChildMain.class, "run with a hook")) {
      child.awaitFile("info").signal("TERM");

      child.exitCode();
      assertEquals("hook ran\n", child.out());
    }
  }

  @Test
  void reducedSignalsAreLeftToTheSystem() throws Exception {
    try (ChildProcess child = ChildProcess.startWith(withDebug("-Xrs"), ChildMain.class, "run")) {
      child.awaitFile("info").signal("TERM");

      assertEquals(143, child.exitCode());
      assertTrue(child.err().contains("SIGTERM is left to the JVM"), child.err());
    }
  }

  @Test
  void aSignalHandlerOfOtherCodeStays() throws Exception {
    try (ChildProcess child =
        ChildProcess.startWith(withDebug(), ChildMain.class, "run with another's signal handler")) {
      Call call = child.open();
      child.signal("TERM");
      child.awaitOut("their handler");

      assertEquals(List.of("started", "echo"), call.send("1", "echo").answer("1").texts());
      assertTrue(child.err().contains("SIGTERM keeps its previous handler"), child.err());
    }
  }

  @Test
  void theApplicationsOwnShutdownHookRuns() throws Exception {
    try (ChildProcess child = child("run with a hook")) {
      child.awaitFile("info").signal("TERM");

      assertEquals(0, child.exitCode());
      assertEquals("hook ran\n", child.out());
    }
  }

  @Test
  void aRecordingToAFileHasTheDrainedDatumAndItsStream() throws Exception {
    List<String> options =
        List.of(
            "-XX:StartFlightRecording=settings=none,+io.mapstream.Datum#enabled=true,"
                + "+io.mapstream.Stream#enabled=true,filename=FOLDER/r.jfr");
    try (ChildProcess child = ChildProcess.startWith(options, ChildMain.class, "run")) {
      Call call = child.open().send("1", "wait " + child.file("gate"));
      call.results("1", 1);
      child.signal("TERM");
      awaitStopping(child);
      Files.createFile(child.file("gate"));
      call.endsWith(Status.Code.UNAVAILABLE);
      assertEquals(0, child.exitCode(), child.err());

      List<String> events =
          RecordingFile.readAllEvents(child.file("r.jfr")).stream()
              .map(event -> event.getEventType().getName())
              .sorted()
              .toList();

      assertEquals(List.of("io.mapstream.Datum", "io.mapstream.Stream"), events);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"log4j2", "jul", "logback", "simple"})
  void everyLineOfAStopIsLogged(String binding) throws Exception {
    try (ChildProcess child =
        ChildProcess.startLoggingBy(binding, ChildMain.class, "run with a hook")) {
      Call call = child.open().send("1", "log " + child.file("gate"));
      call.results("1", 1);
      child.signal("TERM");
      awaitStopping(child);
      Files.createFile(child.file("gate"));
      call.endsWith(Status.Code.UNAVAILABLE);
      assertEquals(0, child.exitCode(), child.err());

      String all = child.out() + child.err();
      for (String line :
          List.of(
              "the handler goes on", "mapstream is stopping; waiting", "mapstream stopped after")) {
        assertTrue(all.contains(line), () -> line + " is not in " + all);
      }
    }
  }

  /** The ERROR of a handler that fails in the drain, in the default configuration. */
  @ParameterizedTest
  @ValueSource(strings = {"log4j2", "jul", "logback", "simple"})
  void aFailureInTheDrainIsLogged(String binding) throws Exception {
    try (ChildProcess child = ChildProcess.startLoggingBy(binding, ChildMain.class, "run")) {
      Call call = child.open().send("1", "wait-and-fail " + child.file("gate"));
      call.results("1", 1);
      child.signal("TERM");
      awaitStopping(child);
      Files.createFile(child.file("gate"));
      call.endsWith(Status.Code.INTERNAL);
      assertEquals(1, child.exitCode(), child.err());

      String all = child.out() + child.err();
      assertTrue(all.contains("the handler failed on datum \"1\"; the server stops"), all);
    }
  }

  /** A process whose {@code main} has returned ends only if no other thread keeps it alive. */
  @Test
  void noThreadKeepsTheProcessAliveAfterClose() throws Exception {
    try (ChildProcess child = child("embedded")) {
      Call call = child.open().send("1", "ask");
      call.endsWith(Status.Code.UNAVAILABLE);

      assertEquals(1, call.received("1").eots());
      assertEquals(0, child.exitCode());
      assertEquals("closed\n", child.out());
      child.assertFilesGone();
    }
  }

  @Test
  void aHangingHandlerIsFoundByTheIdOfItsDatum() throws Exception {
    Path jcmd = ChildProcess.tool("jcmd");
    assumeTrue(Files.isExecutable(jcmd), "a JDK is needed");
    try (ChildProcess child = child("run")) {
      Call call = child.open().send("input-42", "hang");
      call.results("input-42", 1);

      Process dump =
          new ProcessBuilder(
                  jcmd.toString(),
                  String.valueOf(child.pid()),
                  "Thread.dump_to_file",
                  "-format=json",
                  child.file("threads.json").toString())
              .redirectErrorStream(true)
              .start();
      String said = new String(dump.getInputStream().readAllBytes(), UTF_8);
      assertTrue(dump.waitFor(Waits.LIMIT.toSeconds(), TimeUnit.SECONDS));

      String threads = Files.readString(child.file("threads.json"));
      assertTrue(threads.contains("\"mapstream-input-42\""), said);
      assertTrue(threads.contains(ChildMain.class.getName() + ".handle"), said);
    }
  }

  @Test
  void aKilledProcessLeavesItsSocketAndTheNextOneStarts() throws Exception {
    try (ChildProcess child = child("run")) {
      child.open();
      child.signal("KILL");
      child.exitCode();
      assertTrue(Files.exists(child.file("s.sock")));
      assertTrue(Files.exists(child.file("info")));

      MapStreamServer next =
          MapStreamServer.builder((keys, datum, sink) -> {})
              .socketPath(child.file("s.sock"))
              .serverInfoFile(child.file("info"))
              .build()
              .start();
      try (WireClient client = new WireClient(child.file("s.sock"))) {
        assertTrue(client.isReady());
      }
      next.close();
      assertFalse(Files.exists(child.file("s.sock")));
    }
  }
}
