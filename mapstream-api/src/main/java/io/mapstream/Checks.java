package io.mapstream;

import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Turns arguments into what the values keep, or into an error that names the field. The JDK's own
 * copies cost nothing where the argument is already immutable, which is usual for messages. They
 * refuse nulls without saying where, so a search for the place follows a refusal.
 */
final class Checks {

  /** The value of whatever has none; shared, since an array of no bytes cannot be changed. */
  static final byte[] NO_BYTES = {};

  /**
   * Up to this size, a map is copied by {@link Map#copyOf}. That table is small, but it is probed
   * linearly: n names of one hash code cost n * n / 2 comparisons, whoever chose the names.
   */
  private static final int LARGEST_PROBED = 16;

  private Checks() {}

  static <T> T required(String field, @Nullable T given) {
    if (given == null) {
      throw new IllegalArgumentException(field + " is required but was null");
    }
    return given;
  }

  static byte[] bytes(byte @Nullable [] given) {
    return given == null ? NO_BYTES : given;
  }

  static List<String> strings(String field, @Nullable List<String> given) {
    if (given == null || given.isEmpty()) {
      return List.of();
    }
    try {
      return List.copyOf(given);
    } catch (NullPointerException e) {
      throw nullElement(field, given, e);
    }
  }

  static <V> Map<String, V> entries(String field, @Nullable Map<String, V> given) {
    if (given == null || given.isEmpty()) {
      return Map.of();
    }
    try {
      return copy(given);
    } catch (NullPointerException e) {
      throw nullEntry(field, given, e);
    }
  }

  /**
   * An immutable copy, in near-linear time for any names: a {@link HashMap} turns a crowded bucket
   * into a tree.
   *
   * @throws NullPointerException if a name or a value is null
   */
  static <K, V> Map<K, V> copy(Map<K, V> given) {
    if (given.size() <= LARGEST_PROBED) {
      return Map.copyOf(given);
    }
    Map<K, V> copy = HashMap.newHashMap(given.size());
    given.forEach(
        (name, value) -> copy.put(Objects.requireNonNull(name), Objects.requireNonNull(value)));
    return Collections.unmodifiableMap(copy);
  }

  static RuntimeException nullElement(String field, Iterable<?> given, NullPointerException e) {
    int index = 0;
    for (Object element : given) {
      if (element == null) {
        return new IllegalArgumentException(field + "[" + index + "] is null", e);
      }
      index++;
    }
    return e;
  }

  /** A null name is reported before a null value, whatever the order of the map. */
  static RuntimeException nullEntry(String field, Map<String, ?> given, NullPointerException e) {
    String nameOfNull = null;
    for (Map.Entry<String, ?> entry : given.entrySet()) {
      if (entry.getKey() == null) {
        return new IllegalArgumentException(field + " has a null name", e);
      }
      if (entry.getValue() == null) {
        nameOfNull = entry.getKey();
      }
    }
    return nameOfNull == null
        ? e
        : new IllegalArgumentException(field + "[\"" + nameOfNull + "\"] is null", e);
  }
}
