package io.mapstream.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.Datum;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Tests the defaults of a test's datum. */
class TestDatumTest {

  @Test
  void timesAreConstantsAndNotLate() {
    Datum datum = TestDatum.of("a");

    assertEquals(Instant.parse("2026-01-01T00:00:10Z"), datum.eventTime());
    assertEquals(Instant.parse("2026-01-01T00:00:00Z"), datum.watermark());
    assertTrue(datum.watermark().isBefore(datum.eventTime()));
  }

  @Test
  void textAndBytesAreTheValue() {
    assertEquals("ä", TestDatum.of("ä").text());
    assertArrayEquals(new byte[] {1}, TestDatum.of(new byte[] {1}).value());
    assertEquals(TestDatum.of(new byte[0]), TestDatum.of((String) null));
    assertEquals(TestDatum.of(new byte[0]), TestDatum.of((byte[]) null));
  }

  @Test
  void fieldsThatAreNotSetHaveDefaults() {
    Datum datum = TestDatum.builder().keys("k").eventTime(Instant.EPOCH).build();

    assertEquals(List.of("k"), datum.keys());
    assertEquals(Instant.EPOCH, datum.eventTime());
    assertEquals(TestDatum.WATERMARK, datum.watermark());
  }
}
