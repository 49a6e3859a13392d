package io.mapstream.server;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The environment of the process, or of a test. It remembers which variables were requested. */
final class Environment {

  private static final String PREFIX = "MAPSTREAM_";

  /** Variables that Kubernetes sets in each pod of a namespace with a service of that name. */
  private static final String OF_A_SERVICE =
      ".*_(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_\\d+_(TCP|UDP|SCTP)(_.*)?)?)";

  private final Map<String, String> variables;
  private final Set<String> known = new TreeSet<>();

  Environment(Map<String, String> variables) {
    this.variables = variables;
  }

  /** Returns the value given in code, or that of the first variable that is set, or the default. */
  <T> T orElse(@Nullable T given, Function<String, T> parse, String defaultValue, String... names) {
    known.addAll(List.of(names));
    if (given != null) {
      return given;
    }
    for (String name : names) {
      String text = variables.getOrDefault(name, "");
      if (!text.isBlank()) {
        return parsed(name, text, parse);
      }
    }
    return parse.apply(defaultValue);
  }

  private static <T> T parsed(String name, String text, Function<String, T> parse) {
    try {
      return parse.apply(text.strip());
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "the environment's " + name + "=" + text + " can't be used: " + e.getMessage(), e);
    }
  }

  /** Returns a line for each variable that is named like a setting and was never requested. */
  List<String> misspelt() {
    List<String> lines = new ArrayList<>();
    for (String name : new TreeSet<>(variables.keySet())) {
      if (name.startsWith(PREFIX) && !known.contains(name) && !name.matches(OF_A_SERVICE)) {
        lines.add(name + " is not a setting; the nearest is " + nearest(name));
      }
    }
    return List.copyOf(lines);
  }

  private String nearest(String name) {
    return known.stream()
        .filter(candidate -> candidate.startsWith(PREFIX))
        .min(Comparator.comparingInt(candidate -> distance(name, candidate)))
        .orElse("none");
  }

  /**
   * Returns how many characters have to be inserted, deleted or replaced to get from one to the
   * other.
   */
  private static int distance(String from, String to) {
    int[] row = new int[to.length() + 1];
    for (int column = 0; column <= to.length(); column++) {
      row[column] = column;
    }
    for (int i = 1; i <= from.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= to.length(); j++) {
        int replaced = diagonal + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[to.length()];
  }
}
