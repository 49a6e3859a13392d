package io.mapstream.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.mapstream.Datum;
import io.mapstream.Message;
import io.mapstream.testkit.MapStreamHarness;
import io.mapstream.testkit.MapStreamHarnessExtension;
import io.mapstream.testkit.TestDatum;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class EventTimeFilterTest {

  private static final Instant FROM = Instant.parse("2022-01-01T00:00:00Z");

  @RegisterExtension
  final MapStreamHarnessExtension harness =
      MapStreamHarnessExtension.of(new EventTimeFilter(FROM, Duration.ofHours(1)));

  @Test
  void eventsBeforeTheStartAreDropped() {
    assertEquals(List.of(Message.toDrop()), harness.process(at(FROM.minusNanos(1))));
  }

  @Test
  void laterEventsAreKeyedByTheirWindow() {
    assertEquals(
        List.of(Message.of("e").withKeys("2022-01-01T00:00:00Z")), harness.process(at(FROM)));
    assertEquals(
        List.of(Message.of("e").withKeys("2024-02-29T23:00:00Z")),
        harness.process(at(Instant.parse("2024-02-29T23:59:59.999999999Z"))));
  }

  @Test
  void eventsOlderThanTheWatermarkAreTaggedLate() {
    Instant watermark = FROM.plusSeconds(60);
    Datum late = at(FROM).toBuilder().watermark(watermark).build();
    Datum inTime = late.toBuilder().eventTime(watermark).build();

    assertEquals(List.of("late"), harness.process(late).getFirst().tags());
    assertEquals(List.of(), harness.process(inTime).getFirst().tags());
  }

  @Test
  void windowsBefore1970BeginBeforeTheirEvents() {
    var early = new EventTimeFilter(Instant.MIN, Duration.ofDays(1));
    try (var harness = MapStreamHarness.of(early)) {
      assertEquals(
          List.of("1969-07-20T00:00:00Z"),
          harness.process(at(Instant.parse("1969-07-20T20:17:40Z"))).getFirst().keys());
    }
  }

  @Test
  void aWindowWithoutLengthIsRefused() {
    var refused =
        assertThrows(
            IllegalArgumentException.class, () -> new EventTimeFilter(FROM, Duration.ofNanos(5)));

    assertEquals("window must be at least 1 ms but was PT0.000000005S", refused.getMessage());
  }

  private static Datum at(Instant eventTime) {
    return TestDatum.builder()
        .text("e")
        .keys("old")
        .eventTime(eventTime)
        .watermark(eventTime.minusSeconds(1))
        .build();
  }
}
