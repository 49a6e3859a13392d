package io.mapstream.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

class ManifestsTest {

  private static final String PIPELINE = "pipeline.yaml";
  private static final String MONO_VERTEX = "monovertex.yaml";

  /** What Kubernetes gives a pod to end in, where nothing else is said. */
  private static final int POD_GRACE_SECONDS = 30;

  @ParameterizedTest
  @ValueSource(strings = {PIPELINE, MONO_VERTEX})
  void manifestHasKnownFieldsAlone(String manifest) throws IOException {
    assertEquals(List.of(), faults(read(manifest)));
  }

  @ParameterizedTest
  @CsvSource({
    "pipeline.yaml, readBatchSize: 500, readBatchsize: 500, readBatchsize",
    "pipeline.yaml, steps: 3, step: 3, step",
    "pipeline.yaml, operator: not, operators: not, operators",
    "pipeline.yaml, concurrency: 1000, concurrency: many, /spec/vertices/1/limits/concurrency",
    "pipeline.yaml, onFailure: drop, onFailure: ignore,"
        + " /spec/vertices/1/udf/retryStrategy/onFailure",
    "pipeline.yaml, operator: not, operator: nor, /spec/edges/3/conditions/tags/operator",
    "pipeline.yaml, kind: Pipeline, kind: Pipelines, /kind",
    "monovertex.yaml, interval: 1s, interval: 1, /spec/udf/retryStrategy/backoff/interval",
    "monovertex.yaml, onFailure: retry, onFailure: fallback, /spec/udf/retryStrategy/onFailure",
    "monovertex.yaml, memory: 256Mi, memory: 256MB, /spec/udf/container/resources/requests/memory",
    "monovertex.yaml, 'value: \"20\"', value: 20, /spec/udf/container/env/1/value",
    "monovertex.yaml, image: flat-map:1.0.0, mapMode: stream, mapMode",
    "monovertex.yaml, zeroReplicaSleepSeconds: 60, terminationGracePeriodSeconds: 60,"
        + " terminationGracePeriodSeconds"
  })
  void changedManifestIsRefused(String manifest, String field, String changed, String named)
      throws IOException {
    String text = read(manifest);
    assertTrue(text.contains(field), () -> field + " is not in " + manifest);

    List<String> faults = faults(text.replace(field, changed));

    assertTrue(faults.stream().anyMatch(fault -> fault.contains(named)), faults::toString);
  }

  @Test
  void edgesJoinVerticesThatAreThere() throws IOException {
    JsonNode spec = parsed(PIPELINE).get("spec");
    List<String> vertices =
        spec.get("vertices").valueStream().map(vertex -> vertex.get("name").asString()).toList();

    for (JsonNode edge : spec.get("edges")) {
      assertTrue(vertices.contains(edge.get("from").asString()), edge::toString);
      assertTrue(vertices.contains(edge.get("to").asString()), edge::toString);
    }
  }

  @Test
  void tagsOfTheEdgesAreThoseThatTheFunctionSets() throws IOException {
    Set<String> tags =
        parsed(PIPELINE).findValues("tags").stream()
            .flatMap(condition -> condition.get("values").valueStream())
            .map(JsonNode::asString)
            .collect(Collectors.toSet());

    assertEquals(Set.of(EventTimeFilter.LATE), tags);
  }

  @ParameterizedTest
  @ValueSource(strings = {PIPELINE, MONO_VERTEX})
  void settingsAreThoseThatTheServerReads(String manifest) throws IOException {
    String server = sources(Path.of("../mapstream-server/src/main/java"));
    List<String> settings =
        environment(manifest)
            .map(variable -> variable.get("name").asString())
            .filter(name -> name.matches("(MAPSTREAM|NUMAFLOW)_.*"))
            .toList();

    assertTrue(!settings.isEmpty());
    for (String setting : settings) {
      assertTrue(server.contains('"' + setting + '"'), setting);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {PIPELINE, MONO_VERTEX})
  void functionStopsWithinThePodsGrace(String manifest) throws IOException {
    List<Integer> graces =
        environment(manifest)
            .filter(variable -> variable.get("name").asString().contains("GRACE"))
            .map(variable -> Integer.parseInt(variable.get("value").asString()))
            .toList();

    assertEquals(parsed(manifest).findValues("udf").size(), graces.size());
    assertTrue(graces.stream().allMatch(grace -> grace < POD_GRACE_SECONDS), graces::toString);
  }

  @ParameterizedTest
  @ValueSource(strings = {PIPELINE, MONO_VERTEX})
  void fieldsAreExplainedInThePage(String manifest) throws IOException {
    String page = Files.readString(Path.of("../docs/kubernetes.md"));
    Set<String> fields = new TreeSet<>();
    for (String part : List.of("udf", "container", "retryStrategy", "backoff", "limits", "scale")) {
      parsed(manifest).findValues(part).forEach(node -> fields.addAll(node.propertyNames()));
    }
    // Of the container's resources, not of the vertex.
    fields.removeAll(Set.of("cpu", "memory"));

    assertTrue(fields.contains("onFailure"));
    for (String field : fields) {
      assertTrue(page.matches("(?s).*[`.]" + field + "`.*|.*\\." + field + "\\..*"), field);
    }
  }

  private static List<String> faults(String manifest) throws IOException {
    return schema().validate(manifest, InputFormat.YAML).stream().map(Error::toString).toList();
  }

  private static Schema schema() throws IOException {
    return SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
        .getSchema(
            Files.readString(Path.of("src/test/resources/manifest.schema.json")), InputFormat.JSON);
  }

  private static String read(String manifest) throws IOException {
    return Files.readString(Path.of("kubernetes").resolve(manifest));
  }

  private static JsonNode parsed(String manifest) throws IOException {
    return new YAMLMapper().readTree(read(manifest));
  }

  private static Stream<JsonNode> environment(String manifest) throws IOException {
    return parsed(manifest).findValues("env").stream().flatMap(JsonNode::valueStream);
  }

  private static String sources(Path folder) throws IOException {
    StringBuilder text = new StringBuilder();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        text.append(Files.readString(file));
      }
    }
    return text.toString();
  }
}
