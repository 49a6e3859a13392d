package io.mapstream.proto;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DurationsTest {

  @ParameterizedTest
  @CsvSource({
    "PT0S, 0 s",
    "PT30S, 30 s",
    "PT0.25S, 0.25 s",
    "PT1.5S, 1.5 s",
    "PT0.007S, 0.007 s",
    "PT10.01S, 10.01 s",
    "PT0.0004S, 0 s",
    "PT0.0005S, 0.001 s",
    "PT0.9996S, 1 s",
    "PT100S, 100 s",
    "PT2M, 120 s",
    "PT-1S, -1 s",
    "PT-0.001S, -0.001 s",
    "P2000000D, 172800000000 s"
  })
  void isWrittenInSeconds(Duration time, String text) {
    assertEquals(text, Durations.text(time));
  }
}
