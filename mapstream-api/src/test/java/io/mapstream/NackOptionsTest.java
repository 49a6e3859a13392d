package io.mapstream;

import static io.mapstream.Refusal.assertNullRefused;
import static io.mapstream.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class NackOptionsTest {

  @Test
  void whatIsNotSetIsAbsent() {
    NackOptions options = NackOptions.builder().build();

    assertEquals(Optional.empty(), options.reason());
    assertEquals(OptionalLong.empty(), options.maxDeliveries());
    assertEquals(Optional.empty(), options.delay());
    assertEquals(Map.of(), options.nackMap());
    assertEquals(options, NackOptions.of(null));
  }

  @Test
  void fieldsComeBackAsGiven() {
    NackOptions options = full();

    assertEquals(Optional.of("busy"), options.reason());
    assertEquals(OptionalLong.of(3), options.maxDeliveries());
    assertEquals(Optional.of(Duration.ofMillis(1500)), options.delay());
    assertEquals(Map.of("a", "1", "b", "2"), options.nackMap());
  }

  @Test
  void zeroAndEmptyTextArePresent() {
    NackOptions options =
        NackOptions.builder().reason("").maxDeliveries(0).delay(Duration.ZERO).build();

    assertEquals(Optional.of(""), options.reason());
    assertEquals(OptionalLong.of(0), options.maxDeliveries());
    assertEquals(Optional.of(Duration.ZERO), options.delay());
    assertNotEquals(NackOptions.of(null), options);
  }

  @Test
  void greatestMaxDeliveriesIsThatOfTheWire() {
    assertEquals(
        OptionalLong.of(4294967295L),
        NackOptions.builder().maxDeliveries(4294967295L).build().maxDeliveries());
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, 4294967296L})
  void maxDeliveriesBeyondTheWireIsRefused(long maxDeliveries) {
    assertRefused(
        "maxDeliveries must be from 0 to 4294967295 but was " + maxDeliveries,
        () -> NackOptions.builder().maxDeliveries(maxDeliveries));
  }

  @Test
  void delayIsCutToMilliseconds() {
    assertEquals(Optional.of(Duration.ofMillis(1)), delayOf(Duration.ofNanos(1_999_999)));
    assertEquals(Optional.of(Duration.ZERO), delayOf(Duration.ofNanos(999_999)));
  }

  @Test
  void longestDelayIsKept() {
    Duration longest = Duration.ofMillis(Long.MAX_VALUE);

    assertEquals(Optional.of(longest), delayOf(longest));
  }

  @Test
  void delayOutOfRangeIsRefused() {
    String range = "delay must be from PT0S to PT2562047788015H12M55.807S but was ";

    assertRefused(range + "PT-0.001S", () -> delayOf(Duration.ofMillis(-1)));
    assertRefused(
        range + "PT2562047788015H12M55.808S",
        () -> delayOf(Duration.ofMillis(Long.MAX_VALUE).plusMillis(1)));
  }

  @Test
  void nullInNackMapIsRefusedByName() {
    Map<String, String> nullValue = new HashMap<>();
    nullValue.put("a", null);

    assertNullRefused("nackMap[\"a\"]", () -> NackOptions.builder().nackMap(nullValue));
    assertNullRefused("value", () -> NackOptions.builder().put("a", null));
    assertNullRefused("name", () -> NackOptions.builder().put(null, "1"));
  }

  @Test
  void laterChangesToTheSourcesHaveNoEffect() {
    Map<String, String> source = new HashMap<>(Map.of("a", "1"));
    NackOptions.Builder builder = NackOptions.builder().nackMap(source);
    source.put("a", "changed");
    NackOptions options = builder.build();
    builder.put("a", "changed");

    assertEquals(Map.of("a", "1"), options.nackMap());
    assertThrows(UnsupportedOperationException.class, () -> options.nackMap().put("b", "2"));
  }

  @Test
  void variationKeepsEveryOtherField() {
    assertEquals(full(), full().toBuilder().build());
    assertEquals(
        NackOptions.builder().reason("other").build(),
        NackOptions.of("busy").toBuilder().reason("other").build());
  }

  @Test
  void equalContentIsEqualWithEqualHashCode() {
    assertEquals(full(), full());
    assertEquals(full().hashCode(), full().hashCode());
  }

  @Test
  void equalsItselfAndNothingOfAnotherType() {
    NackOptions options = full();

    assertEquals(options, options);
    assertNotEquals(options, null);
    assertNotEquals(options, (Object) "busy");
  }

  @ParameterizedTest
  @MethodSource("differingInOneField")
  void oneFieldThatDiffersMakesItUnequal(NackOptions differing) {
    assertNotEquals(full(), differing);
    assertNotEquals(full().hashCode(), differing.hashCode());
  }

  static List<NackOptions> differingInOneField() {
    return List.of(
        full().toBuilder().reason(null).build(),
        full().toBuilder().maxDeliveries(4).build(),
        full().toBuilder().delay(null).build(),
        full().toBuilder().put("a", "2").build());
  }

  @Test
  void toStringShowsWhatWasGiven() {
    assertEquals("NackOptions[]", NackOptions.of(null).toString());
    assertEquals(
        "NackOptions[reason=\"busy\", maxDeliveries=3, delay=PT1.5S, nackMap={a=\"1\", b=\"2\"}]",
        full().toString());
  }

  private static NackOptions full() {
    return NackOptions.builder()
        .reason("busy")
        .maxDeliveries(3)
        .delay(Duration.ofMillis(1500))
        .nackMap(Map.of("a", "1"))
        .put("b", "2")
        .build();
  }

  private static Optional<Duration> delayOf(Duration delay) {
    return NackOptions.builder().delay(delay).build().delay();
  }
}
