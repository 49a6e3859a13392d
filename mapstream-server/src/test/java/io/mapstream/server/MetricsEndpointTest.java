package io.mapstream.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import io.mapstream.MapStreamer;
import io.mapstream.server.hostile.Await;
import io.mapstream.server.micrometer.MapStreamMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** The example of docs/operating.md: a function with an endpoint that Prometheus scrapes. */
class MetricsEndpointTest {

  private static void serve(MapStreamServer.Builder builder, HttpServer http) throws Exception {
    var server = builder.build();
    var registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    new MapStreamMetrics(server).bindTo(registry);
    http.createContext(
        "/metrics",
        exchange -> {
          try (exchange) {
            byte[] page = registry.scrape().getBytes(UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "text/plain; version=0.0.4");
            exchange.sendResponseHeaders(200, page.length);
            exchange.getResponseBody().write(page);
          }
        });
    http.start();
    try {
      server.run();
    } finally {
      http.stop(0); // its thread would keep the process alive
    }
  }

  @Test
  void thePageShowsTheRunningServerAndEndsWithIt() throws Exception {
    var folder = TestServer.newFolder();
    MapStreamer handler =
        (keys, datum, sink) -> {
          throw new IllegalStateException("played");
        };
    var builder =
        MapStreamServer.builder(handler)
            .socketPath(folder.resolve("s"))
            .serverInfoFile(folder.resolve("info"));
    HttpServer http =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    URI page = URI.create("http://localhost:" + http.getAddress().getPort() + "/metrics");
    Future<Void> run = Waits.inBackground(() -> serve(builder, http));
    Await.until("the server info file", () -> Files.exists(folder.resolve("info")), () -> run);

    try (WireClient client = new WireClient(folder.resolve("s"))) {
      Call call = client.open().shakeHands();
      // Prometheus refuses a page without one.
      assertEquals("text/plain; version=0.0.4", page.toURL().openConnection().getContentType());
      assertTrue(read(page).contains("\nmapstream_streams_active_streams 1.0\n"), read(page));
      call.send("1", "").end();
    }

    assertThrows(AssertionError.class, () -> Waits.get(run));
    assertThrows(ConnectException.class, () -> read(page));
    TestServer.delete(folder);
  }

  private static String read(URI page) throws IOException {
    try (var in = page.toURL().openStream()) {
      return new String(in.readAllBytes(), UTF_8);
    }
  }
}
