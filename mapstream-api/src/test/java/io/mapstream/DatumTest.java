package io.mapstream;

import static io.mapstream.Refusal.assertNullRefused;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertThrowsExactly;

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
        Datum.of(List.of("test_key"), value, EVENT_TIME, WATERMARK, Map.of("h", "v")).toBuilder()
            .id("7-0")
            .userMetadata(USER)
            .systemMetadata(SYSTEM)
            .build();

    assertEquals("7-0", datum.id());

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
    Datum datum = Datum.of(null, null, EVENT_TIME, WATERMARK, null);

    assertEquals(List.of(), datum.keys());
    assertArrayEquals(new byte[0], datum.value());
    assertEquals("", datum.text());
    assertEquals(Map.of(), datum.headers());
    assertSame(Metadata.empty(), datum.userMetadata());
    assertSame(Metadata.empty(), datum.systemMetadata());
    assertEquals("", datum.id());
    assertEquals(
        datum, minimal().text(null).headers(null).userMetadata(null).systemMetadata(null).build());
  }

  @Test
  void nullEventTimeIsRefusedByName() {
    assertNullRefused("eventTime", () -> minimal().eventTime(null));
    assertNullRefused(
        "eventTime", () -> Datum.of(List.of(), new byte[0], null, WATERMARK, Map.of()));
  }

  @Test
  void nullWatermarkIsRefusedByName() {
    assertNullRefused(
        "watermark", () -> Datum.of(List.of(), new byte[0], EVENT_TIME, null, Map.of()));
  }

  @Test
  void builderWithoutTimesIsRefusedByName() {
    Datum.Builder builder = Datum.builder();

    assertEquals("eventTime must be set", refusalOf(builder));
    assertEquals("watermark must be set", refusalOf(builder.eventTime(EVENT_TIME)));
  }

  @Test
  void nullKeyIsRefusedByIndex() {
    assertNullRefused("keys[1]", () -> ofKeys(Arrays.asList("a", null, "c")));
    assertNullRefused("keys[0]", () -> minimal().keys((String) null).build());
    assertNullRefused("keys", () -> minimal().keys((String[]) null));
    assertNullRefused("id", () -> minimal().id(null));
  }

  @Test
  void nullHeaderIsRefusedByName() {
    Map<String, String> nullValue = new HashMap<>(Map.of("a", "1"));
    nullValue.put("b", null);
    Map<String, String> nullName = new HashMap<>(Map.of("a", "1"));
    nullName.put(null, "2");

    assertNullRefused("headers[\"b\"]", () -> ofHeaders(nullValue));
    assertNullRefused("a name in headers", () -> ofHeaders(nullName));
    assertNullRefused("value", () -> minimal().header("b", null));
    assertNullRefused("name", () -> minimal().header(null, "1"));
  }

  @Test
  void laterChangesToTheSourcesHaveNoEffect() {
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
  void immutableKeysAreNotCopied() {
    List<String> keys = List.of("a");

    assertSame(keys, ofKeys(keys).keys());
  }

  @Test
  void headersOfTheCallerAreLeftAlone() {
    Map<String, String> immutable = Map.of("a", "1");
    Map<String, String> own = new HashMap<>(immutable);

    assertEquals(Map.of("a", "2"), minimal().headers(immutable).header("a", "2").build().headers());
    assertEquals(
        Map.of("a", "1", "b", "2"), minimal().headers(own).header("b", "2").build().headers());
    assertEquals(immutable, own);
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
                "é".getBytes(UTF_8),
                EVENT_TIME,
                WATERMARK,
                Map.of("x", "1", "y", "2"))
            .toBuilder()
            .userMetadata(USER)
            .systemMetadata(SYSTEM)
            .build(),
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
    Datum.Builder builder =
        minimal()
            .id("7")
            .keys("a")
            .value(new byte[] {1})
            .header("h", "v")
            .userMetadata(USER)
            .systemMetadata(SYSTEM);
    Datum datum = builder.build();

    assertEquals(datum, datum.toBuilder().build());
    assertEquals("7", datum.toBuilder().build().id());
    assertSame(datum.value(), datum.toBuilder().build().value());
    assertEquals(builder.keys("b").build(), datum.toBuilder().keys("b").build());
  }

  @Test
  void equalContentIsEqualWithEqualHashCode() {
    Datum one = minimal().keys("a").text("v").header("h", "1").userMetadata(USER).build();
    Datum other = minimal().keys("a").text("v").header("h", "1").userMetadata(USER).build();

    assertEquals(one, other);
    assertEquals(one.hashCode(), other.hashCode());
  }

  @Test
  void idIsNotCompared() {
    assertEquals(minimal().id("1").build(), minimal().id("2").build());
    assertEquals(minimal().id("1").build().hashCode(), minimal().id("2").build().hashCode());
  }

  @Test
  void equalsItselfAndNothingOfAnotherType() {
    Datum datum = minimal().build();

    assertEquals(datum, datum);
    assertNotEquals(datum, null);
    assertNotEquals(datum, (Object) "datum");
  }

  @ParameterizedTest
  @MethodSource("differingInOneField")
  void oneFieldThatDiffersMakesItUnequal(Datum differing) {
    assertNotEquals(minimal().build(), differing);
    assertNotEquals(minimal().build().hashCode(), differing.hashCode());
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
        "Datum[id=\"7-0\", value=\"a,b\" (3 bytes), keys=[\"k\"], eventTime=2022-09-12T16:00:00Z,"
            + " watermark=2022-09-12T16:01:00Z, headers={a=\"1\", b=\"2\"},"
            + " userMetadata={g={k=\"user\" (4 bytes)}},"
            + " systemMetadata={g={k=\"system\" (6 bytes)}}]",
        minimal()
            .id("7-0")
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

  private static String refusalOf(Datum.Builder incomplete) {
    return assertThrowsExactly(IllegalStateException.class, incomplete::build).getMessage();
  }

  private static Datum ofKeys(List<String> keys) {
    return Datum.of(keys, null, EVENT_TIME, WATERMARK, null);
  }

  private static Datum ofHeaders(Map<String, String> headers) {
    return Datum.of(null, null, EVENT_TIME, WATERMARK, headers);
  }
}
