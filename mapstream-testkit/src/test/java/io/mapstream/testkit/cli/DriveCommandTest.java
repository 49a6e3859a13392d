package io.mapstream.testkit.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.NackOptions;
import io.mapstream.testkit.MapStreamTestServer;
import io.mapstream.testkit.cli.Shell.Ran;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DriveCommandTest {

  private static final MapStreamer WORDS =
      (keys, datum, sink) -> {
        for (String word : datum.text().split(",", -1)) {
          sink.emit(Message.of(word).withKeys(keys));
        }
      };

  /** Emits what the handler receives. */
  private static final MapStreamer SHOW =
      (keys, datum, sink) ->
          sink.emit(
              Message.of(
                  String.join(
                      "|",
                      keys.toString(),
                      datum.text(),
                      datum.headers().toString(),
                      datum.eventTime().toString(),
                      datum.watermark().toString())));

  @TempDir Path folder;

  private static Ran drive(MapStreamer handler, String input, String... more) throws Exception {
    try (var server = MapStreamTestServer.start(handler)) {
      List<String> args = new ArrayList<>(List.of("drive", "--socket", server.socketPath() + ""));
      args.addAll(List.of(more));
      return Shell.runWithInput(input, args.toArray(String[]::new));
    }
  }

  @Test
  void linesOfStandardInputAreDatums() throws Exception {
    Ran ran = drive(WORDS, "a,b\nc", "--in-flight", "1");

    assertEquals(List.of("1  a", "1  b", "2  c"), ran.lines());
    assertTrue(
        ran.err()
            .matches(
                "2 datum\\(s\\), 3 result\\(s\\) in [0-9.]+ s, [0-9,.]+ results/s;"
                    + " to the first result p50 [0-9,.]+ ms, p99 [0-9,.]+ ms\n"),
        ran.err());
    assertEquals(0, ran.code());
  }

  @Test
  void filesAreReadInOrder() throws Exception {
    Path first = Files.writeString(folder.resolve("first"), "a\r\n\n");
    Path second = Files.writeString(folder.resolve("second"), "b\n");

    Ran ran = drive(WORDS, "c\n", "--in-flight=1", "-q", first.toString(), "-", second.toString());

    assertEquals(List.of("1  a", "2  ", "3  c", "4  b"), ran.lines());
    assertEquals("", ran.err());
  }

  @Test
  void noResultOfManyLinesIsLost() throws Exception {
    List<String> expected = new ArrayList<>();
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 5000; i++) {
      lines.append(i).append(",x").append(i).append('\n');
      expected.addAll(List.of("" + i, "x" + i));
    }

    Ran ran = drive(WORDS, lines.toString(), "--output=value");

    assertEquals(expected.stream().sorted().toList(), ran.lines().stream().sorted().toList());
  }

  @Test
  void overlongLineIsNamed() throws Exception {
    Ran ran = drive(WORDS, "a\n" + "x".repeat(LineReader.LONGEST_LINE + 1), "--in-flight=1");

    assertEquals(2, ran.code());
    assertEquals(List.of("1  a"), ran.lines());
    assertTrue(
        ran.err().contains("line 2 of standard input is longer than 16777216 bytes"), ran.err());
  }

  @Test
  void inputThatCannotBeReadIsNamedAfterTheOthersAreAnswered() throws Exception {
    Path lines = Files.writeString(folder.resolve("lines"), "a\n");
    try (var server = MapStreamTestServer.start(WORDS)) {
      Ran ran =
          Shell.runWithInput(
              new PipedInputStream(),
              "drive",
              "-q",
              "--socket=" + server.socketPath(),
              lines.toString(),
              "-");

      assertEquals(2, ran.code());
      assertEquals(List.of("1  a"), ran.lines());
      assertEquals(
          "mapstream drive: standard input can't be read: java.io.IOException: Pipe not"
              + " connected\n",
          ran.err());
    }
  }

  @Test
  void errorOfTheReadingThreadEndsTheRun() throws Exception {
    var input =
        new FilterInputStream(InputStream.nullInputStream()) {
          @Override
          public int read(byte[] into, int from, int length) {
            throw new OutOfMemoryError("Java heap space");
          }
        };
    try (var server = MapStreamTestServer.start(WORDS)) {
      Ran ran = Shell.runWithInput(input, "drive", "--socket=" + server.socketPath());

      assertEquals(1, ran.code());
      assertTrue(ran.err().contains("java.lang.OutOfMemoryError: Java heap space"), ran.err());
    }
  }

  @ParameterizedTest
  @CsvSource({"No space left on device, 1", "Broken pipe, 0"})
  void lostOutputIsTheFailureThatIsReported(String reason, int code) throws Exception {
    var out =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException(reason);
          }
        };
    var input = new ByteArrayInputStream("a,b\n".repeat(20_000).getBytes(UTF_8));
    var err = new ByteArrayOutputStream();
    try (var server = MapStreamTestServer.start(WORDS)) {
      var terminal = new Terminal(input, out, new PrintStream(err, true, UTF_8), false);
      String socket = "--socket=" + server.socketPath();

      assertEquals(code, Main.run(terminal, new AtomicBoolean(), "drive", socket));

      String expected = "mapstream drive: can't write to standard output: " + reason + "\n";
      assertEquals(code == 0 ? "" : expected, err.toString(UTF_8));
    }
  }

  /** The timeout applies to the function, not to the reader of the output. */
  @Test
  void slowReaderOfTheOutputIsNotAFailure() throws Exception {
    var written = new ByteArrayOutputStream();
    var out =
        new PrintStream(written, true, UTF_8) {
          @Override
          public void write(byte[] bytes, int from, int length) {
            // The print ends at the same time as a wait.
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
            while (System.nanoTime() < end) {
              LockSupport.parkNanos(end - System.nanoTime());
            }
            super.write(bytes, from, length);
          }
        };
    try (var server = MapStreamTestServer.start(WORDS)) {
      Ran ran =
          Shell.runWith(
              new ByteArrayInputStream("a\n".getBytes(UTF_8)),
              out,
              written,
              "drive",
              "--timeout=5s",
              "--socket=" + server.socketPath());

      assertEquals(0, ran.code(), ran.err());
      assertEquals(List.of("1  a"), ran.lines());
    }
  }

  @Test
  void progressIsShownWhileItRuns() throws Exception {
    var errors = new LinkedBlockingQueue<String>();
    var err =
        new PrintStream(new ByteArrayOutputStream(), true, UTF_8) {
          @Override
          public void println(String line) {
            errors.add(line);
          }
        };
    try (var server = MapStreamTestServer.start(WORDS);
        var input = new PipedInputStream()) {
      var typed = new PipedOutputStream(input);
      var out = new PrintStream(new ByteArrayOutputStream(), true, UTF_8);
      var code =
          CompletableFuture.supplyAsync(() ->
              Main.run(
                  new Terminal(input, out, err, false),
                  new AtomicBoolean(),
                  "drive",
                  "--progress",
                  "--socket=" + server.socketPath()));
      typed.write("a,b\n".getBytes(UTF_8));
      typed.flush();

      String line = errors.poll(30, TimeUnit.SECONDS);
      while (line != null && line.contains(" 0 result(s)")) { // on a busy machine
        line = errors.poll(30, TimeUnit.SECONDS);
      }
      assertTrue(
          String.valueOf(line).matches("[0-9]+ s: [01] datum\\(s\\), [12] result\\(s\\)"), line);
      typed.close();
      assertEquals(0, code.get(30, TimeUnit.SECONDS));
    }
  }

  @Test
  void optionsSetTheFieldsOfADatum() throws Exception {
    Ran ran =
        drive(
            SHOW,
            "v\n",
            "--key=k1",
            "--key=k2",
            "--header=n=v",
            "--event-time=2026-01-02T00:00:00Z",
            "--watermark=2026-01-01T00:00:00Z",
            "--id-prefix=id-");

    assertEquals(
        List.of("id-1  [k1, k2]|v|{n=v}|2026-01-02T00:00:00Z|2026-01-01T00:00:00Z"), ran.lines());
  }

  @Test
  void jsonLinesSetTheFieldsOfADatum() throws Exception {
    String line =
        """
        {"id":"x","keys":["k"],"value":"ü","headers":{"n":"v"},"eventTime":"2026-01-02T00:00:00Z"}

        {"valueBase64":"YQ==","eventTime":"2026-01-02T00:00:00Z","watermark":"2026-01-01T00:00:00Z"}
        """;

    Ran ran = drive(SHOW, line, "--json", "--in-flight=1");

    assertEquals(
        List.of(
            "x  [k]|ü|{n=v}|2026-01-02T00:00:00Z|2026-01-02T00:00:00Z",
            "3  []|a|{}|2026-01-02T00:00:00Z|2026-01-01T00:00:00Z"),
        ran.lines());
  }

  @Test
  void jsonLinesSetTheTraceContext() throws Exception {
    MapStreamer show =
        (keys, datum, sink) -> sink.emit(Message.of(new TreeMap<>(datum.traceContext()) + ""));
    String line =
        """
        {"traceContext":{"traceparent":"00-1-2-01","tracestate":"vendor=1"}}
        {"traceContext":{}}
        """;

    Ran ran = drive(show, line, "--json", "--in-flight=1");

    assertEquals(List.of("1  {traceparent=00-1-2-01, tracestate=vendor=1}", "2  {}"), ran.lines());
  }

  private static final MapStreamer ALL_KINDS =
      (keys, datum, sink) -> {
        sink.emit(Message.of("a\tb\u001b").withKeys("k").withTags("t"));
        sink.emit(Message.of(new byte[] {(byte) 0xff}));
        sink.emit(Message.toDrop());
        sink.emit(Message.toNack(NackOptions.of("later")));
        sink.emit(Message.toFail());
      };

  @Test
  void textShowsMarksAndEscapesControlCharacters() throws Exception {
    Ran ran = drive(ALL_KINDS, "x\n");

    assertEquals("1  a\\tb\\u001b  keys=[k]  tags=[t]", ran.lines().get(0));
    assertEquals("1  base64:/w==", ran.lines().get(1));
    assertEquals("1  (drop)", ran.lines().get(2));
    assertTrue(ran.lines().get(3).startsWith("1  (nack)  "), ran.out());
    assertTrue(ran.lines().get(3).contains("later"), ran.out());
    assertEquals("1  (fail)", ran.lines().get(4));
  }

  @Test
  void jsonShowsAllFields() throws Exception {
    Ran ran = drive(ALL_KINDS, "x\n", "--output=json");

    assertEquals(
        List.of(
            "{\"id\":\"1\",\"index\":1,\"keys\":[\"k\"],\"tags\":[\"t\"],\"value\":\"a\\tb\\u001b\"}",
            "{\"id\":\"1\",\"index\":2,\"keys\":[],\"tags\":[],\"valueBase64\":\"/w==\"}",
            "{\"id\":\"1\",\"index\":3,\"keys\":[],\"tags\":[],\"mark\":\"drop\",\"value\":\"\"}",
            "{\"id\":\"1\",\"index\":4,\"keys\":[],\"tags\":[],\"mark\":\"nack\","
                + "\"nackOptions\":{\"reason\":\"later\"},\"value\":\"\"}",
            "{\"id\":\"1\",\"index\":5,\"keys\":[],\"tags\":[],\"mark\":\"fail\",\"value\":\"\"}"),
        ran.lines());
  }

  /** Emits what it receives; id, time, headers and system metadata are in the value. */
  private static final MapStreamer PASS_ON =
      (keys, datum, sink) -> {
        String seen =
            String.join(
                "|",
                datum.id(),
                datum.eventTime().toString(),
                datum.headers().toString(),
                datum.systemMetadata().text("s", "k").orElse(""));
        sink.emit(
            Message.of(seen)
                .withKeys(keys)
                .withTags("t")
                .withUserMetadata(datum.userMetadata().with("g", "n", datum.id())));
        sink.emit(Message.toDrop());
      };

  @Test
  void outputOfOneFunctionIsInputOfTheNext() throws Exception {
    String line =
        "{\"id\":\"7\",\"keys\":[\"k\"],\"headers\":{\"h\":\"v\"},"
            + "\"eventTime\":\"2026-01-01T00:00:00Z\","
            + "\"userMetadata\":{\"g\":{\"b\":{\"base64\":\"/w==\"}}},"
            + "\"systemMetadata\":{\"s\":{\"k\":\"x\"}}}";
    String first = drive(PASS_ON, line + "\n", "--json", "--output=json").out();

    Ran second = drive(PASS_ON, first, "--json", "--output=json");

    assertEquals(0, second.code(), second.err());
    assertEquals(
        "{\"id\":\"7-1\",\"index\":1,\"keys\":[\"k\"],\"tags\":[\"t\"],"
            + "\"value\":\"7-1|2026-01-01T00:00:00Z|{h=v}|x\","
            + "\"userMetadata\":{\"g\":{\"b\":{\"base64\":\"/w==\"},\"n\":\"7-1\"}},"
            + "\"headers\":{\"h\":\"v\"},\"eventTime\":\"2026-01-01T00:00:00Z\","
            + "\"systemMetadata\":{\"s\":{\"k\":\"x\"}}}",
        second.lines().getFirst());
    assertTrue(second.err().contains("1 line(s) with a mark were not sent"), second.err());
  }

  @Test
  void textShowsMetadataEscaped() throws Exception {
    String line = "{\"id\":\"7\",\"userMetadata\":{\"g\":{\"b\":\"a\\nb\"}}}\n";

    Ran ran = drive(PASS_ON, line, "--json", "--event-time=2026-01-01T00:00:00Z");

    assertEquals(
        "7  7|2026-01-01T00:00:00Z|{}|  tags=[t]  userMetadata={g={b=a\\nb, n=7}}",
        ran.lines().getFirst());
  }

  /** A draining server ends a stream that is not half-closed with UNAVAILABLE. */
  @Test
  void drainAfterTheLastEotIsNotAFailure() throws Exception {
    try (var server = new BrokenServer(folder.resolve("s"), BrokenServer.Fault.DRAINED)) {
      Ran ran = Shell.runWithInput("x\n", "drive", "--socket=" + server.socketPath());

      assertEquals(0, ran.code(), ran.err());
      assertEquals(List.of("1  "), ran.lines());
    }
  }

  @Test
  void valueOutputLeavesTheBytesUnchanged() throws Exception {
    Ran ran = drive(WORDS, "a\\,\tb\n", "--output", "value");

    assertEquals("a\\\n\tb\n", ran.out());
  }

  @Test
  void resultsArePrintedWhileTheInputIsStillOpen() throws Exception {
    var printed = new LinkedBlockingQueue<String>();
    var written = new ByteArrayOutputStream();
    var out =
        new PrintStream(written, true, UTF_8) {
          @Override
          public void write(byte[] bytes, int from, int length) {
            printed.add(new String(bytes, from, length, UTF_8));
          }
        };
    try (var server = MapStreamTestServer.start(WORDS);
        var input = new PipedInputStream()) {
      var typed = new PipedOutputStream(input);
      var ran =
          CompletableFuture.supplyAsync(
              () -> Shell.runWith(input, out, written, "drive", "--socket=" + server.socketPath()));

      typed.write("a,b\n".getBytes(UTF_8));
      typed.flush();

      assertEquals("1  a\n", printed.poll(30, TimeUnit.SECONDS));
      assertEquals("1  b\n", printed.poll(30, TimeUnit.SECONDS));
      typed.close();
      assertEquals(0, ran.get(30, TimeUnit.SECONDS).code());
    }
  }

  @Test
  void failureOfTheHandlerEndsTheRunWhileTheInputIsStillOpen() throws Exception {
    try (var server =
            MapStreamTestServer.start((keys, datum, sink) -> {
              throw new IllegalStateException("no such word: " + datum.text());
            });
        var input = new PipedInputStream();
        var typed = new PipedOutputStream(input)) {
      typed.write("x\n".getBytes(UTF_8));
      typed.flush();

      Ran ran = Shell.runWithInput(input, "drive", "--socket=" + server.socketPath());

      assertEquals(1, ran.code());
      assertTrue(ran.err().contains("INTERNAL"), ran.err());
      assertTrue(ran.err().contains("no such word: x"), ran.err());
      assertEquals(1, ran.err().lines().count(), ran.err());
      server.awaitFailure(Duration.ofSeconds(30));
    }
  }

  @Test
  void verboseShowsTheStackOfTheHandler() throws Exception {
    try (var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          throw new IllegalStateException("boom");
        })) {
      Ran ran = Shell.runWithInput("x\n", "drive", "--verbose", "--socket=" + server.socketPath());

      assertEquals(1, ran.code());
      assertTrue(ran.err().contains("the function reported:"), ran.err());
      assertTrue(ran.err().contains("at io.mapstream.testkit.cli.DriveCommandTest"), ran.err());
      server.awaitFailure(Duration.ofSeconds(30));
    }
  }

  @Test
  void startsAClassAndEndsIt() {
    Ran ran =
        Shell.runWithInput(
            "a,b\n", "drive", "--class", ServedFunction.class.getName(), "--in-flight=1");

    assertEquals(List.of("1  a", "1  b"), ran.lines());
    assertEquals(0, ran.code(), ran.err());
    assertTrue(ran.err().contains("a line of the function's own"), ran.err());
    assertFalse(
        ProcessHandle.current()
            .children()
            .anyMatch(child -> child.info().commandLine().orElse("").contains("ServedFunction")));
  }

  @Test
  void classThatEndsAtOnceIsReportedAtOnce() {
    Ran ran = Shell.run("drive", "--class", NoFunction.class.getName());

    assertEquals(1, ran.code());
    assertTrue(
        ran.err()
            .contains(NoFunction.class.getName() + " ended with exit code 3 before it was ready"),
        ran.err());
  }

  @Test
  void classThatCannotBeStartedLeavesNoFolder() throws Exception {
    String usual = System.setProperty("java.io.tmpdir", folder.toString());
    try {
      Ran ran = Shell.run("drive", "--class=a\0b");

      assertEquals(1, ran.code());
      assertTrue(ran.err().contains("invalid null character"), ran.err());
    } finally {
      System.setProperty("java.io.tmpdir", usual);
    }
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(List.of(), left.toList());
    }
  }

  @Test
  void functionThatServesNothingTimesOut() {
    Ran ran = Shell.run("drive", "--class", SilentFunction.class.getName(), "--timeout=100ms");

    assertEquals(1, ran.code());
    assertTrue(
        ran.err().contains("mapstream drive: waited 0.1 s for the server info file "), ran.err());
  }

  static Stream<Arguments> wrongLines() {
    return Stream.of(
        arguments("{", "line 2 of standard input: not JSON"),
        arguments("{} {}", "not JSON: malformed"),
        arguments("\uFEFF", "not JSON: it is empty"),
        arguments("{'value':'x'}", "not JSON"),
        arguments("[]", "must be an object but is []"),
        arguments("[".repeat(100_000), "not JSON"),
        arguments("{\"valeu\":\"x\"}", "unknown member \"valeu\""),
        arguments("{\"value\":7}", "value must be a string but is 7"),
        arguments("{\"value\":\"a\",\"valueBase64\":\"\"}", "can't be combined"),
        arguments("{\"valueBase64\":\"%\"}", "valueBase64 is not base64"),
        arguments("{\"keys\":\"k\"}", "keys must be an array of strings but is \"k\""),
        arguments("{\"keys\":[null]}", "each of keys must be a string but is null"),
        arguments("{\"headers\":[]}", "headers must be an object but is []"),
        arguments("{\"headers\":{\"n\":1}}", "headers.n must be a string but is 1"),
        arguments("{\"traceContext\":\"x\"}", "traceContext must be an object"),
        arguments("{\"traceContext\":{\"b3\":\"0\"}}", "traceContext has \"b3\""),
        arguments("{\"eventTime\":\"noon\"}", "eventTime must be an instant"),
        arguments("{\"watermark\":\"noon\"}", "but is \"noon\""),
        arguments("{\"userMetadata\":[]}", "userMetadata must be an object but is []"),
        arguments("{\"systemMetadata\":{\"s\":1}}", "systemMetadata.s must be an object"),
        arguments("{\"userMetadata\":{\"g\":{\"k\":1}}}", "userMetadata.g.k must be a string or"),
        arguments("{\"userMetadata\":{\"g\":{\"k\":{\"base64\":\"%\"}}}}", "g.k is not base64"),
        arguments("{\"mark\":\"ack\"}", "mark must be drop, nack or fail but is \"ack\""),
        arguments("{\"nackOptions\":{}}", "nackOptions needs the mark nack"),
        arguments("{\"mark\":\"drop\",\"nackOptions\":{}}", "nackOptions needs the mark nack"),
        arguments("{\"index\":0}", "index must be a number of at least 1 but is 0"),
        arguments("{\"tags\":\"t\"}", "tags must be an array of strings"),
        arguments("{\"id\":\"\"}", "id must not be empty"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("wrongLines")
  void lineThatCannotBeReadIsNamedAfterTheOthersAreAnswered(String line, String expected)
      throws Exception {
    Ran ran = drive(WORDS, "{\"value\":\"a\"}\n" + line + "\n", "--json");

    assertEquals(2, ran.code());
    assertEquals(List.of("1  a"), ran.lines());
    assertTrue(ran.err().contains(expected), ran.err());
    assertEquals(1, ran.err().lines().count(), ran.err());
  }

  @Test
  void missingServerIsReportedWithItsSocket() {
    Path socket = folder.resolve("none.sock");

    Ran ran = Shell.run("drive", "--socket=" + socket, "--timeout=50ms");

    assertEquals(1, ran.code());
    assertTrue(ran.err().contains(socket.toString()), ran.err());
    assertEquals(1, ran.err().lines().count(), ran.err());
  }

  @Test
  void missingServerInfoIsReportedWithItsPath() throws Exception {
    Ran ran = drive(WORDS, "", "--server-info=/none/info", "--timeout=50ms");

    assertEquals(1, ran.code());
    assertTrue(ran.err().contains("/none/info"), ran.err());
  }

  @Test
  void handlerThatDoesNotAnswerIsReportedAfterTheTimeout() throws Exception {
    Ran ran = drive((keys, datum, sink) -> new CountDownLatch(1).await(), "x\n", "--timeout=5s");

    assertEquals(1, ran.code());
    assertTrue(
        ran.err().contains("nothing arrived for 5 s, and 1 datum(s) have no EOT"), ran.err());
  }

  @Test
  void handlerThatDoesNotAnswerIsReportedWhileTheInputIsStillOpen() throws Exception {
    try (var server =
            MapStreamTestServer.start((keys, datum, sink) -> new CountDownLatch(1).await());
        var input = new PipedInputStream();
        var typed = new PipedOutputStream(input)) {
      typed.write("x\n".getBytes(UTF_8));
      typed.flush();

      Ran ran =
          Shell.runWithInput(input, "drive", "--timeout=1s", "--socket=" + server.socketPath());

      assertEquals(1, ran.code());
      assertTrue(ran.err().contains("nothing arrived for 1 s, and 1 datum(s) have"), ran.err());
    }
  }

  /** If both were open, the second one would be answered while the first one waits for it. */
  @Test
  void resultsOfARepeatedIdBelongToTheirOwnLine() throws Exception {
    var called = new AtomicInteger();
    var second = new CountDownLatch(1);
    MapStreamer handler =
        (keys, datum, sink) -> {
          if (called.incrementAndGet() == 1) {
            second.await(1, TimeUnit.SECONDS);
          }
          sink.emit(datum.text());
          second.countDown();
        };
    String lines =
        """
        {"id":"x","value":"a","headers":{"h":"1"}}
        {"id":"x","value":"b","headers":{"h":"2"}}
        """;

    Ran ran = drive(handler, lines, "--json", "--output=json");

    assertEquals(
        List.of(
            "{\"id\":\"x\",\"index\":1,\"keys\":[],\"tags\":[],\"value\":\"a\",\"headers\":{\"h\":\"1\"}}",
            "{\"id\":\"x\",\"index\":1,\"keys\":[],\"tags\":[],\"value\":\"b\",\"headers\":{\"h\":\"2\"}}"),
        ran.lines());
  }

  @Test
  void interruptEndsTheRun() throws Exception {
    try (var server = MapStreamTestServer.start(WORDS);
        var input = new PipedInputStream(new PipedOutputStream())) {
      Thread.currentThread().interrupt();

      Ran ran = Shell.runWithInput(input, "drive", "--socket=" + server.socketPath());

      assertEquals(130, ran.code());
      assertTrue(ran.err().contains("interrupted"), ran.err());
    }
  }
}
