package io.mapstream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Named groups of key-value pairs that accompany a payload: group, then key, then bytes.
 *
 * <p>A datum has user and system metadata. The user metadata belongs to the functions of a
 * pipeline: downstream, that of a message replaces that of the datum. The system metadata belongs
 * to the platform and is read-only; {@link Datum#traceContext()} reads a trace context from it.
 *
 * <p>Immutable: the {@code with} and {@code without} methods return changed copies. Byte arrays are
 * not copied, neither when they are set nor when they are read: do not change them. A group without
 * keys is not kept, so {@link #isEmpty()} means that there is no value at all. Two instances are
 * equal if they contain the same bytes under the same names. Names must not have an unpaired
 * surrogate, because the platform would receive a different name. Safe for use by several threads.
 */
@SuppressWarnings("exports") // JSpecify's annotations, which callers do not need
public final class Metadata {

  private static final Metadata EMPTY = new Metadata(Map.of());

  private final Map<String, Map<String, byte[]>> groups;

  private Metadata(Map<String, Map<String, byte[]>> groups) {
    this.groups = groups;
  }

  /** {@return metadata without any value, one shared instance} */
  public static Metadata empty() {
    return EMPTY;
  }

  /**
   * Creates metadata from a map of groups. The maps are copied, the arrays are not.
   *
   * @param groups group to key to value; {@code null} for none; groups without keys are left out
   * @return metadata with these values
   * @throws NullPointerException if a group's name, a group, a key or a value is {@code null}
   * @throws IllegalArgumentException if a name has an unpaired surrogate
   */
  public static Metadata of(@Nullable Map<String, Map<String, byte[]>> groups) {
    Map<String, Map<String, byte[]>> copy = new HashMap<>();
    Checks.entries("groups", groups)
        .forEach((group, values) ->
            copy.put(group, Checks.entries(Checks.entry("groups", group), values)));
    return ofOwned(copy);
  }

  /**
   * Creates metadata from a map of groups with strings, which are encoded as UTF-8.
   *
   * @param groups group to key to text; {@code null} for none; groups without keys are left out
   * @return metadata with these values
   * @throws NullPointerException if a group's name, a group, a key or a text is {@code null}
   * @throws IllegalArgumentException if a name or a text has an unpaired surrogate
   */
  public static Metadata ofTexts(@Nullable Map<String, Map<String, String>> groups) {
    Map<String, Map<String, byte[]>> copy = new HashMap<>();
    Checks.entries("groups", groups)
        .forEach((group, texts) -> {
          Map<String, byte[]> values = new HashMap<>();
          Checks.textEntries(Checks.entry("groups", group), texts)
              .forEach((key, text) -> values.put(key, text.getBytes(UTF_8)));
          copy.put(group, Collections.unmodifiableMap(values));
        });
    return ofOwned(copy);
  }

  /** Takes ownership of the map, whose groups must be unmodifiable. */
  private static Metadata ofOwned(Map<String, Map<String, byte[]>> groups) {
    groups.values().removeIf(Map::isEmpty);
    return groups.isEmpty() ? EMPTY : new Metadata(Collections.unmodifiableMap(groups));
  }

  /**
   * Adds a value, or replaces the one under the same names.
   *
   * @param group the group's name; a group that does not exist is added
   * @param key the name in the group
   * @param value the bytes; not copied, and must not be changed afterwards
   * @return a copy with the value
   * @throws NullPointerException if an argument is {@code null}
   * @throws IllegalArgumentException if a name has an unpaired surrogate
   */
  public Metadata with(String group, String key, byte[] value) {
    Map<String, byte[]> values = new HashMap<>(valuesOf(Checks.text("group", group)));
    values.put(Checks.text("key", key), requireNonNull(value, "value"));
    return withGroup(group, values);
  }

  /**
   * Adds a string, encoded as UTF-8, or replaces the value under the same names.
   *
   * @param group the group's name; a group that does not exist is added
   * @param key the name in the group
   * @param text the value
   * @return a copy with the value
   * @throws NullPointerException if an argument is {@code null}
   * @throws IllegalArgumentException if an argument has an unpaired surrogate
   */
  public Metadata with(String group, String key, String text) {
    return with(group, key, Checks.utf8("text", text));
  }

  /**
   * Removes a group.
   *
   * @param group the group's name
   * @return a copy without the group, or this if there is no such group
   * @throws NullPointerException if the argument is {@code null}
   */
  public Metadata without(String group) {
    return valuesOf(group).isEmpty() ? this : withGroup(group, Map.of());
  }

  /**
   * Removes a value. A group is removed with its last value.
   *
   * @param group the group's name
   * @param key the name in the group
   * @return a copy without the value, or this if there is no such value
   * @throws NullPointerException if an argument is {@code null}
   */
  public Metadata without(String group, String key) {
    if (!valuesOf(group).containsKey(requireNonNull(key, "key"))) {
      return this;
    }
    Map<String, byte[]> values = new HashMap<>(valuesOf(group));
    values.remove(key);
    return withGroup(group, values);
  }

  private Metadata withGroup(String group, Map<String, byte[]> values) {
    Map<String, Map<String, byte[]>> changed = new HashMap<>(groups);
    changed.put(group, Collections.unmodifiableMap(values));
    return ofOwned(changed);
  }

  /** {@return an unmodifiable set of the groups' names, in no particular order} */
  public Set<String> groups() {
    return groups.keySet();
  }

  /**
   * Returns the names in one group, in no particular order.
   *
   * @param group the group's name
   * @return an unmodifiable set, empty if there is no such group
   * @throws NullPointerException if the argument is {@code null}
   */
  public Set<String> keys(String group) {
    return valuesOf(group).keySet();
  }

  /**
   * Looks up one value.
   *
   * @param group the group's name
   * @param key the name in the group
   * @return the array that was set, which must not be changed; empty if there is none
   * @throws NullPointerException if an argument is {@code null}
   */
  public Optional<byte[]> value(String group, String key) {
    return Optional.ofNullable(valuesOf(group).get(requireNonNull(key, "key")));
  }

  /**
   * Looks up one value and decodes it as UTF-8; malformed bytes become U+FFFD.
   *
   * @param group the group's name
   * @param key the name in the group
   * @return the text; empty if there is no value
   * @throws NullPointerException if an argument is {@code null}
   */
  public Optional<String> text(String group, String key) {
    return value(group, key).map(value -> new String(value, UTF_8));
  }

  private Map<String, byte[]> valuesOf(String group) {
    return groups.getOrDefault(requireNonNull(group, "group"), Map.of());
  }

  /** {@return whether there is no value in any group} */
  public boolean isEmpty() {
    return groups.isEmpty();
  }

  /**
   * Returns all values. Both levels of the map are unmodifiable; the arrays are those that were set
   * and must not be changed.
   *
   * @return group to key to value
   */
  public Map<String, Map<String, byte[]>> asMap() {
    return groups;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    if (this == other) {
      return true;
    }
    return other instanceof Metadata that
        && groups.keySet().equals(that.groups.keySet())
        && groups.entrySet().stream()
            .allMatch(group -> that.hasGroup(group.getKey(), group.getValue()));
  }

  private boolean hasGroup(String group, Map<String, byte[]> expected) {
    Map<String, byte[]> values = valuesOf(group);
    return values.size() == expected.size()
        && expected.entrySet().stream()
            .allMatch(entry -> Arrays.equals(entry.getValue(), values.get(entry.getKey())));
  }

  /** Adds the hash codes of entries, as a map does, so that their order does not matter. */
  @Override
  public int hashCode() {
    int hash = 0;
    for (Map.Entry<String, Map<String, byte[]>> group : groups.entrySet()) {
      int values = 0;
      for (Map.Entry<String, byte[]> entry : group.getValue().entrySet()) {
        values += entry.getKey().hashCode() ^ Arrays.hashCode(entry.getValue());
      }
      hash += group.getKey().hashCode() ^ values;
    }
    return hash;
  }

  /** {@return groups and keys sorted by name, with the beginning and the size of each value} */
  @Override
  public String toString() {
    return Shown.map(groups, values -> Shown.map(values, Shown::bytes));
  }
}
