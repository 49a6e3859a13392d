package io.mapstream.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Messages;
import io.mapstream.testkit.MapStreamTestServer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class FlatMapTest {

  private static final Duration LIMIT = Duration.ofSeconds(30);

  static List<MapStreamer> bothWays() {
    return List.of(new FlatMap(), FlatMap::split);
  }

  @ParameterizedTest
  @MethodSource("bothWays")
  void partsArriveInOrder(MapStreamer function) throws Exception {
    assertEquals(List.of("a", "b", "c"), map(function, "a,b,c").texts());
    assertEquals(List.of("one"), map(function, "one").texts());
    assertEquals(List.of("", ""), map(function, ",").texts());
    assertEquals(List.of(" a", " b "), map(function, " a, b ").texts());
    assertEquals(List.of(), map(function, "a").getFirst().keys());
  }

  @ParameterizedTest
  @MethodSource("bothWays")
  void anEmptyDatumIsDropped(MapStreamer function) throws Exception {
    Messages messages = map(function, "");

    assertEquals(1, messages.size());
    assertTrue(messages.getFirst().isDrop());
  }

  private static Messages map(MapStreamer handler, String text) throws Exception {
    try (MapStreamTestServer server = MapStreamTestServer.start(handler)) {
      Datum datum =
          Datum.builder()
              .keys("k")
              .text(text)
              .eventTime(Instant.EPOCH)
              .watermark(Instant.EPOCH)
              .build();
      return server.client().send(datum).remaining(LIMIT);
    }
  }
}
