package io.mapstream;

import static io.mapstream.Refusal.assertRefused;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DatumTest {

  private static final Instant EVENT_TIME = Instant.ofEpochSecond(1662998400);
  private static final Instant WATERMARK = Instant.ofEpochSecond(1662998460);
  private static final Metadata USER = Metadata.empty().with("g", "k", "user");
  private static final Metadata SYSTEM = Metadata.empty().with("g", "k", "system");

  @Test
  void fieldsComeBackAsGiven() {
    byte[] value = "test_mock_message".getBytes(UTF_8);
    Datum datum =
        Datum.of(List.of("test_key"), value, EVENT_TIME, WATERMARK, Map.of("h", "v"), USER, SYSTEM);

    assertEquals(List.of("test_key"), datum.keys());
    assertSame(value, datum.value());
    assertEquals("test_mock_message", datum.text());
    assertEquals(EVENT_TIME, datum.eventTime());
    assertEquals(WATERMARK, datum.watermark());
    assertEquals(Map.of("h", "v"), datum.headers());
    assertEquals(USER, datum.userMetadata());
    assertEquals(SYSTEM, datum.systemMetadata());
  }

  @Test
  void absentKeysValueHeadersAndMetadataAreEmpty() {
    Datum datum = Datum.of(null, null, EVENT_TIME, WATERMARK, null, null, null);

    assertEquals(List.of(), datum.keys());
    assertArrayEquals(new byte[0], datum.value());
    assertEquals("", datum.text());
    assertEquals(Map.of(), datum.headers());
    assertSame(Metadata.empty(), datum.userMetadata());
    assertSame(Metadata.empty(), datum.systemMetadata());
    assertEquals(datum, Datum.of(null, null, EVENT_TIME, WATERMARK, null));
  }

  @Test
  void nullEventTimeIsRefusedByName() {
    assertRefused(
        "Datum.eventTime is required but was null",
        () -> Datum.of(List.of(), new byte[0], null, WATERMARK, Map.of()));
  }

  @Test
  void nullWatermarkIsRefusedByName() {
    assertRefused(
        "Datum.watermark is required but was null",
        () -> Datum.of(List.of(), new byte[0], EVENT_TIME, null, Map.of()));
  }

  @Test
  void builderWithoutTimesIsRefusedByName() {
    assertRefused("Datum.eventTime is required but was null", () -> Datum.builder().build());
    assertRefused(
        "Datum.watermark is required but was null",
        () -> Datum.builder().eventTime(EVENT_TIME).build());
  }

  @Test
  void nullKeyIsRefusedByIndex() {
    assertRefused("Datum.keys[1] is null", () -> ofKeys(Arrays.asList("a", null, "c")));
    assertRefused("Datum.keys[0] is null", () -> minimal().keys((String) null).build());
  }

  @Test
  void nullHeaderIsRefusedByName() {
    Map<String, String> nullValue = new HashMap<>(Map.of("a", "1"));
    nullValue.put("b", null);
    Map<String, String> nullName = new HashMap<>(nullValue);
    nullName.put(null, "2");

    assertRefused("Datum.headers[\"b\"] is null", () -> ofHeaders(nullValue));
    assertRefused("Datum.headers has a null name", () -> ofHeaders(nullName));
    assertRefused("Datum.headers[\"b\"] is null", () -> minimal().header("b", null).build());
  }

  @Test
  void changesToTheSourcesDoNotShow() {
    List<String> keys = new ArrayList<>(List.of("a"));
    Map<String, String> headers = new HashMap<>(Map.of("h", "1"));
    Datum datum = Datum.of(keys, null, EVENT_TIME, WATERMARK, headers);

    keys.set(0, "changed");
    headers.put("h", "changed");

    assertEquals(List.of("a"), datum.keys());
    assertEquals(Map.of("h", "1"), datum.headers());
  }

  @Test
  void keysAndHeadersCannotBeChanged() {
    Datum datum = Datum.of(new ArrayList<>(List.of("a")), null, EVENT_TIME, WATERMARK, null);

    assertThrows(UnsupportedOperationException.class, () -> datum.keys().set(0, "b"));
    assertThrows(UnsupportedOperationException.class, () -> datum.headers().put("h", "1"));
  }

  @Test
  void immutableKeysAndHeadersAreNotCopied() {
    List<String> keys = List.of("a");
    Map<String, String> headers = Map.of("h", "1");
    Datum datum = Datum.of(keys, null, EVENT_TIME, WATERMARK, headers);

    assertSame(keys, datum.keys());
    assertSame(headers, datum.headers());
  }

  @Test
  void bytesThatAreNotUtf8BecomeReplacementCharacters() {
    assertEquals("a\uFFFD", minimal().value(new byte[] {'a', (byte) 0xFF}).build().text());
  }

  @Test
  void builderMakesWhatTheFactoryMakes() {
    Datum built =
        Datum.builder()
            .keys("a", "b")
            .text("é")
            .eventTime(EVENT_TIME)
            .watermark(WATERMARK)
            .headers(Map.of("x", "0", "y", "2"))
            .header("x", "1")
            .userMetadata(USER)
            .systemMetadata(SYSTEM)
            .build();

    assertEquals(
        Datum.of(
            List.of("a", "b"),
            new byte[] {(byte) 0xC3, (byte) 0xA9},
            EVENT_TIME,
            WATERMARK,
            Map.of("x", "1", "y", "2"),
            USER,
            SYSTEM),
        built);
  }

  @Test
  void builderUsedAgainLeavesEarlierDatumsAlone() {
    Datum.Builder builder = minimal().header("a", "1");
    Datum first = builder.build();

    Datum second = builder.header("b", "2").build();

    assertEquals(Map.of("a", "1"), first.headers());
    assertEquals(Map.of("a", "1", "b", "2"), second.headers());
  }

  @Test
  void variationKeepsEveryOtherField() {
    Datum datum =
        Datum.of(
            List.of("a"), new byte[] {1}, EVENT_TIME, WATERMARK, Map.of("h", "v"), USER, SYSTEM);

    assertEquals(datum, datum.toBuilder().build());
    assertEquals(
        Datum.of(
            List.of("b"), new byte[] {1}, EVENT_TIME, WATERMARK, Map.of("h", "v"), USER, SYSTEM),
        datum.toBuilder().keys("b").build());
  }

  @Test
  void equalContentIsEqualWithEqualHashCode() {
    Datum one = minimal().keys("a").text("v").header("h", "1").userMetadata(USER).build();
    Datum other = minimal().keys("a").text("v").header("h", "1").userMetadata(USER).build();

    assertEquals(one, other);
    assertEquals(one.hashCode(), other.hashCode());
  }

  @ParameterizedTest
  @MethodSource("differingInOneField")
  void oneFieldThatDiffersMakesItUnequal(Datum differing) {
    assertNotEquals(minimal().build(), differing);
  }

  static List<Datum> differingInOneField() {
    return List.of(
        minimal().keys("a").build(),
        minimal().text("a").build(),
        minimal().eventTime(EVENT_TIME.plusNanos(1)).build(),
        minimal().watermark(WATERMARK.plusNanos(1)).build(),
        minimal().header("a", "1").build(),
        minimal().userMetadata(USER).build(),
        minimal().systemMetadata(SYSTEM).build());
  }

  @Test
  void toStringShowsWhatIsNotEmpty() {
    assertEquals(
        "Datum[value=\"\" (0 bytes), eventTime=2022-09-12T16:00:00Z,"
            + " watermark=2022-09-12T16:01:00Z]",
        minimal().build().toString());
    assertEquals(
        "Datum[value=\"a,b\" (3 bytes), keys=[\"k\"], eventTime=2022-09-12T16:00:00Z,"
            + " watermark=2022-09-12T16:01:00Z, headers={a=\"1\", b=\"2\"},"
            + " userMetadata={g={k=\"user\" (4 bytes)}},"
            + " systemMetadata={g={k=\"system\" (6 bytes)}}]",
        minimal()
            .keys("k")
            .text("a,b")
            .headers(Map.of("b", "2", "a", "1"))
            .userMetadata(USER)
            .systemMetadata(SYSTEM)
            .build()
            .toString());
  }

  private static Datum.Builder minimal() {
    return Datum.builder().eventTime(EVENT_TIME).watermark(WATERMARK);
  }

  private static Datum ofKeys(List<String> keys) {
    return Datum.of(keys, null, EVENT_TIME, WATERMARK, null);
  }

  private static Datum ofHeaders(Map<String, String> headers) {
    return Datum.of(null, null, EVENT_TIME, WATERMARK, headers);
  }
}
