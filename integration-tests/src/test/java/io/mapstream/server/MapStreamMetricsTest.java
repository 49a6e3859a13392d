package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.Message;
import io.mapstream.server.micrometer.MapStreamMetrics;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** What a registry shows of a server that has handled datums. */
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
    call.completes();
    server.server().close();
  }

  @AutoClose private final TestServer one = words();
  @AutoClose private final TestServer two = words();

  private static TestServer words() {
    return new TestServer()
        .with(options -> options.errorPolicy(ServerOptions.ErrorPolicy.FAIL))
        .build((keys, datum, sink) -> {
          if (datum.text().equals("fails")) {
            throw new IllegalStateException("no");
          }
          for (String word : datum.text().split(",", -1)) {
            sink.emit(Message.of(word));
          }
        });
  }

  @Test
  void prometheusScrapesWhatTheServerDid() throws Exception {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    new MapStreamMetrics(one.server()).bindTo(registry);
    one.start();
    drive(one, "a,b,c", "d", "fails");

    Map<String, Double> samples = scrape(registry);
    ServerMetrics metrics = one.metrics();

    assertEquals(
        List.of(
            "mapstream_answered_datums_total",
            "mapstream_datums_active_datums",
            "mapstream_datums_max_datums",
            "mapstream_datums_total",
            "mapstream_emit_blocked_seconds_total",
            "mapstream_emit_waiting_calls",
            "mapstream_failures_total{kind=\"admission_failed\"}",
            "mapstream_failures_total{kind=\"client_gone\"}",
            "mapstream_failures_total{kind=\"handler_answered_with_fail\"}",
            "mapstream_failures_total{kind=\"handler_emitted_late\"}",
            "mapstream_failures_total{kind=\"handler_late\"}",
            "mapstream_failures_total{kind=\"handler_stopped_server\"}",
            "mapstream_failures_total{kind=\"request_refused\"}",
            "mapstream_failures_total{kind=\"request_too_large\"}",
            "mapstream_failures_total{kind=\"write_failed\"}",
            "mapstream_handler_seconds_count",
            "mapstream_handler_seconds_sum",
            "mapstream_received_bytes_total",
            "mapstream_results_total",
            "mapstream_sent_bytes_total",
            "mapstream_starved_checks_total",
            "mapstream_streams_active_streams",
            "mapstream_streams_total"),
        List.copyOf(samples.keySet()));
    assertEquals(3, samples.get("mapstream_datums_total"));
    assertEquals(3, samples.get("mapstream_answered_datums_total"));
    assertEquals(0, samples.get("mapstream_datums_active_datums"));
    assertEquals(
        one.server().options().maxConcurrency(), samples.get("mapstream_datums_max_datums"));
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

  @Test
  void twoServersOfOneRegistryAreDistinguishedAndRemovedOneByOne() throws Exception {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    registry.config().commonTags("region", "r");
    MapStreamMetrics ofOne = tagged(one, "one");
    MapStreamMetrics ofTwo = tagged(two, "two");
    ofOne.bindTo(registry);
    ofTwo.bindTo(registry);
    one.start();
    drive(one, "a,b");
    two.start();
    drive(two, "c");

    String results = "mapstream_results_total{region=\"r\",server=\"%s\"}";
    assertEquals(2, scrape(registry).get(results.formatted("one")));
    assertEquals(1, scrape(registry).get(results.formatted("two")));
    assertTrue(
        scrape(registry).keySet().stream().allMatch(name -> name.contains("server=\"")),
        registry::scrape);

    int both = scrape(registry).size();
    ofOne.close();

    assertEquals(both / 2, scrape(registry).size());
    assertEquals(1, scrape(registry).get(results.formatted("two")));
    assertTrue(
        scrape(registry).keySet().stream().allMatch(name -> name.contains("server=\"two\"")),
        registry::scrape);

    ofTwo.close();
    assertEquals(Map.of(), scrape(registry));
  }

  @Test
  void aServerAfterAClosedOneIsShownUnderTheSameNames() throws Exception {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    one.start();
    try (MapStreamMetrics metrics = new MapStreamMetrics(one.server())) {
      metrics.bindTo(registry);
      drive(one, "a,b,c");
      assertEquals(3, scrape(registry).get("mapstream_results_total"));
    }
    new MapStreamMetrics(two.server()).bindTo(registry);
    two.start();
    drive(two, "d");

    assertEquals(1, scrape(registry).get("mapstream_results_total"));
  }

  @Test
  void metersOfTheSameNamesStayWithTheServerThatHasThem() throws Exception {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    MapStreamMetrics ofFirst = new MapStreamMetrics(one.server());
    MapStreamMetrics ofSecond = new MapStreamMetrics(two.server());
    ofFirst.bindTo(registry);
    int meters = registry.getMeters().size();
    ofSecond.bindTo(registry);
    ofFirst.bindTo(registry);
    one.start();
    drive(one, "a,b");

    ofSecond.close();

    assertEquals(meters, registry.getMeters().size());
    assertEquals(2, registry.get("mapstream.results").functionCounter().count());
    ofFirst.close();
    assertEquals(List.of(), registry.getMeters());
  }

  @Test
  void eachRegistryLosesItsMetersAndClosedMetricsAreNotBoundAgain() throws Exception {
    SimpleMeterRegistry first = new SimpleMeterRegistry();
    SimpleMeterRegistry second = new SimpleMeterRegistry();
    MapStreamMetrics metrics = new MapStreamMetrics(one.server());
    metrics.bindTo(first);
    metrics.bindTo(second);
    first.counter("another");

    metrics.close();
    metrics.close();

    assertEquals(
        List.of("another"), first.getMeters().stream().map(m -> m.getId().getName()).toList());
    assertEquals(List.of(), second.getMeters());
    assertThrows(IllegalStateException.class, () -> metrics.bindTo(first));
  }

  private static MapStreamMetrics tagged(TestServer server, String name) {
    return new MapStreamMetrics(server.server(), List.of(Tag.of("server", name)));
  }
}
