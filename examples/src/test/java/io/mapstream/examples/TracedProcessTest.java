package io.mapstream.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.mapstream.testkit.TestDatum;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Tests where the example's spans go, as a process with the settings of docs/tracing.md. */
@DisabledOnOs(OS.WINDOWS)
class TracedProcessTest {

  private static final Duration LIMIT = Duration.ofSeconds(60);

  private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
  private static final String PLATFORM_SPAN = "00f067aa0ba902b7";

  /** The requests that the collector has received, in hex. */
  private final BlockingQueue<String> exported = new LinkedBlockingQueue<>();

  private HttpServer collector;

  @BeforeEach
  void startCollector() throws IOException {
    collector = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    collector.createContext("/v1/traces", this::collect);
    collector.start();
  }

  @AfterEach
  void stopCollector() {
    collector.stop(0);
  }

  private void collect(HttpExchange exchange) throws IOException {
    try (exchange) {
      exported.add(HexFormat.of().formatHex(exchange.getRequestBody().readAllBytes()));
      exchange.getResponseHeaders().set("Content-Type", "application/x-protobuf");
      exchange.sendResponseHeaders(200, -1);
    }
  }

  @Test
  void spansAreLoggedByDefault() throws Exception {
    String log = serveOneDatum(Map.of());

    String shown = "'handle datum' : " + TRACE;
    assertTrue(log.contains(shown), log);
    assertTrue(exported.isEmpty());
  }

  @Test
  void spansReachACollectorBeforeTheProcessEnds() throws Exception {
    String endpoint = "http://127.0.0.1:" + collector.getAddress().getPort();
    String log =
        serveOneDatum(
            Map.of(
                "OTEL_TRACES_EXPORTER", "otlp",
                "OTEL_EXPORTER_OTLP_ENDPOINT", endpoint,
                // Only the end of the process can send the span.
                "OTEL_BSP_SCHEDULE_DELAY", "3600000"));

    String span = exported.poll();
    assertTrue(span != null, log);
    assertTrue(span.contains(TRACE), span);
    assertTrue(span.contains(PLATFORM_SPAN), span);
    assertTrue(span.contains(HexFormat.of().formatHex("handle datum".getBytes(UTF_8))), span);
  }

  /** Starts the example, sends it a traced datum, ends it with SIGTERM, and returns its log. */
  private String serveOneDatum(Map<String, String> settings) throws Exception {
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            Traced.class.getName());
    try (FunctionProcess process = FunctionProcess.start(command, settings)) {
      try (var client = process.connect()) {
        String traceparent = "00-" + TRACE + "-" + PLATFORM_SPAN + "-01";
        var datum = TestDatum.builder().text("a").traceContext(Map.of("traceparent", traceparent));
        String answer = client.send(datum.build()).remaining(LIMIT).texts().getFirst();
        assertTrue(answer.startsWith("a  00-" + TRACE + "-"), answer);
        client.stream().complete(LIMIT);
      }
      return process.end();
    }
  }
}
