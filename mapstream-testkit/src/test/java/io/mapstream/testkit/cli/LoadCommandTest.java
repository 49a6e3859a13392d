package io.mapstream.testkit.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.testkit.MapStreamTestServer;
import io.mapstream.testkit.cli.Shell.Ran;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LoadCommandTest {

  private static final MapStreamer TWO =
      (keys, datum, sink) -> {
        sink.emit("ab".getBytes(UTF_8));
        sink.emit(Message.toDrop());
      };

  @TempDir Path folder;

  private static Ran load(MapStreamer handler, String... more) throws Exception {
    try (var server = MapStreamTestServer.start(handler)) {
      return load(server.socketPath(), more);
    }
  }

  private static Ran load(Path socket, String... more) {
    List<String> args = new ArrayList<>(List.of("load", "--socket", socket.toString()));
    args.addAll(List.of(more));
    if (Stream.of(more).noneMatch(arg -> arg.startsWith("--warmup="))) {
      args.add("--warmup=0s");
    }
    return Shell.run(args.toArray(String[]::new));
  }

  private static JsonObject json(Ran ran) {
    assertEquals(0, ran.code(), ran.err());
    return JsonParser.parseString(ran.out()).getAsJsonObject();
  }

  @Test
  void countsEveryRequestAndResult() throws Exception {
    JsonObject report = json(load(TWO, "--count=200", "--concurrency=10", "--json"));

    assertEquals(200, report.get("requests").getAsLong());
    assertEquals(400, report.get("results").getAsLong());
    assertEquals(400, report.get("resultBytes").getAsLong());
    assertEquals(200, report.get("drops").getAsLong());
    assertTrue(report.get("requestsPerSecond").getAsDouble() > 0);
    for (String latencies : List.of("firstResultMs", "endMs")) {
      assertEquals(
          Set.of("p50", "p90", "p99", "p99.9", "max"), report.getAsJsonObject(latencies).keySet());
    }
    long bySecond = 0;
    for (var count : report.getAsJsonArray("requestsBySecond")) {
      bySecond += count.getAsLong();
    }
    assertEquals(200, bySecond);
  }

  @Test
  void keepsTheRequestedNumberInFlight() throws Exception {
    var open = new AtomicInteger();
    var most = new AtomicInteger();
    var three = new CountDownLatch(3);
    MapStreamer handler =
        (keys, datum, sink) -> {
          most.accumulateAndGet(open.incrementAndGet(), Math::max);
          three.countDown();
          three.await(); // opens only if three run concurrently
          open.decrementAndGet();
        };

    Ran ran = load(handler, "--count=30", "--concurrency=3");

    assertEquals(0, ran.code(), ran.err());
    assertEquals(3, most.get());
  }

  @Test
  void latencyAtARateBeginsWhenTheRequestWasDue() throws Exception {
    // One at a time: requests that wait meanwhile are slow as well. A meter that began at the
    // handler's start would measure only one slow request.
    var turn = new java.util.concurrent.Semaphore(1);
    var first = new AtomicInteger();
    MapStreamer handler =
        (keys, datum, sink) -> {
          turn.acquire();
          try {
            if (first.getAndIncrement() == 0) {
              Thread.sleep(500); // the slow function that this test is about
            }
          } finally {
            turn.release();
          }
        };

    JsonObject report = json(load(handler, "--rate=100", "--count=20", "--json"));

    assertEquals(20, report.get("requests").getAsLong());
    // The last was due 190 ms after the first, so even it waited for 300 ms.
    assertTrue(report.getAsJsonObject("endMs").get("p50").getAsDouble() > 250, report.toString());
  }

  @Test
  void durationEndsTheLoad() throws Exception {
    JsonObject report = json(load(TWO, "--duration=200ms", "--rate=50", "--json"));

    assertEquals(10, report.get("requests").getAsLong());
  }

  /** The next request is due in hours. */
  @Test
  void durationEndsTheLoadBeforeTheNextRequestIsDue() throws Exception {
    JsonObject report = json(load(TWO, "--duration=200ms", "--rate=0.0001", "--json"));

    assertEquals(1, report.get("requests").getAsLong());
  }

  @Test
  void failureEndsTheLoadBeforeTheNextRequestIsDue() throws Exception {
    try (var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          throw new IllegalStateException("the first");
        })) {
      Ran ran = load(server.socketPath(), "--rate=0.0001", "--count=2");

      assertEquals(1, ran.code());
      assertTrue(ran.err().contains("the first"), ran.err());
      server.awaitFailure(Duration.ofSeconds(30));
    }
  }

  @Test
  void hangEndsTheLoadBeforeTheNextRequestIsDue() throws Exception {
    Ran ran =
        load(
            (keys, datum, sink) -> new CountDownLatch(1).await(),
            "--rate=0.0001",
            "--count=2",
            "--timeout=1s");

    assertEquals(1, ran.code());
    assertTrue(ran.err().contains("nothing arrived for 1 s, and 1 datum(s) have"), ran.err());
  }

  @Test
  void endOfTheStreamEndsTheLoadBeforeTheNextRequestIsDue() throws Exception {
    try (var server = new BrokenServer(folder.resolve("s"), BrokenServer.Fault.DRAINED)) {
      Ran ran = load(server.socketPath(), "--rate=0.0001", "--count=2");

      assertEquals(1, ran.code());
      assertTrue(ran.err().contains("ended before datum \"2\" could be sent"), ran.err());
    }
  }

  /** A draining server ends a stream that is not half-closed with UNAVAILABLE. */
  @Test
  void drainAfterTheLastEotIsNotAFailure() throws Exception {
    try (var server = new BrokenServer(folder.resolve("s"), BrokenServer.Fault.DRAINED)) {
      Ran ran = load(server.socketPath(), "--count=1");

      assertEquals(0, ran.code(), ran.err());
    }
  }

  @Test
  void warmUpIsNotMeasured() throws Exception {
    var handled = new AtomicInteger();
    JsonObject report =
        json(
            load(
                (keys, datum, sink) -> handled.incrementAndGet(),
                "--warmup=200ms",
                "--count=5",
                "--rate=50",
                "--json"));

    assertEquals(5, report.get("requests").getAsLong());
    assertEquals(15, handled.get());
  }

  @Test
  void valueIsPaddedToTheSize() throws Exception {
    Set<String> values = ConcurrentHashMap.newKeySet();
    MapStreamer handler = (keys, datum, sink) -> values.add(datum.text() + keys + datum.headers());

    json(load(handler, "--value=ab", "--size=4", "--count=1", "--key=k", "--header=n=v", "--json"));
    json(load(handler, "--size=3", "--count=1", "--json"));
    Path payload = Files.writeString(folder.resolve("payload"), "from a file\n");
    json(load(handler, "--payload=" + payload, "--count=1", "--json"));

    assertEquals(Set.of("ab  [k]{n=v}", "xxx[]{}", "from a file\n[]{}"), values);
  }

  @Test
  void summaryShowsTheLoadTheFiguresAndTheProcessorTime() throws Exception {
    Ran ran = load(TWO, "--count=50", "--pid=" + ProcessHandle.current().pid());

    assertEquals(0, ran.code(), ran.err());
    for (String expected :
        List.of(
            "100 in flight, values of 100 bytes",
            "requests",
            "50 drops",
            "p99.9",
            "to first result",
            "to the end",
            "cores,",
            "µs per result")) {
      assertTrue(ran.out().contains(expected), ran.out());
    }
    assertEquals("", ran.err(), "no progress without a terminal");
  }

  @Test
  void startsAClassAndMeasuresItsProcess() {
    Ran ran =
        Shell.run(
            "load",
            "--class=" + ServedFunction.class.getName(),
            "--count=20",
            "--warmup=0s",
            "--progress",
            "--json");

    JsonObject report = json(ran);
    assertTrue(report.has("serverCpuSeconds"), report.toString());
    assertEquals(ServedFunction.class.getName(), report.get("function").getAsString());
  }

  @Test
  void measurementsAreReportedAfterAFailureOfTheHandler() throws Exception {
    try (var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          if (datum.eventTime().getEpochSecond() > 0 && COUNT.incrementAndGet() == 10) {
            throw new IllegalStateException("the tenth");
          }
        })) {
      Ran ran =
          Shell.run(
              "load",
              "--warmup=0s",
              "--concurrency=1",
              "--count=100",
              "--socket=" + server.socketPath());

      assertEquals(1, ran.code());
      assertTrue(ran.out().contains("requests             9"), ran.out());
      assertTrue(ran.err().contains("the tenth"), ran.err());
      assertEquals(1, ran.err().lines().count(), ran.err());
      server.awaitFailure(Duration.ofSeconds(30));
    }
  }

  private static final AtomicInteger COUNT = new AtomicInteger();

  // The page.

  @Test
  void pageHasFiguresAndThreeChartsAndLoadsNothing() throws Exception {
    Path html = folder.resolve("load.html");

    Ran ran = load(TWO, "--count=300", "--html=" + html);

    assertEquals(0, ran.code(), ran.err());
    String page = Files.readString(html);
    assertFalse(page.matches("(?s).*(https?:|src=|href=|@import|url\\().*"), page);
    assertFalse(page.contains("NaN") || page.contains("Infinity"), page);
    assertTrue(page.contains("prefers-color-scheme: dark"), page);
    Document document = xml(page);
    assertEquals(3, document.getElementsByTagName("svg").getLength());
    assertEquals(4, paths(document).size(), "two latencies, requests and results");
    for (String path : paths(document)) {
      assertTrue(path.matches("M[-\\d.]+ [-\\d.]+( L[-\\d.]+ [-\\d.]+)*"), path);
    }
    String text = document.getDocumentElement().getTextContent();
    for (String unit :
        List.of("Latency in ms", "requests/s", "results/s", "seconds", "99.9", "of the requests")) {
      assertTrue(text.contains(unit), unit + " in " + text);
    }
  }

  @Test
  void pageOfAFunctionWithoutResultsHasNoCurveForThem() throws Exception {
    Path html = folder.resolve("load.html");

    Ran ran = load((keys, datum, sink) -> {}, "--count=3", "--html=" + html);

    assertEquals(0, ran.code(), ran.err());
    assertTrue(ran.out().contains("–"), ran.out());
    String page = Files.readString(html);
    assertFalse(page.contains("NaN") || page.contains("Infinity"), page);
    assertEquals(3, paths(xml(page)).size());
  }

  private static Document xml(String page) throws Exception {
    String body =
        page.substring(page.indexOf("<body>"), page.indexOf("</body>") + "</body>".length());
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(body)));
  }

  private static List<String> paths(Document document) {
    var nodes = document.getElementsByTagName("path");
    List<String> paths = new ArrayList<>();
    for (int i = 0; i < nodes.getLength(); i++) {
      paths.add(nodes.item(i).getAttributes().getNamedItem("d").getNodeValue());
    }
    return paths;
  }

  // Wrong input.

  static Stream<Arguments> optionsThatExcludeEachOther() {
    return Stream.of(
        arguments("--rate=1", "--concurrency=1"),
        arguments("--value=x", "--payload=/x"),
        arguments("--class=X", "--pid=1"),
        arguments("--value=abc", "--size=2"));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("optionsThatExcludeEachOther")
  void optionsThatExcludeEachOtherAreBothNamed(String one, String other) {
    Ran ran = Shell.run("load", one, other);

    assertEquals(2, ran.code(), ran.err());
    assertTrue(ran.err().contains(other.replaceAll("=.*", "")), ran.err());
    assertEquals(1, ran.err().lines().count(), ran.err());
  }
}
