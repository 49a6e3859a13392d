package io.mapstream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Maps from external sources are copied in near-linear time, whatever their names. */
class CopiedMapTest {

  private static final int NAMES = 1 << 12;

  private static long comparisons;

  /** A name that has the same hash code as all others, and counts its comparisons. */
  private record Name(int number) implements Comparable<Name> {
    @Override
    public int hashCode() {
      return 1;
    }

    @Override
    public boolean equals(Object other) {
      comparisons++;
      return other instanceof Name name && name.number == number;
    }

    @Override
    public int compareTo(Name other) {
      comparisons++;
      return Integer.compare(number, other.number);
    }
  }

  @Test
  void copyingNamesOfOneHashCodeTakesFewComparisons() {
    Map<Name, String> names = new HashMap<>();
    for (int i = 0; i < NAMES; i++) {
      names.put(new Name(i), "value");
    }
    comparisons = 0;

    Map<Name, String> copy = Checks.copy(names);

    // A tree of 4,096 is about 12 deep; probing would take 8 million.
    assertTrue(comparisons < 64 * NAMES, comparisons + " comparisons");
    assertEquals(names, copy);
    assertThrows(UnsupportedOperationException.class, () -> copy.remove(new Name(0)));
  }

  @Test
  void noMapOfADatumIsProbed() {
    Map<String, String> headers = new HashMap<>();
    Map<String, byte[]> values = new HashMap<>();
    Map<String, Map<String, byte[]>> groups = new HashMap<>();
    for (int i = 0; i < NAMES; i++) {
      String name = collidingName(i);
      headers.put(name, "value");
      values.put(name, new byte[0]);
      groups.put(name, Map.of("k", new byte[0]));
    }
    groups.put("large", values);
    Metadata metadata = Metadata.of(groups).with("large", "k", "v").without("large", "k");
    Datum datum =
        Datum.builder()
            .eventTime(Instant.EPOCH)
            .watermark(Instant.EPOCH)
            .headers(headers)
            .userMetadata(metadata)
            .build();

    assertEquals(headers, datum.headers());
    assertIsNotProbed(datum.headers());
    assertIsNotProbed(metadata.asMap());
    assertIsNotProbed(metadata.asMap().get("large"));
    assertIsNotProbed(Metadata.ofTexts(Map.of("large", headers)).asMap().get("large"));
    assertIsNotProbed(NackOptions.builder().nackMap(headers).build().nackMap());
  }

  private static void assertIsNotProbed(Map<String, ?> map) {
    assertTrue(map.size() >= NAMES);
    assertTrue(
        !map.getClass().getName().startsWith("java.util.ImmutableCollections"),
        () -> "a table that is probed linearly: " + map.getClass());
  }

  @Test
  void nullsInALargeMapAreNamed() {
    Map<String, String> large = new HashMap<>();
    for (int i = 0; i < NAMES; i++) {
      large.put("name" + i, "value");
    }
    large.put("name7", null);
    Refusal.assertNullRefused("field[\"name7\"]", () -> Checks.entries("field", large));
    large.put("name7", "value");
    large.put(null, "value");
    Refusal.assertNullRefused("a name in field", () -> Checks.entries("field", large));
  }

  /** "Aa" and "BB" have the same hash code, and so do all texts made of the same number of them. */
  private static String collidingName(int number) {
    StringBuilder name = new StringBuilder();
    for (int bit = 0; bit < 15; bit++) {
      name.append((number >> bit & 1) == 0 ? "Aa" : "BB");
    }
    return name.toString();
  }
}
