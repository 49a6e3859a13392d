package io.mapstream.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpServer;
import io.mapstream.server.MapStreamServer;
import io.mapstream.server.MapStreamServerBuilder;
import io.mapstream.server.micrometer.MapStreamMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.net.InetSocketAddress;

/**
 * {@link FlatMap} with a page for Prometheus to scrape: {@code /metrics} on port {@code
 * METRICS_PORT}, by default 9464, served by the JDK's HTTP server.
 *
 * <p>Unlike the other examples, it needs {@code micrometer-registry-prometheus}. Its jars are in
 * {@code examples/target/function-lib-metered}, together with those that every function needs:
 *
 * <pre>
 * examples/starter/docker/assemble.sh --project examples --class io.mapstream.examples.Metered \
 *     --input examples/lines/FlatMap.txt --lib examples/target/function-lib-metered
 * </pre>
 */
public final class Metered {

  /** The default port. */
  static final String PORT = "9464";

  private Metered() {}

  /** Serves this function and the page until the process is stopped. */
  public static void main(String[] args) throws Exception {
    int port = Integer.parseInt(System.getenv().getOrDefault("METRICS_PORT", PORT));
    serve(
        MapStreamServer.builder(FlatMap::split), HttpServer.create(new InetSocketAddress(port), 0));
  }

  static void serve(MapStreamServerBuilder builder, HttpServer http) throws Exception {
    var server = builder.build();
    var registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    var metrics = new MapStreamMetrics(server);
    metrics.bindTo(registry);
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
      metrics.close(); // removes the meters of this server
    }
  }
}
