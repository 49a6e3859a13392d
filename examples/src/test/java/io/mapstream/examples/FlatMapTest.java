package io.mapstream.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Messages;
import io.mapstream.testkit.MapStreamTestServer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

class FlatMapTest {

  private static final Duration LIMIT = Duration.ofSeconds(30);

  @Test
  void theEnvironmentChoosesTheClassOrTheFunction() {
    assertInstanceOf(FlatMap.class, FlatMap.chosenBy("class"));
    assertFalse(FlatMap.chosenBy("func_handler") instanceof FlatMap);
    assertFalse(FlatMap.chosenBy(null) instanceof FlatMap, "unset also chooses the function");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "class|a,b,c|a;b;c",
        "class|one|one",
        "class|','|';'",
        "class|' a, b '|' a; b '",
        "func_handler|a,b,c|a;b;c",
        "func_handler|one|one",
        "func_handler|','|';'",
        "func_handler|' a, b '|' a; b '",
      })
  void partsArriveInOrder(String invoke, String text, String expected) throws Exception {
    Messages messages = map(FlatMap.chosenBy(invoke), text);

    assertEquals(List.of(expected.split(";", -1)), messages.texts());
    assertTrue(messages.stream().allMatch(message -> message.keys().isEmpty()));
  }

  @ParameterizedTest
  @NullSource
  @ValueSource(strings = "class")
  void anEmptyDatumIsDropped(String invoke) throws Exception {
    Messages messages = map(FlatMap.chosenBy(invoke), "");

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
