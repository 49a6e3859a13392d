package io.mapstream;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Named groups of named values that travel beside a payload: group, then key, then bytes.
 *
 * <p>A datum has two of them. The user part belongs to the functions of a pipeline: what a message
 * carries replaces it downstream. The system part is the platform's, to be read only; {@link
 * Datum#traceContext()} reads a trace's context from it.
 *
 * <p>Immutable: the {@code with} and {@code without} methods return changed copies. The byte arrays
 * are handed over both ways and not copied, so neither side may change one. A group without a key
 * says nothing, and is not kept: {@link #isEmpty()} means that there is no value at all. Two are
 * equal when they hold the same bytes under the same names. Safe for use by several threads.
 */
@SuppressWarnings("exports") // JSpecify's annotations, which callers need not have
public final class Metadata {

  private static final Metadata EMPTY = new Metadata(Map.of());

  private final Map<String, Map<String, byte[]>> groups;

  private Metadata(Map<String, Map<String, byte[]>> groups) {
    this.groups = groups;
  }

  /** {@return the metadata without any value, one shared instance} */
  public static Metadata empty() {
    return EMPTY;
  }

  /**
   * Takes over a map of groups. The maps are copied, the arrays are not.
   *
   * @param groups group to key to value; {@code null} and groups without keys count as nothing
   * @return metadata with these values
   * @throws IllegalArgumentException if a group's name, a group, a key or a value is {@code null};
   *     the message says where
   */
  public static Metadata of(@Nullable Map<String, Map<String, byte[]>> groups) {
    if (groups == null || groups.isEmpty()) {
      return EMPTY;
    }
    Map<String, Map<String, byte[]>> copy = HashMap.newHashMap(groups.size());
    groups.forEach((group, values) -> putGroup(copy, group, values));
    return ofOwned(copy);
  }

  private static void putGroup(
      Map<String, Map<String, byte[]>> groups, String group, Map<String, byte[]> values) {
    String field = "Metadata[\"" + Checks.required("a group's name in Metadata", group) + "\"]";
    Map<String, byte[]> copy = Checks.entries(field, Checks.required(field, values));
    if (!copy.isEmpty()) {
      groups.put(group, copy);
    }
  }

  /** For a map that nobody else holds, whose groups are immutable and not empty. */
  private static Metadata ofOwned(Map<String, Map<String, byte[]>> groups) {
    return groups.isEmpty() ? EMPTY : new Metadata(Checks.copy(groups));
  }

  /**
   * Adds a value, or replaces the one under the same names.
   *
   * @param group the group's name; the group is made where there is none
   * @param key the name in the group
   * @param value handed over: not to be changed afterwards
   * @return a copy with the value
   * @throws IllegalArgumentException if an argument is {@code null}
   */
  public Metadata with(String group, String key, byte[] value) {
    Map<String, byte[]> values = new HashMap<>(valuesOf(group));
    values.put(Checks.required("key", key), Checks.required("value", value));
    return withGroup(group, values);
  }

  /**
   * Adds a text as UTF-8, or replaces the value under the same names.
   *
   * @param group the group's name; the group is made where there is none
   * @param key the name in the group
   * @param text the value
   * @return a copy with the value
   * @throws IllegalArgumentException if an argument is {@code null}
   */
  public Metadata with(String group, String key, String text) {
    return with(group, key, Checks.required("text", text).getBytes(UTF_8));
  }

  /**
   * Takes away a whole group.
   *
   * @param group the group's name; one that isn't there changes nothing
   * @return a copy without the group
   * @throws IllegalArgumentException if the argument is {@code null}
   */
  public Metadata without(String group) {
    return valuesOf(group).isEmpty() ? this : withGroup(group, Map.of());
  }

  /**
   * Takes away one value, and with the last one of a group the group.
   *
   * @param group the group's name
   * @param key the name in the group; one that isn't there changes nothing
   * @return a copy without the value
   * @throws IllegalArgumentException if an argument is {@code null}
   */
  public Metadata without(String group, String key) {
    if (!valuesOf(group).containsKey(Checks.required("key", key))) {
      return this;
    }
    Map<String, byte[]> values = new HashMap<>(valuesOf(group));
    values.remove(key);
    return withGroup(group, values);
  }

  private Metadata withGroup(String group, Map<String, byte[]> values) {
    Map<String, Map<String, byte[]>> changed = new HashMap<>(groups);
    if (values.isEmpty()) {
      changed.remove(group);
    } else {
      changed.put(group, Checks.copy(values));
    }
    return ofOwned(changed);
  }

  /** {@return an unmodifiable set of the groups' names, in no particular order} */
  public Set<String> groups() {
    return groups.keySet();
  }

  /**
   * The names in one group, in no particular order.
   *
   * @param group the group's name
   * @return an unmodifiable set, empty where there is no such group
   * @throws IllegalArgumentException if the argument is {@code null}
   */
  public Set<String> keys(String group) {
    return valuesOf(group).keySet();
  }

  /**
   * Looks up one value.
   *
   * @param group the group's name
   * @param key the name in the group
   * @return the array that was handed in, only to be read; empty where there is none
   * @throws IllegalArgumentException if an argument is {@code null}
   */
  public Optional<byte[]> value(String group, String key) {
    return Optional.ofNullable(valuesOf(group).get(Checks.required("key", key)));
  }

  /**
   * Looks up one value and reads it as UTF-8; bytes that aren't become U+FFFD.
   *
   * @param group the group's name
   * @param key the name in the group
   * @return the text; empty where there is no value
   * @throws IllegalArgumentException if an argument is {@code null}
   */
  public Optional<String> text(String group, String key) {
    return value(group, key).map(value -> new String(value, UTF_8));
  }

  private Map<String, byte[]> valuesOf(String group) {
    return groups.getOrDefault(Checks.required("group", group), Map.of());
  }

  /** {@return whether there is no value in any group} */
  public boolean isEmpty() {
    return groups.isEmpty();
  }

  /**
   * Everything, for loops over it. Both levels of the map are unmodifiable; the arrays are those
   * that were handed in, only to be read.
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

  /** Adds where order must not matter, as the hash code of a map does. */
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
