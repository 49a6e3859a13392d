package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.mapstream.Message;
import io.mapstream.server.micrometer.MapStreamMetrics;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** What a registry shows of a server that was driven. */
class MapStreamMetricsTest {

  /** The samples of a scrape: name and tags, value. */
  private static Map<String, Double> scrape(PrometheusMeterRegistry registry) {
    Map<String, Double> samples = new TreeMap<>();
    for (String line : registry.scrape().lines().toList()) {
      if (!line.startsWith("#")) {
        int space = line.lastIndexOf(' ');
        samples.put(line.substring(0, space), Double.valueOf(line.substring(space + 1)));
      }
    }
    return samples;
  }

  private static void drive(TestServer server, String... texts) throws Exception {
    Call call = server.open();
    for (int i = 0; i < texts.length; i++) {
      call.send("id" + i, texts[i]);
    }
    for (int i = 0; i < texts.length; i++) {
      call.answer("id" + i);
    }
    call.halfClose();
    call.endsWith(Status.Code.OK);
    server.server().close();
  }

  private static TestServer words() throws Exception {
    return TestServer.unstarted(
        (keys, datum, sink) -> {
          if (datum.text().equals("fails")) {
            throw new IllegalStateException("played");
          }
          for (String word : datum.text().split(",", -1)) {
            sink.emit(Message.of(word));
          }
        },
        options -> options.errorPolicy(ServerOptions.ErrorPolicy.FAIL));
  }

  @Test
  void prometheusScrapesWhatTheServerDid() throws Exception {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    try (TestServer server = words()) {
      new MapStreamMetrics(server.server()).bindTo(registry);
      server.server().start();
      drive(server, "a,b,c", "d", "fails");

      Map<String, Double> samples = scrape(registry);
      ServerMetrics metrics = server.server().metrics();

      assertEquals(
          List.of(
              "mapstream_answered_datums_total",
              "mapstream_datums_active_datums",
              "mapstream_datums_total",
              "mapstream_emit_blocked_seconds_total",
              "mapstream_emit_waiting_calls",
              "mapstream_failures_total{kind=\"admission_failed\"}",
              "mapstream_failures_total{kind=\"client_gone\"}",
              "mapstream_failures_total{kind=\"handler_answered_with_fail\"}",
              "mapstream_failures_total{kind=\"handler_late\"}",
              "mapstream_failures_total{kind=\"handler_stopped_server\"}",
              "mapstream_failures_total{kind=\"request_refused\"}",
              "mapstream_failures_total{kind=\"write_failed\"}",
              "mapstream_handler_seconds_count",
              "mapstream_handler_seconds_sum",
              "mapstream_received_bytes_total",
              "mapstream_results_total",
              "mapstream_sent_bytes_total",
              "mapstream_streams_active_streams",
              "mapstream_streams_total"),
          List.copyOf(samples.keySet()));
      assertEquals(3, samples.get("mapstream_datums_total"));
      assertEquals(3, samples.get("mapstream_answered_datums_total"));
      assertEquals(0, samples.get("mapstream_datums_active_datums"));
      assertEquals(5, samples.get("mapstream_results_total"));
      assertEquals((double) metrics.requestBytes(), samples.get("mapstream_received_bytes_total"));
      assertEquals((double) metrics.resultBytes(), samples.get("mapstream_sent_bytes_total"));
      assertEquals(1, samples.get("mapstream_streams_total"));
      assertEquals(0, samples.get("mapstream_streams_active_streams"));
      assertEquals(3, samples.get("mapstream_handler_seconds_count"));
      assertEquals(
          metrics.handlerTime().toNanos() / 1e9, samples.get("mapstream_handler_seconds_sum"));
      assertEquals(0, samples.get("mapstream_emit_blocked_seconds_total"));
      assertEquals(0, samples.get("mapstream_emit_waiting_calls"));
      assertEquals(1, samples.get("mapstream_failures_total{kind=\"handler_answered_with_fail\"}"));
      assertEquals(0, samples.get("mapstream_failures_total{kind=\"client_gone\"}"));
    }
  }

  @Test
  void tagsTellServersOfOneProcessApart() throws Exception {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    try (TestServer one = words();
        TestServer two = words()) {
      new MapStreamMetrics(one.server(), List.of(Tag.of("server", "one"))).bindTo(registry);
      new MapStreamMetrics(two.server(), List.of(Tag.of("server", "two"))).bindTo(registry);
      one.server().start();
      drive(one, "a,b");
      two.server().start();
      drive(two, "c");

      assertEquals(2, count(registry, "one"));
      assertEquals(1, count(registry, "two"));
      assertTrue(
          registry.getMeters().stream().allMatch(meter -> meter.getId().getTag("server") != null),
          () -> registry.getMetersAsString());
    }
  }

  private static double count(SimpleMeterRegistry registry, String server) {
    return registry.get("mapstream.results").tag("server", server).functionCounter().count();
  }
}
