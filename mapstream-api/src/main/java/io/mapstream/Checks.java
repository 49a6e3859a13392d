package io.mapstream;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Checks and copies arguments. An exception names the parameter and the position in it: a {@link
 * NullPointerException} for null, an {@link IllegalArgumentException} for text that is not valid
 * Unicode. Java's encoders write "?" for an unpaired surrogate, so such text would arrive changed.
 */
final class Checks {

  /** The value if there is none; shared, since an empty array cannot be changed. */
  static final byte[] NO_BYTES = {};

  /**
   * Up to this size, a map is copied by {@link Map#copyOf}. That table is small, but it is probed
   * linearly: n names with the same hash code, which a sender may choose, cost n * n / 2
   * comparisons.
   */
  private static final int LARGEST_PROBED = 16;

  private Checks() {}

  static byte[] bytes(byte @Nullable [] given) {
    return given == null ? NO_BYTES : given;
  }

  /** Encodes a text as UTF-8. */
  static byte[] utf8(String field, String text) {
    return text(field, text).getBytes(UTF_8);
  }

  /** Returns the given text. */
  static String text(String field, String text) {
    int index = unpairedSurrogate(Objects.requireNonNull(text, field));
    if (index >= 0) {
      throw new IllegalArgumentException(field + ": unpaired surrogate at index " + index);
    }
    return text;
  }

  private static int unpairedSurrogate(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isSurrogate(c)) {
        boolean paired = i + 1 < text.length() && Character.isSurrogatePair(c, text.charAt(i + 1));
        if (!paired) {
          return i;
        }
        i++;
      }
    }
    return -1;
  }

  /** Copies a list unless it is immutable; null means empty. */
  static List<String> texts(String field, @Nullable List<String> given) {
    if (given == null || given.isEmpty()) {
      return List.of();
    }
    List<String> copy = elements(field, given);
    for (int i = 0; i < copy.size(); i++) {
      if (unpairedSurrogate(copy.get(i)) >= 0) {
        text(field + "[" + i + "]", copy.get(i));
      }
    }
    return copy;
  }

  /**
   * Copies a collection unless it is an immutable list. The JDK's copy also refuses null, but
   * without the index, which is then determined here.
   */
  static <T> List<T> elements(String field, Collection<T> given) {
    try {
      return List.copyOf(given);
    } catch (NullPointerException e) {
      int index = 0;
      for (T element : given) {
        Objects.requireNonNull(element, field + "[" + index + "]");
        index++;
      }
      throw e;
    }
  }

  /** Copies a map of names to texts; null means empty. */
  static Map<String, String> textEntries(String field, @Nullable Map<String, String> given) {
    Map<String, String> copy = entries(field, given);
    copy.forEach((name, text) -> {
      if (unpairedSurrogate(text) >= 0) {
        text(entry(field, name), text);
      }
    });
    return copy;
  }

  /** Copies a map with names as keys; null means empty. */
  static <V> Map<String, V> entries(String field, @Nullable Map<String, V> given) {
    if (given == null || given.isEmpty()) {
      return Map.of();
    }
    given.forEach((name, value) -> {
      Objects.requireNonNull(name, () -> "a name in " + field);
      if (unpairedSurrogate(name) >= 0) {
        text("the name " + Shown.text(name) + " in " + field, name);
      }
      Objects.requireNonNull(value, () -> entry(field, name));
    });
    return copy(given);
  }

  /**
   * Returns an immutable copy, in near-linear time for any names: a {@link HashMap} turns a crowded
   * bucket into a tree.
   */
  static <K, V> Map<K, V> copy(Map<K, V> given) {
    return given.size() <= LARGEST_PROBED
        ? Map.copyOf(given)
        : Collections.unmodifiableMap(new HashMap<>(given));
  }

  static String entry(String field, String name) {
    return field + "[\"" + name + "\"]";
  }
}
