package io.mapstream.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import io.mapstream.MapStreamer;
import io.mapstream.server.MapStreamServer;
import io.mapstream.server.MapStreamServerBuilder;
import io.mapstream.testkit.MapStreamClient;
import io.mapstream.testkit.TestDatum;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class MeteredTest {

  private static final Duration LIMIT = Duration.ofSeconds(30);

  /** Returns the page of a server that has answered a datum and still has a client. */
  static String scrape(Path folder) throws Exception {
    MapStreamer handler =
        (keys, datum, sink) -> {
          if (datum.text().equals("stop")) {
            throw new IllegalStateException("requested by the test");
          }
          FlatMap.split(keys, datum, sink);
        };
    Path socket = folder.resolve("s");
    HttpServer http =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    URI page = URI.create("http://localhost:" + http.getAddress().getPort() + "/metrics");
    MapStreamServerBuilder builder =
        MapStreamServer.builder(handler).socketPath(socket).serverInfoFile(folder.resolve("info"));
    FutureTask<Void> serving =
        new FutureTask<>(() -> {
          Metered.serve(builder, http);
          return null;
        });
    Thread.ofVirtual().start(serving);

    String shown;
    try (MapStreamClient client = MapStreamClient.connect(socket)) {
      client.send(TestDatum.of("a,b,c")).remaining(LIMIT);
      // Prometheus refuses a page without a content type.
      assertEquals("text/plain; version=0.0.4", page.toURL().openConnection().getContentType());
      shown = read(page);
      client.send(TestDatum.of("stop"));
      ExecutionException end =
          assertThrows(
              ExecutionException.class, () -> serving.get(LIMIT.toSeconds(), TimeUnit.SECONDS));
      assertInstanceOf(ExecutionException.class, end.getCause());
    }
    assertThrows(ConnectException.class, () -> read(page));
    return shown;
  }

  private static String read(URI page) throws IOException {
    try (var in = page.toURL().openStream()) {
      return new String(in.readAllBytes(), UTF_8);
    }
  }

  @Test
  void thePageShowsTheRunningServerAndEndsWithIt() throws Exception {
    Path folder = Files.createTempDirectory("m");
    try {
      String shown = scrape(folder);

      assertTrue(shown.contains("\nmapstream_results_total 3.0\n"), shown);
      assertTrue(shown.contains("\nmapstream_streams_active_streams 1.0\n"), shown);
    } finally {
      Files.delete(folder);
    }
  }
}
