package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.mapstream.proto.Codec;
import io.mapstream.testkit.MapStreamClient;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a server in its own process logs at INFO. */
class ServerLogTest {

  @AutoClose private final ChildProcess child = new ChildProcess();

  private static final Pattern STARTED =
      Pattern.compile(
          "\\[main] INFO io.mapstream.server.MapStreamServer - mapstream \\d\\S+ serves"
              + " /\\S+/s.sock \\((epoll|jdk)\\), Java \\S+, gRPC \\d\\S+: messages up to 64 MiB,"
              + " at most 10000 datums and \\S+ MiB of requests in work, \\S+ MiB of results"
              + " waiting per stream, heap \\S+ MiB; error policy \\w+, grace 30 s(, .*)?; server"
              + " info in /\\S+/info");

  private static final Pattern STOPPED =
      Pattern.compile(
          "\\[mapstream-log] INFO io.mapstream.server.MapStreamServer - mapstream stopped after"
              + " \\S+ s: streams 1, datums \\d+, answered \\d+, results \\d+, in \\S+ .?i?B, out"
              + " \\S+ .?i?B, handlers \\S+ s, blocked in emit \\S+ s; .*");

  private static final String LOSS =
      "; older releases acknowledge the datum and forward an empty message. Set numaflowVersion"
          + " (MAPSTREAM_NUMAFLOW_VERSION) to the release in use";

  private void start() throws IOException {
    child.start("run");
    child.awaitErr(" serves "); // Otherwise, a line about the client could come first.
  }

  /** The lines of the server, each with the stack that follows it. */
  private List<String> log() {
    return List.of(child.err().strip().split("\n(?=\\[)", -1)).stream()
        .filter(line -> line.contains(" io.mapstream."))
        // A busy machine starves handlers, and JDK 21 can't give them more carriers.
        .filter(line -> !line.contains(" io.mapstream.server.Carriers "))
        .toList();
  }

  private static void matches(Pattern expected, String line) {
    assertTrue(expected.matcher(line).matches(), line);
  }

  @Test
  void anUneventfulRunLogsOneLineAtStartAndOneAtStop() throws Exception {
    start();
    Call call = child.open();
    for (int i = 0; i < 20; i++) {
      call.send("id" + i, "echo").answer("id" + i);
    }
    call.completes();
    child.stop();

    List<String> lines = log();
    assertEquals(2, lines.size(), child.err());
    matches(STARTED, lines.get(0));
    matches(STOPPED, lines.get(1));
    assertTrue(lines.get(1).contains("datums 20, answered 20, results 40,"), lines.get(1));
    assertTrue(lines.get(1).endsWith("no failures"), lines.get(1));
  }

  @Test
  void aFailureIsOneLineWithItsStack() throws Exception {
    child.env("MAPSTREAM_ERROR_POLICY", "FAIL");
    start();
    Call call = child.open();
    call.send("a", "fail").answer("a");
    child.awaitErr(ChildMain.class.getName() + ".handle"); // reported after the answer
    call.send("b", "echo").answer("b");
    call.completes();
    child.stop();

    List<String> lines = log();
    assertEquals(4, lines.size(), child.err());
    assertEquals(
        "[main] WARN io.mapstream.server.MapStreamServer - the error policy FAIL needs a Numaflow"
            + " release after 1.8.3"
            + LOSS,
        lines.get(1));
    String failure = lines.get(2);
    assertTrue(
        failure.startsWith(
            "[mapstream-a] WARN io.mapstream.server.Failures - the handler failed on datum"
                + " \"a\", answered with the fail mark\njava.lang.IllegalStateException: boom\n"
                + "\tat "),
        failure);
    assertTrue(lines.get(3).endsWith("failures: HANDLER_ANSWERED_WITH_FAIL 1"), lines.get(3));
  }

  @Test
  void eachMarkIsWarnedOfOnceWhereTheReleaseIsNotKnown() throws Exception {
    start();
    emitMarks();

    List<String> warnings = log().subList(1, log().size() - 1);
    assertEquals(
        List.of(
            "[mapstream-1] WARN io.mapstream.server.MapStreamServer - a handler emits the nack"
                + " mark, which needs Numaflow 1.8.2 or newer"
                + LOSS,
            "[mapstream-3] WARN io.mapstream.server.MapStreamServer - a handler emits the fail"
                + " mark, which needs a Numaflow release after 1.8.3"
                + LOSS),
        warnings);
  }

  @Test
  void noMarkIsWarnedOfWhereTheReleaseIsKnown() throws Exception {
    child.env("MAPSTREAM_NUMAFLOW_VERSION", "v1.8.4").env("MAPSTREAM_ERROR_POLICY", "FAIL");
    start();
    emitMarks();

    assertEquals(2, log().size(), child.err());
    assertTrue(log().get(0).contains(", for Numaflow 1.8.4;"), child.err());
  }

  private void emitMarks() throws Exception {
    Call call = child.open();
    call.send("1", "mark nack").answer("1");
    call.send("2", "mark nack").answer("2");
    call.send("3", "mark fail").answer("3");
    call.send("4", "mark fail").answer("4");
    call.completes();
    child.stop();
  }

  @Test
  void theDatumsIdIsInTheMdcOfItsThreadWhileItRuns() throws Exception {
    child
        .env("MAPSTREAM_DATUM_ID_IN_MDC", "true")
        .java("-Dslf4j.provider=" + MdcProvider.class.getName());
    start();
    Call call = child.open();
    call.send("a", "echo").answer("a");
    child.awaitOut("remove datumId=a"); // which follows the answer
    call.completes();
    child.stop();

    assertEquals(
        List.of("mapstream-a: put datumId=a", "mapstream-a: remove datumId=a"),
        child.out().lines().filter(line -> line.contains("datumId")).toList());
    matches(STARTED, log().get(0));
    assertTrue(log().get(0).contains(", datum id in the MDC;"), child.err());
  }

  @Test
  void handlersThatHangAreNamedWithTheirStack() throws Exception {
    child.env("MAPSTREAM_SLOW_HANDLER_SECONDS", "5");
    start();
    Call call = child.open();
    call.send("first", "echo").answer("first"); // loads the classes
    String gate = child.file("gate").toString();
    call.send("a", "wait " + gate).send("b", "wait " + gate).send("c", "echo").answer("c");
    child.awaitErr("\"a\"");
    child.awaitErr("\"b\"");
    Files.createFile(child.file("gate"));
    call.answer("a");
    call.answer("b");
    child.stop();

    List<String> warnings =
        log().stream()
            .filter(line -> line.startsWith("[mapstream-log] WARN") && line.contains("run for"))
            .toList();
    for (String warning : warnings) {
      assertTrue(warning.contains("run for more than 5 s"), warning);
      assertTrue(
          warning.contains("\n\tat io.mapstream.server.ChildMain.waitFor(ChildMain.java:"),
          warning);
    }
    String all = String.join("\n", warnings);
    assertEquals(1, all.split("\"a\"", -1).length - 1, all);
    assertEquals(1, all.split("\"b\"", -1).length - 1, all);
    assertFalse(all.contains("\"c\""), all);
  }

  /** The counts in the lines that report repetitions. */
  private static long counted(List<String> lines) {
    return lines.stream()
        .map(Pattern.compile(" - (\\d+) more in 10 s, the last: ")::matcher)
        .filter(Matcher::find)
        .mapToLong(count -> Long.parseLong(count.group(1)))
        .sum();
  }

  @Test
  void aFaultThatAClientRepeatsIsALineAndACount() throws Exception {
    int streams = 2_000;
    start();
    MapStreamClient client = child.connect();
    for (int i = 0; i < streams; i++) {
      Call.open(client).send(Codec.handshake()).endsWith(Status.Code.INVALID_ARGUMENT);
    }
    child.stop();

    List<String> refused =
        log().stream().filter(line -> line.contains("stream refused: ")).toList();
    assertEquals(streams - 1, counted(refused), child.err());
    assertTrue(refused.size() <= 10, child.err());
    assertTrue(child.err().contains("REQUEST_REFUSED " + streams), child.err());
  }

  /** How a client abuses 30,000 streams, one after the other. */
  enum Abuse {
    /** Opens it and resets it at once (CVE-2023-44487). */
    RAPID_RESET,
    /** Makes the server reset it, by a window update of zero (CVE-2025-8671). */
    MADE_YOU_RESET
  }

  @Tag("slow")
  @ParameterizedTest
  @EnumSource(Abuse.class)
  void abuseOfHttp2LogsFewLines(Abuse abuse) throws Exception {
    int streams = 30_000;
    start();
    child.await(child.info());
    int opened = 0;
    int connections = 0;
    while (opened < streams) {
      connections++;
      assertTrue(connections < 1_000, () -> "cut off too often: " + child);
      try (RawConnection connection = new RawConnection(child.socket())) {
        connection.hello();
        int stream = 1;
        for (; opened < streams && !connection.isCutOff(); opened++, stream += 2) {
          connection.open(stream);
          switch (abuse) {
            case RAPID_RESET -> connection.reset(stream);
            case MADE_YOU_RESET -> connection.openWindow(stream, 0);
          }
        }
      }
    }
    assertEquals(2, child.open().send("a", "echo").answer("a").results().size());
    child.stop();

    assertTrue(child.err().lines().count() < 100, child.err());
  }

  @Test
  void handlersThatFailAlikeLogFewLinesWithOneStack() throws Exception {
    int datums = 500;
    start();
    Call call = child.open();
    for (int i = 0; i < datums; i++) {
      call.send("id" + i, "wait " + child.file("gate") + "; missing-file");
    }
    for (int i = 0; i < datums; i++) {
      call.results("id" + i, 1);
    }
    Files.createFile(child.file("gate"));
    Status end = call.end();
    assertEquals(1, child.exitCode());

    assertEquals(
        "UDF_EXECUTION_ERROR(unknown-container): java.nio.file.NoSuchFileException: nofile",
        end.getDescription());
    String err = child.err();
    assertEquals(
        err.split("nofile", -1).length,
        err.split("NoSuchFileException: nofile", -1).length,
        "each with its class: " + err);
    // One in the log, one of the exception from main.
    assertEquals(
        2, err.split("\\n\tat io.mapstream.server.ChildMain.handle\\(", -1).length - 1, err);
    assertTrue(err.lines().count() < 60, err);
  }

  @Test
  void aMissingEventTimeIsTakenAsUnknownAndWarnedOfOnce() throws Exception {
    start();
    Call call = child.open();
    for (String id : List.of("a", "b")) {
      call.send(Requests.datum(id, Requests.body("echo").clearEventTime())).answer(id);
    }
    child.stop();

    List<String> warnings = log().stream().filter(line -> line.contains("event time")).toList();
    assertEquals(
        List.of(
            "[mapstream-log] WARN io.mapstream.server.MapStream - datum \"a\" has no event time;"
                + " it is treated as unknown (-1 ms), as in all further datums of this stream"),
        warnings);
  }

  @Test
  void aRequestAboveTheLimitIsOneWarning() throws Exception {
    child.env("MAPSTREAM_MAX_MESSAGE_SIZE", "1000");
    start();
    child.open().send("a", "x".repeat(1_000)).endsWith(Status.Code.RESOURCE_EXHAUSTED);
    child.open().send("b", "x".repeat(8 << 20)).endsWith(Status.Code.CANCELLED);
    child.stop();

    assertFalse(child.err().contains("\n\tat "), child.err());
    List<String> lines = log();
    assertEquals(4, lines.size(), child.err());
    assertTrue(child.err().contains("failures: REQUEST_TOO_LARGE 2"), child.err());
    String refused = "[mapstream-log] WARN io.mapstream.server.Failures - stream refused: ";
    assertTrue(
        lines
            .get(1)
            .matches(
                Pattern.quote(refused)
                    + "a request of 10\\d\\d bytes is above the limit of 1000 bytes"
                    + " \\(maxMessageSize\\), id \"a\""),
        lines.get(1));
    String count =
        lines.stream().filter(line -> line.contains(" 1 more in 10 s")).findFirst().orElse("");
    assertTrue(
        count.contains(
            ", the last: stream refused: a request is above the limit of 1000 bytes"
                + " (maxMessageSize): gRPC message exceeds maximum size"),
        child.err());
  }
}
