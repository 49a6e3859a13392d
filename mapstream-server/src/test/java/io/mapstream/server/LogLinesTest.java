package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * How numbers and totals appear in the log; {@code ServerLogTest} checks the lines of a real
 * server.
 */
class LogLinesTest {

  @ParameterizedTest
  @CsvSource({
    "0, 0 B",
    "1023, 1023 B",
    "1024, 1 KiB",
    "1536, 1.5 KiB",
    "102400, 100 KiB",
    "67108864, 64 MiB",
    "68000000, 64.8 MiB"
  })
  void bytesAreRoundedToAReadableUnit(long bytes, String shown) {
    assertEquals(shown, LogLines.bytes(bytes));
  }

  @ParameterizedTest
  @CsvSource({
    "PT0S, 0 s",
    "PT30S, 30 s",
    "PT0.0015S, 0.002 s",
    "PT1H, 3600 s",
    "PT2.5S, 2.5 s",
    "PT10.01S, 10.01 s",
    "PT2562047788015215H30M7S, 9223372036854775807 s"
  })
  void timesAreInSeconds(Duration time, String shown) {
    assertEquals(shown, LogLines.seconds(time));
  }

  @Test
  void totalsNameTheKindsOfFailureThatOccurred() {
    ServerMetrics.Values values = new ServerMetrics.Values();
    values.failures =
        Map.of(FailureKind.CLIENT_GONE, 1L, FailureKind.HANDLER_ANSWERED_WITH_FAIL, 2L);
    ServerMetrics metrics = new ServerMetrics(values);

    assertEquals(
        "failures: HANDLER_ANSWERED_WITH_FAIL 2, CLIENT_GONE 1", LogLines.failures(metrics));
  }
}
