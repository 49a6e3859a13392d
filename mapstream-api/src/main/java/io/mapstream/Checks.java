package io.mapstream;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Turns arguments into what the values keep, or into an error that names the field. The copies of
 * the JDK are used for their being free when the argument is immutable already, which is the usual
 * case on the way of a message; they refuse nulls too, but without saying where, so the search for
 * the place starts only when one has.
 */
final class Checks {

  /** The value of whatever has none; shared, since an array of no bytes cannot be changed. */
  static final byte[] NO_BYTES = {};

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
      return Map.copyOf(given);
    } catch (NullPointerException e) {
      throw nullEntry(field, given, e);
    }
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
