package io.mapstream.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** Compares the dashboard and the alerts with a scrape of a running function. */
class MonitoringTest {

  private static final Path KUBERNETES = Path.of("kubernetes");

  /** The labels that the Prometheus operator gives to each target of a PodMonitor. */
  private static final Set<String> LABELS_OF_THE_OPERATOR = Set.of("namespace", "pod", "container");

  private static final Pattern SAMPLE =
      Pattern.compile("^(mapstream_\\w+)(?:\\{(.*)})? \\S+$", Pattern.MULTILINE);
  private static final Pattern METRIC = Pattern.compile("\\bmapstream_\\w+");
  private static final Pattern MATCHER = Pattern.compile("(\\w+)(?:=~|!~|!=|=)\"([^\"]*)\"");
  private static final Pattern GROUPED = Pattern.compile("\\bby \\(([^)]*)\\)");
  private static final Pattern ASKED_VALUES = Pattern.compile("^label_values\\(.*, (\\w+)\\)$");
  private static final Pattern SHOWN =
      Pattern.compile("\\{\\{ ?(?:\\$labels\\.)?(\\w+)(?: \\| \\w+)? ?}}");

  /** Metrics by name, each with its labels and their values. */
  private static final Map<String, Map<String, Set<String>>> SCRAPED = new TreeMap<>();

  /** A query, and the texts that show its result. */
  private record Query(String expression, List<String> texts) {

    Set<String> metrics() {
      return found(METRIC, 0, expression);
    }

    /** Returns the labels of its result. */
    Set<String> labels() {
      Set<String> grouped =
          found(GROUPED, 1, expression).stream()
              .flatMap(list -> List.of(list.split(", ")).stream())
              .collect(Collectors.toSet());
      return grouped.isEmpty() ? labelsOf(metrics()) : grouped;
    }
  }

  @BeforeAll
  static void scrape() throws Exception {
    Path folder = Files.createTempDirectory("m");
    Matcher sample = SAMPLE.matcher(MeteredTest.scrape(folder));
    Files.delete(folder);
    while (sample.find()) {
      Map<String, Set<String>> labels =
          SCRAPED.computeIfAbsent(sample.group(1), name -> new TreeMap<>());
      Matcher label = MATCHER.matcher(sample.group(2) == null ? "" : sample.group(2));
      while (label.find()) {
        labels.computeIfAbsent(label.group(1), name -> new TreeSet<>()).add(label.group(2));
      }
    }
  }

  private static Set<String> found(Pattern pattern, int group, String text) {
    return pattern
        .matcher(text)
        .results()
        .map(match -> match.group(group))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static JsonNode read(String file) {
    return new YAMLMapper().readTree(KUBERNETES.resolve(file));
  }

  private static List<Query> alerts() {
    List<Query> queries = new ArrayList<>();
    for (JsonNode rule : read("rules.yaml").get("spec").get("groups").get(0).get("rules")) {
      queries.add(
          new Query(
              rule.get("expr").asString(),
              rule.get("annotations").valueStream().map(JsonNode::asString).toList()));
    }
    return queries;
  }

  private static List<Query> panels() {
    List<Query> queries = new ArrayList<>();
    for (JsonNode panel : read("dashboard.json").get("panels")) {
      for (JsonNode target : panel.get("targets")) {
        queries.add(
            new Query(
                target.get("expr").asString(), List.of(target.get("legendFormat").asString())));
      }
    }
    return queries;
  }

  private static List<String> variables() {
    return read("dashboard.json").findValues("definition").stream()
        .map(JsonNode::asString)
        .toList();
  }

  private static List<Query> all() {
    List<Query> queries = new ArrayList<>(alerts());
    queries.addAll(panels());
    variables().forEach(variable -> queries.add(new Query(variable, List.of())));
    return queries;
  }

  /** Returns the labels of the pods' targets and of the metrics themselves. */
  private static Set<String> labelsOf(Set<String> metrics) {
    Set<String> labels = new HashSet<>(LABELS_OF_THE_OPERATOR);
    read("podmonitor.yaml")
        .findValues("targetLabel")
        .forEach(label -> labels.add(label.asString()));
    metrics.forEach(metric -> labels.addAll(SCRAPED.getOrDefault(metric, Map.of()).keySet()));
    return labels;
  }

  @Test
  void eachMetricOfAQueryIsScraped() {
    assertEquals(5, alerts().size());
    for (Query query : all()) {
      assertFalse(query.metrics().isEmpty(), query::expression);
      for (String metric : query.metrics()) {
        assertTrue(SCRAPED.containsKey(metric), () -> metric + " in " + query.expression());
      }
    }
  }

  @Test
  void theDashboardShowsEachMetric() {
    Set<String> shown = new TreeSet<>();
    panels().forEach(query -> shown.addAll(query.metrics()));

    assertEquals(SCRAPED.keySet(), shown);
  }

  @Test
  void eachLabelOfAQueryIsScraped() {
    for (Query query : all()) {
      Set<String> labels = labelsOf(query.metrics());
      Set<String> used = new TreeSet<>(query.labels());
      used.addAll(found(MATCHER, 1, query.expression()));
      used.addAll(found(ASKED_VALUES, 1, query.expression()));
      for (String label : used) {
        assertTrue(labels.contains(label), () -> label + " in " + query.expression());
      }
    }
  }

  @Test
  void eachLabelOfATextIsInTheResultOfItsQuery() {
    int shown = 0;
    for (Query query : all()) {
      Set<String> labels = query.labels();
      for (String text : query.texts()) {
        for (String label : found(SHOWN, 1, text.replaceAll("\\{\\{ \\$value[^}]*}}", ""))) {
          shown++;
          assertTrue(labels.contains(label), () -> label + " of " + query.expression());
        }
      }
    }
    assertTrue(shown >= panels().size(), "each panel names its lines");
  }

  @Test
  void kindsOfFailureAreScraped() {
    Set<String> kinds = SCRAPED.get("mapstream_failures_total").get("kind");
    Set<String> used = new TreeSet<>();
    for (Query query : all()) {
      for (Matcher label = MATCHER.matcher(query.expression()); label.find(); ) {
        if (label.group(1).equals("kind")) {
          used.add(label.group(2));
        }
      }
    }

    assertFalse(used.isEmpty());
    assertTrue(kinds.containsAll(used), used::toString);
  }
}
