package io.mapstream;

import static io.mapstream.Refusal.assertNullRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class MetadataTest {

  private static final Metadata TRACE =
      Metadata.empty().with("tracing_udf", "traceparent", "00-4bf9").with("other", "k", "v");

  @Test
  void findsValuesByGroupAndKey() {
    byte[] value = {1, 2};
    Metadata metadata = Metadata.of(Map.of("g", Map.of("k", value)));

    assertSame(value, metadata.value("g", "k").orElseThrow());
    assertEquals(Optional.of("00-4bf9"), TRACE.text("tracing_udf", "traceparent"));
    assertEquals(Set.of("tracing_udf", "other"), TRACE.groups());
    assertEquals(Set.of("traceparent"), TRACE.keys("tracing_udf"));
    assertEquals(Set.of("g"), metadata.asMap().keySet());
  }

  @Test
  void absentGroupsAndKeysAreEmpty() {
    assertEquals(Optional.empty(), TRACE.value("none", "k"));
    assertEquals(Optional.empty(), TRACE.text("other", "none"));
    assertEquals(Set.of(), TRACE.keys("none"));
  }

  @Test
  void emptyMetadataIsShared() {
    assertSame(Metadata.empty(), Metadata.of(null));
    assertSame(Metadata.empty(), Metadata.of(Map.of()));
    assertSame(Metadata.empty(), TRACE.without("tracing_udf").without("other"));
    assertTrue(Metadata.empty().isEmpty());
    assertFalse(TRACE.isEmpty());
  }

  @Test
  void textsAreUtf8() {
    Metadata metadata = Metadata.ofTexts(Map.of("g", Map.of("k", "é", "l", "")));

    assertEquals(Metadata.empty().with("g", "k", "é").with("g", "l", ""), metadata);
    assertThrows(
        UnsupportedOperationException.class, () -> metadata.asMap().get("g").put("k", new byte[0]));
    assertSame(Metadata.empty(), Metadata.ofTexts(null));
  }

  @Test
  void groupWithoutKeysIsNotKept() {
    assertSame(Metadata.empty(), Metadata.of(Map.of("g", Map.of())));
    assertSame(Metadata.empty(), Metadata.ofTexts(Map.of("g", Map.of())));
    assertEquals(Set.of("tracing_udf"), TRACE.without("other", "k").groups());
  }

  @Test
  void withReplacesOneValueOfACopy() {
    Metadata changed = TRACE.with("other", "k", "new").with("other", "k2", "v2");

    assertEquals(Optional.of("new"), changed.text("other", "k"));
    assertEquals(Set.of("k", "k2"), changed.keys("other"));
    assertEquals(Optional.of("00-4bf9"), changed.text("tracing_udf", "traceparent"));
    assertEquals(Optional.of("v"), TRACE.text("other", "k"));
  }

  @Test
  void withoutRemovesOneValueOrAGroup() {
    Metadata metadata = TRACE.with("other", "k2", "v2");

    assertEquals(Set.of("k2"), metadata.without("other", "k").keys("other"));
    assertEquals(Set.of("tracing_udf"), metadata.without("other").groups());
    assertSame(metadata, metadata.without("none"));
    assertSame(metadata, metadata.without("other", "none"));
    assertSame(metadata, metadata.without("none", "k"));
  }

  @Test
  void laterChangesToTheSourcesHaveNoEffect() {
    Map<String, byte[]> group = new HashMap<>(Map.of("k", new byte[] {1}));
    Map<String, Map<String, byte[]>> groups = new HashMap<>(Map.of("g", group));
    Metadata metadata = Metadata.of(groups);

    group.put("k2", new byte[] {2});
    groups.put("g2", Map.of("k", new byte[] {3}));

    assertEquals(Set.of("g"), metadata.groups());
    assertEquals(Set.of("k"), metadata.keys("g"));
  }

  @Test
  void cannotBeChangedAtAnyDepth() {
    assertThrows(UnsupportedOperationException.class, () -> TRACE.asMap().put("g", Map.of()));
    assertThrows(
        UnsupportedOperationException.class,
        () -> TRACE.asMap().get("other").put("k", new byte[0]));
    assertThrows(UnsupportedOperationException.class, () -> TRACE.groups().remove("other"));
    assertThrows(UnsupportedOperationException.class, () -> TRACE.keys("other").remove("k"));
  }

  @Test
  void nullsAreRefusedByPlace() {
    Map<String, Map<String, byte[]>> nullName = new HashMap<>();
    nullName.put(null, Map.of());
    Map<String, Map<String, byte[]>> nullGroup = new HashMap<>();
    nullGroup.put("g", null);
    Map<String, byte[]> nullKey = new HashMap<>();
    nullKey.put(null, new byte[0]);
    Map<String, byte[]> nullValue = new HashMap<>();
    nullValue.put("k", null);
    Map<String, String> nullText = new HashMap<>();
    nullText.put("k", null);

    assertNullRefused("a name in groups", () -> Metadata.of(nullName));
    assertNullRefused("groups[\"g\"]", () -> Metadata.of(nullGroup));
    assertNullRefused("a name in groups[\"g\"]", () -> Metadata.of(Map.of("g", nullKey)));
    assertNullRefused("groups[\"g\"][\"k\"]", () -> Metadata.of(Map.of("g", nullValue)));
    assertNullRefused("groups[\"g\"][\"k\"]", () -> Metadata.ofTexts(Map.of("g", nullText)));
    assertNullRefused("group", () -> TRACE.with(null, "k", "v"));
    assertNullRefused("key", () -> TRACE.with("g", null, "v"));
    assertNullRefused("value", () -> TRACE.with("g", "k", (byte[]) null));
    assertNullRefused("text", () -> TRACE.with("g", "k", (String) null));
    assertNullRefused("group", () -> TRACE.value(null, "k"));
    assertNullRefused("key", () -> TRACE.text("g", null));
    assertNullRefused("group", () -> TRACE.keys(null));
    assertNullRefused("group", () -> TRACE.without(null));
    assertNullRefused("key", () -> TRACE.without("g", null));
  }

  @Test
  void equalBytesUnderEqualNamesAreEqual() {
    Metadata one = Metadata.of(Map.of("g", Map.of("a", new byte[] {1}, "b", new byte[] {2})));
    Metadata other = Metadata.empty().with("g", "b", new byte[] {2}).with("g", "a", new byte[] {1});

    assertEquals(one, other);
    assertEquals(one.hashCode(), other.hashCode());
  }

  @Test
  void equalsItselfAndNothingOfAnotherType() {
    assertEquals(TRACE, TRACE);
    assertNotEquals(TRACE, null);
    assertNotEquals(TRACE, (Object) TRACE.asMap());
  }

  @Test
  void hashCodeDependsOnNamesAndBytes() {
    Metadata metadata = Metadata.empty().with("g", "k", "v");

    assertNotEquals(0, metadata.hashCode());
    assertNotEquals(metadata.hashCode(), Metadata.empty().with("g", "k", "w").hashCode());
    assertNotEquals(metadata.hashCode(), Metadata.empty().with("g", "l", "v").hashCode());
    assertNotEquals(metadata.hashCode(), Metadata.empty().with("h", "k", "v").hashCode());
    assertNotEquals(metadata.hashCode(), metadata.with("h", "k", "v").hashCode());
    assertNotEquals(metadata.hashCode(), metadata.with("g", "l", "v").hashCode());
  }

  @Test
  void anyDifferenceMakesItUnequal() {
    Metadata metadata = Metadata.empty().with("g", "k", "v");

    assertNotEquals(metadata, Metadata.empty());
    assertNotEquals(metadata, Metadata.empty().with("g", "k", "w"));
    assertNotEquals(metadata, Metadata.empty().with("g", "l", "v"));
    assertNotEquals(metadata, Metadata.empty().with("h", "k", "v"));
    assertNotEquals(metadata, metadata.with("g", "k2", "v"));
    assertNotEquals(metadata, metadata.with("h", "k", "v"));
  }

  @Test
  void toStringIsSortedByName() {
    assertEquals(
        "{a={x=0x00ff (2 bytes), y=\"2\" (1 byte)}, b={k=\"\" (0 bytes)}}",
        Metadata.empty()
            .with("b", "k", "")
            .with("a", "y", "2")
            .with("a", "x", new byte[] {0, (byte) 0xFF})
            .toString());
    assertEquals("{}", Metadata.empty().toString());
  }
}
