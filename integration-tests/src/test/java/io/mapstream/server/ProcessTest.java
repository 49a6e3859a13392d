package io.mapstream.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grpc.Status;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A function as a process: signals, exit codes, and the files that it leaves behind. */
class ProcessTest {

  private static final int SIGINT = 2;

  @AutoClose private final ChildProcess child = new ChildProcess();

  /** A stream whose datum 1 is being handled. */
  private Call handling(String commands) throws Exception {
    Call call = child.open().send("1", commands);
    call.results("1", 1);
    return call;
  }

  /**
   * Stops the process while the handler of datum 1 runs. Then, the handler performs more commands
   * and returns.
   *
   * @param code how the stream must end
   */
  private Call drain(String signal, String commands, Status.Code code) throws Exception {
    Call call = handling("wait " + child.file("gate") + commands);
    child.signal(signal);
    child.awaitStopping();
    assertTrue(call.isOpen());
    Files.createFile(child.file("gate"));
    call.endsWith(code);
    return call;
  }

  /** By SIGTERM, with the datum answered. */
  private void drain() throws Exception {
    Call call = drain("TERM", "", Status.Code.UNAVAILABLE);
    assertEquals(1, call.received("1").eots());
  }

  @ParameterizedTest
  @ValueSource(strings = {"TERM", "INT"})
  void aSignalDrainsAndTheProcessExitsWithZero(String signal) throws Exception {
    child.start("run").await(child.info());
    // A shell ignores SIGINT for its background jobs.
    boolean ignored = (Long.parseUnsignedLong(child.status("SigIgn"), 16) >> (SIGINT - 1) & 1) != 0;
    assumeTrue(!signal.equals("INT") || !ignored, "SIGINT is ignored here");
    Call call = drain(signal, "; echo", Status.Code.UNAVAILABLE);

    assertEquals(
        List.of("started", "wait " + child.file("gate") + "; echo"), call.received("1").texts());
    assertEquals(1, call.received("1").eots());
    child.assertEnd(0);
    assertEquals("run returned\n", child.out());
  }

  @Test
  void aSecondSignalEndsAtOnce() throws Exception {
    child.start("run");
    Call call = handling("wait " + child.file("gate"));
    child.signal("TERM");
    child.awaitStopping();
    child.signal("TERM");

    child.assertEnd(143);
    assertTrue(child.err().contains("SIGTERM after another signal"), child.err());
    assertTrue(child.err().contains("1 datums in work"), child.err());
    assertEquals(0, call.eots());
  }

  /** The socket exists, but the server info file may not yet. */
  @Test
  void aSignalDuringStartIsObeyed() throws Exception {
    child.start("run");
    child.await(child.socket()).signal("TERM");

    child.assertEnd(0);
  }

  @Test
  void aHandlersFailureEndsTheProcessWithOneAndTheStackOnStandardError() throws Exception {
    child.env("NUMAFLOW_UD_CONTAINER_TYPE", "udf").start("run");
    Call call = child.open().send("datum-7", "fail");

    Status end = call.end();

    assertEquals(Status.Code.INTERNAL, end.getCode());
    assertEquals(
        "UDF_EXECUTION_ERROR(udf): java.lang.IllegalStateException: boom", end.getDescription());
    child.assertEnd(1);
    assertEquals("", child.out());
    String err = child.err();
    assertTrue(err.contains("Exception in thread \"main\""), err);
    assertTrue(err.contains("Caused by: java.lang.IllegalStateException: boom"), err);
    assertTrue(err.contains(ChildMain.class.getName() + ".handle"), err);
    assertTrue(err.contains("datum-7"), err);
  }

  /** The details of a failure need a missing class; the stream must still end. */
  @Test
  void aFailureThatCannotBeReportedInFullStillEndsTheProcess() throws Exception {
    child.without("proto-google-common-protos").start("run");
    Call call = child.open().send("datum-7", "fail");

    Status end = call.end();

    assertEquals(Status.Code.INTERNAL, end.getCode());
    assertEquals(
        "UDF_EXECUTION_ERROR(unknown-container): java.lang.IllegalStateException: boom",
        end.getDescription());
    assertEquals(0, call.received("datum-7").eots());
    child.assertEnd(1);
    String err = child.err();
    assertTrue(err.contains("Caused by: java.lang.IllegalStateException: boom"), err);
    assertTrue(err.contains("NoClassDefFoundError: com/google/rpc/"), err);
  }

  @Test
  void underThePolicyFailAFailureIsOneWarningWithItsStackAndTheProcessContinues() throws Exception {
    child.env("MAPSTREAM_ERROR_POLICY", "FAIL").start("run");
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

  @Test
  void aHandlerThatTakesAllMemoryEndsTheProcessWithOne() throws Exception {
    child.start("run");
    Call call = child.open().send("1", "exhaust 1048576");

    Status end = call.end();

    assertEquals(Status.Code.INTERNAL, end.getCode());
    assertEquals(0, call.eots());
    child.assertEnd(1);
    assertTrue(child.err().contains("java.lang.OutOfMemoryError"), child.err());
  }

  @Test
  void aFailureThatCannotBePrintedEndsTheProcessWithOne() throws Exception {
    child.start("run");
    Call call = child.open().send("1", "fail-unprintably");

    call.endsWith(Status.Code.INTERNAL);

    child.assertEnd(1);
    assertTrue(child.err().contains("ChildMain$Unprintable"), child.err());
  }

  @Test
  void aFailureDuringTheDrainIsNotASuccess() throws Exception {
    child.start("run");
    drain("TERM", "; fail", Status.Code.INTERNAL);

    assertNotEquals(0, child.exitCode());
    child.assertFilesGone();
  }

  /** The exit code is not {@code main}'s, which returns normally. */
  @Test
  void aFailureDuringTheDrainThatMainCatchesIsNotASuccess() throws Exception {
    child.start("run and catch");
    drain("TERM", "; fail", Status.Code.INTERNAL);

    child.assertEnd(1);
    assertEquals("until the exit runs: [mapstream-signal]\n", child.out());
  }

  @ParameterizedTest
  @ValueSource(strings = {"exit 3", "exit-elsewhere"})
  void theApplicationsExitCodeIsKept(String command) throws Exception {
    child.env("MAPSTREAM_SHUTDOWN_GRACE_SECONDS", "1").start("run");
    Call call = child.open().send("1", command);
    call.end();

    child.assertEnd(3);
  }

  @Test
  void aHandlerThatIgnoresInterruptionDoesNotOutliveTheGrace() throws Exception {
    child.env("MAPSTREAM_SHUTDOWN_GRACE_SECONDS", "0").start("run");
    Call call = handling("hang");
    child.signal("TERM");

    call.endsWith(Status.Code.UNAVAILABLE);

    assertEquals(0, call.eots());
    child.assertEnd(0);
  }

  @Test
  void aClientThatDoesNotReadIsNotTakenForAHangingHandler() throws Exception {
    child.env("MAPSTREAM_SHUTDOWN_GRACE_SECONDS", "5").start("run");
    Call call = child.openPaused().send("1", "echo " + "x".repeat(3 << 20));
    call.read(1);
    call.results("1", 1);
    child.signal("TERM");

    child.assertEnd(0);
    assertTrue(child.err().contains("a client had not read all results after 5 s"), child.err());
    assertFalse(child.err().contains("handlers were still running"), child.err());
  }

  /**
   * The signal handler waits for the end of {@code main}, whose clean-up takes long, and for hooks.
   */
  @Test
  @Tag("slow")
  void nothingThatTheApplicationDoesAtItsEndIsCutShort() throws Exception {
    child.start("run with a slow end");
    child.await(child.info()).signal("TERM");

    assertEquals(0, child.exitCode(), child.err());
    assertEquals("main ends\nhook ran\n", child.out());
    assertTrue(child.err().contains("the process exits when Thread[#"), child.err());
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
    child.start(mode);

    drain();
    child.assertEnd(0);
    assertEquals("run returned\n", child.out());
    assertFalse(child.err().contains(" WARN "), child.err());
  }

  @Test
  void anExceptionAfterRunIsNotASuccess() throws Exception {
    child.start("run and fail afterwards");
    child.await(child.info()).signal("TERM");

    assertEquals(1, child.exitCode(), child.err());
    assertTrue(child.err().contains("IllegalStateException: after run"), child.err());
  }

  /** A user's thread pool must not keep a process alive that has never served. */
  @Test
  void aFailedStartEndsTheProcessWithOtherThreadsLeft() throws Exception {
    child.start("run without a folder");

    child.assertEnd(1);
    assertTrue(child.err().contains("/none/s.sock"), child.err());
  }

  @Test
  void anUnusableSettingEndsTheProcessWithOtherThreadsLeft() throws Exception {
    child.env("MAPSTREAM_MAX_CONCURRENCY", "x").start("run with an idle pool");

    child.assertEnd(1);
    assertTrue(child.err().contains("MAPSTREAM_MAX_CONCURRENCY"), child.err());
  }

  /** A user's thread pool must not keep a process alive that no longer serves. */
  @Test
  void aHandlersFailureEndsTheProcessWithOtherThreadsLeft() throws Exception {
    child.start("run with an idle pool");
    child.open().send("1", "fail").endsWith(Status.Code.INTERNAL);

    child.assertEnd(1);
    assertTrue(child.err().contains("Exception in thread \"main\""), child.err());
  }

  /**
   * A handler inside {@code System.exit} can't finish, so the exit waits neither for it nor for the
   * others.
   */
  @Test
  void anExitInAHandlerDoesNotWaitForTheOthers() throws Exception {
    child.start("run");
    Call call = handling("wait " + child.file("never"));
    Files.createFile(child.file("gate"));
    call.send("2", "wait " + child.file("gate") + "; exit 7");

    call.endsWith(Status.Code.UNAVAILABLE);

    child.assertEnd(7);
    assertEquals(0, call.eots());
    assertTrue(child.err().contains("a handler called System.exit; 2 datums"), child.err());
    assertTrue(child.err().contains("2 datums unanswered"), child.err());
    assertFalse(child.err().contains("no failures"), child.err());
  }

  /** As on a platform thread: only an exit in a handler can't wait for the handlers. */
  @Test
  void anExitOnAVirtualThreadOfTheApplicationDrains() throws Exception {
    child.start("run");
    Call call = handling("wait " + child.file("gate"));
    call.send("2", "exit-on-a-virtual-thread");
    child.awaitStopping();
    Files.createFile(child.file("gate"));

    call.endsWith(Status.Code.UNAVAILABLE);

    assertEquals(2, call.eots());
    child.assertEnd(7);
    assertFalse(child.err().contains("a handler called System.exit"), child.err());
  }

  /** The client of its stream is gone, but the handler still runs. */
  @Test
  void anExitInAHandlerOfAnEndedStreamDoesNotWaitForTheOthers() throws Exception {
    child.start("run");
    Call call = handling("wait " + child.file("never"));
    Call ended = child.open().send("2", "sleep; exit 7");
    ended.results("2", 1);
    ended.cancel();

    call.endsWith(Status.Code.UNAVAILABLE);

    child.assertEnd(7);
    assertTrue(child.err().contains("a handler called System.exit"), child.err());
  }

  /** The exit comes during the drain, within the grace period of 30 seconds. */
  @Test
  void anExitInAHandlerEndsADrain() throws Exception {
    child.start("run");
    Call call = handling("wait " + child.file("never"));
    call.send("2", "wait " + child.file("gate") + "; exit 7").results("2", 1);
    child.signal("TERM");
    child.awaitStopping();
    Files.createFile(child.file("gate"));

    call.endsWith(Status.Code.UNAVAILABLE);

    child.assertEnd(7);
    assertEquals(0, call.eots());
  }

  /** How a function that follows an endless source stops. */
  @Test
  void theCallbackRunsWhenTheDrainBegins() throws Exception {
    child.start("run with a callback");
    Call call = handling("until-stop");
    child.signal("TERM");

    call.endsWith(Status.Code.UNAVAILABLE);

    assertEquals(List.of("started", "stopped"), call.received("1").texts());
    assertEquals(1, call.received("1").eots());
    assertEquals(0, child.exitCode(), child.err());
    assertEquals("stopping\n", child.out());
    assertTrue(child.err().contains("IllegalStateException: in the callback"), child.err());
  }

  @Test
  void mainSeesTheEffectOfTheCallback() throws Exception {
    child.start("run with a flag");
    child.await(child.info()).signal("TERM");

    assertEquals(0, child.exitCode(), child.err());
    assertEquals("stopping is true\n", child.out());
  }

  /** As operating.md shows it. The exit code is the JVM's own. */
  @Test
  void aServerThatIsStartedDrainsByAHookOfTheApplication() throws Exception {
    child.start("start with a hook");
    child.awaitErr(" serves "); // the hook follows

    drain();
    child.assertEnd(143);
  }

  // Where signals can't be handled.

  private static final String DEBUG = "-Dorg.slf4j.simpleLogger.log.io.mapstream=debug";

  private static final String WITHOUT_SIGNALS =
      "--limit-modules=java.base,java.logging,java.management,java.naming,jdk.jfr";

  /**
   * The JVM's shutdown hook does the drain there. A hook that joined itself would be reported as
   * still running.
   */
  @Test
  void withoutTheModuleOfSignalsTheHookDrains() throws Exception {
    child.java(DEBUG, WITHOUT_SIGNALS).start("run with an idle pool");
    drain();
    child.assertEnd(0);
    assertTrue(child.err().contains("signals are left to the JVM"), child.err());
    assertFalse(child.err().contains("waits only for hooks"), child.err());
  }

  /** The JVM's own thread for the signal has a similar name. */
  @Test
  void withoutTheModuleOfSignalsOtherHooksAreAwaited() throws Exception {
    child.java(WITHOUT_SIGNALS).start("run with a hook").await(child.info()).signal("TERM");

    child.exitCode();
    assertEquals("hook ran\n", child.out());
  }

  @Test
  void reducedSignalsAreLeftToTheSystem() throws Exception {
    child.java(DEBUG, "-Xrs").start("run");
    child.await(child.info()).signal("TERM");

    assertEquals(143, child.exitCode());
    assertTrue(child.err().contains("SIGTERM is left to the JVM"), child.err());
  }

  @Test
  void aSignalHandlerOfOtherCodeStays() throws Exception {
    child.java(DEBUG).start("run with another's signal handler");
    Call call = child.open();
    child.signal("TERM");
    child.awaitOut("their handler");

    assertEquals(List.of("started", "echo"), call.send("1", "echo").answer("1").texts());
    assertTrue(child.err().contains("SIGTERM keeps its previous handler"), child.err());
  }

  @Test
  void theApplicationsOwnShutdownHookRuns() throws Exception {
    child.start("run with a hook");
    child.await(child.info()).signal("TERM");

    assertEquals(0, child.exitCode());
    assertEquals("hook ran\n", child.out());
  }

  @Test
  void aRecordingToAFileHasTheDrainedDatumAndItsStream() throws Exception {
    child
        .java(
            "-XX:StartFlightRecording=settings=none,+io.mapstream.Datum#enabled=true,"
                + "+io.mapstream.Stream#enabled=true,filename="
                + child.file("r.jfr"))
        .start("run");
    drain();
    assertEquals(0, child.exitCode(), child.err());

    List<String> events =
        RecordingFile.readAllEvents(child.file("r.jfr")).stream()
            .map(event -> event.getEventType().getName())
            .sorted()
            .toList();

    assertEquals(List.of("io.mapstream.Datum", "io.mapstream.Stream"), events);
  }

  @ParameterizedTest
  @ValueSource(strings = {"log4j2", "jul", "logback", "simple"})
  void everyLineOfAStopIsLogged(String binding) throws Exception {
    child.loggingBy(binding).start("run with a hook");
    drain("TERM", "; log", Status.Code.UNAVAILABLE);
    assertEquals(0, child.exitCode(), child.err());

    String all = child.out() + child.err();
    for (String line :
        List.of(
            "the handler goes on", "mapstream is stopping; waiting", "mapstream stopped after")) {
      assertTrue(all.contains(line), () -> line + " is not in " + all);
    }
  }

  /** The ERROR of a handler that fails in the drain, in the default configuration. */
  @ParameterizedTest
  @ValueSource(strings = {"log4j2", "jul", "logback", "simple"})
  void aFailureInTheDrainIsLogged(String binding) throws Exception {
    child.loggingBy(binding).start("run");
    drain("TERM", "; fail", Status.Code.INTERNAL);
    assertEquals(1, child.exitCode(), child.err());

    String all = child.out() + child.err();
    assertTrue(all.contains("the handler failed on datum \"1\"; the server stops"), all);
  }

  /** A process whose {@code main} has returned ends only if no other thread keeps it alive. */
  @Test
  void noThreadKeepsTheProcessAliveAfterClose() throws Exception {
    child.start("embedded");
    Call call = child.open().send("1", "ask");
    call.endsWith(Status.Code.UNAVAILABLE);

    assertEquals(1, call.received("1").eots());
    child.assertEnd(0);
    assertEquals("closed\n", child.out());
  }

  @Test
  void aHangingHandlerIsFoundByTheIdOfItsDatum() throws Exception {
    Path jcmd = ChildProcess.tool("jcmd");
    assumeTrue(Files.isExecutable(jcmd), "a JDK is needed");
    child.start("run");
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

  @Test
  void aKilledProcessLeavesItsSocketAndTheNextOneStarts() throws Exception {
    child.start("run");
    child.open();
    child.signal("KILL");
    child.exitCode();
    assertTrue(Files.exists(child.socket()));
    assertTrue(Files.exists(child.info()));

    MapStreamServer next =
        MapStreamServer.builder((keys, datum, sink) -> {})
            .socketPath(child.socket())
            .serverInfoFile(child.info())
            .build()
            .start();
    assertTrue(child.connect().readiness().isOk());
    next.close();
    assertFalse(Files.exists(child.socket()));
  }
}
