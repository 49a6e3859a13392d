package io.mapstream.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.lang.module.ModuleDescriptor.Version;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
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
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

class ManifestsTest {

  private static final String PIPELINE = "pipeline.yaml";
  private static final String MONO_VERTEX = "monovertex.yaml";
  private static final String POD_MONITOR = "podmonitor.yaml";
  private static final String RULES = "rules.yaml";
  private static final String STARTER = "../starter/monovertex.yaml";

  /** The newest release of the platform, which the unchanged manifests are for. */
  private static final String NEWEST_RELEASE = "1.8.3";

  /** A later release, which the lines with {@code #+} are for. */
  private static final String NEXT_RELEASE = "1.8.4";

  /** The default time that Kubernetes gives a pod to end. */
  private static final int POD_GRACE_SECONDS = 30;

  @ParameterizedTest
  @ValueSource(strings = {PIPELINE, MONO_VERTEX, POD_MONITOR, RULES, STARTER})
  void manifestHasOnlyFieldsThatTheNewestReleaseKnows(String manifest) throws IOException {
    assertEquals(List.of(), faults(read(manifest), NEWEST_RELEASE));
    assertEquals(List.of(), faults(readForNextRelease(manifest), NEXT_RELEASE));
  }

  @ParameterizedTest
  @CsvSource({
    "pipeline.yaml, 1.8.3, retryStrategy",
    "monovertex.yaml, 1.8.3, retryStrategy",
    "pipeline.yaml, 1.7.9, concurrency",
    "monovertex.yaml, 1.6.0, udf",
  })
  void fieldThatAReleaseDoesNotKnowIsNamed(String manifest, String release, String field)
      throws IOException {
    List<String> faults = faults(readForNextRelease(manifest), release);

    assertTrue(faults.stream().anyMatch(fault -> fault.contains(field)), faults::toString);
  }

  @ParameterizedTest
  @ValueSource(strings = {PIPELINE, MONO_VERTEX})
  void failPolicyIsOnlyForReleasesThatKnowItsMark(String manifest) throws IOException {
    JsonNode now = parse(read(manifest));
    assertEquals(List.of(), values(now, "MAPSTREAM_ERROR_POLICY"));
    assertEquals(
        Collections.nCopies(now.findValues("udf").size(), NEWEST_RELEASE),
        values(now, "MAPSTREAM_NUMAFLOW_VERSION"));
    assertEquals(
        List.of("FAIL"), values(parse(readForNextRelease(manifest)), "MAPSTREAM_ERROR_POLICY"));
  }

  private static List<String> values(JsonNode manifest, String name) {
    return environment(manifest)
        .filter(variable -> variable.get("name").asString().equals(name))
        .map(variable -> variable.get("value").asString())
        .toList();
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
    "pipeline.yaml, fsGroup: 10001, fsGroups: 10001, fsGroups",
    "pipeline.yaml, runAsNonRoot: true, runAsNonRoot: 'yes',"
        + " /spec/templates/vertex/securityContext/runAsNonRoot",
    "pipeline.yaml, readOnlyRootFilesystem: true, readonlyRootFilesystem: true,"
        + " readonlyRootFilesystem",
    "pipeline.yaml, sizeLimit: 512Mi, limit: 512Mi, /spec/vertices/1/volumes/0/emptyDir",
    "pipeline.yaml, name: fn-metrics, name: metrics-of-function,"
        + " /spec/vertices/1/udf/container/ports/0/name",
    "monovertex.yaml, imagePullSecrets, pullSecrets, pullSecrets",
    "monovertex.yaml, drop:, remove:, /spec/udf/container/securityContext/capabilities",
    "podmonitor.yaml, kind: PodMonitor, kind: Pipeline, /apiVersion",
    "podmonitor.yaml, targetLabel: vertex, target: vertex, target",
    "podmonitor.yaml, port: fn-metrics, ports: fn-metrics, ports",
    "rules.yaml, expr: mapstream, expression: mapstream, expression",
    "rules.yaml, severity: warning, severity: warn, labels/severity",
    "rules.yaml, 'for: 5m', 'for: 5', /spec/groups/0/rules/0/for",
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
    String text = readForNextRelease(manifest);
    assertTrue(text.contains(field), () -> field + " is not in " + manifest);

    List<String> faults = faults(text.replace(field, changed), NEXT_RELEASE);

    assertTrue(faults.stream().anyMatch(fault -> fault.contains(named)), faults::toString);
  }

  @Test
  void edgesJoinExistingVertices() throws IOException {
    JsonNode spec = parse(read(PIPELINE)).get("spec");
    List<String> vertices =
        spec.get("vertices").valueStream().map(vertex -> vertex.get("name").asString()).toList();

    for (JsonNode edge : spec.get("edges")) {
      assertTrue(vertices.contains(edge.get("from").asString()), edge::toString);
      assertTrue(vertices.contains(edge.get("to").asString()), edge::toString);
    }
  }

  @Test
  void edgesUseTheTagsThatTheFunctionSets() throws IOException {
    Set<String> tags =
        parse(read(PIPELINE)).findValues("tags").stream()
            .flatMap(condition -> condition.get("values").valueStream())
            .map(JsonNode::asString)
            .collect(Collectors.toSet());

    assertEquals(Set.of(EventTimeFilter.LATE), tags);
  }

  @ParameterizedTest
  @ValueSource(strings = {PIPELINE, MONO_VERTEX})
  void theServerReadsEachSetting(String manifest) throws IOException {
    String server = sources(Path.of("../mapstream-server/src/main/java"));
    List<String> settings =
        environment(parse(readForNextRelease(manifest)))
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
        environment(parse(read(manifest)))
            .filter(variable -> variable.get("name").asString().contains("GRACE"))
            .map(variable -> Integer.parseInt(variable.get("value").asString()))
            .toList();

    assertEquals(parse(read(manifest)).findValues("udf").size(), graces.size());
    assertTrue(graces.stream().allMatch(grace -> grace < POD_GRACE_SECONDS), graces::toString);
  }

  @ParameterizedTest
  @ValueSource(strings = {PIPELINE, MONO_VERTEX})
  void fieldsAreExplainedInThePage(String manifest) throws IOException {
    String page = Files.readString(Path.of("../docs/kubernetes.md"));
    JsonNode manifestOfNextRelease = parse(readForNextRelease(manifest));
    Set<String> fields = new TreeSet<>();
    for (String part :
        List.of(
            "vertex",
            "udf",
            "container",
            "securityContext",
            "emptyDir",
            "retryStrategy",
            "backoff",
            "limits",
            "scale")) {
      manifestOfNextRelease.findValues(part).forEach(node -> fields.addAll(node.propertyNames()));
    }
    // Fields of the container's resources, not of the vertex.
    fields.removeAll(Set.of("cpu", "memory"));

    assertTrue(fields.contains("onFailure"));
    for (String field : fields) {
      assertTrue(page.matches("(?s).*[`.]" + field + "`.*|.*\\." + field + "\\..*"), field);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {PIPELINE, MONO_VERTEX})
  void bothContainersRunAsTheUserOfTheImage(String manifest) throws IOException {
    String dockerfile = Files.readString(Path.of("docker", "Dockerfile"));
    JsonNode user = parse(read(manifest)).findValue("runAsUser");

    assertTrue(dockerfile.contains("USER " + user.asInt() + ":" + user.asInt()), user::toString);
    for (String other : List.of("runAsGroup", "fsGroup")) {
      assertEquals(user, parse(read(manifest)).findValue(other));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {PIPELINE, MONO_VERTEX})
  void eachMountHasItsVolume(String manifest) throws IOException {
    assertEquals(names(manifest, "volumes"), names(manifest, "volumeMounts"));
  }

  @ParameterizedTest
  @ValueSource(strings = {PIPELINE, MONO_VERTEX})
  void theMonitorScrapesThePortOfTheFunction(String manifest) throws IOException {
    JsonNode port = parse(read(manifest)).findValue("ports").get(0);

    assertEquals(
        parse(read(POD_MONITOR)).findValue("podMetricsEndpoints").get(0).get("port"),
        port.get("name"));
    assertEquals(Metered.PORT, port.get("containerPort").asString());
  }

  private static List<String> names(String manifest, String of) throws IOException {
    return parse(read(manifest)).findValues(of).stream()
        .flatMap(JsonNode::valueStream)
        .map(entry -> entry.get("name").asString())
        .toList();
  }

  private static List<String> faults(String manifest, String release) throws IOException {
    return schema(release).validate(manifest, InputFormat.YAML).stream()
        .map(Error::toString)
        .toList();
  }

  /** The schema without the fields that a release does not know. */
  private static Schema schema(String release) throws IOException {
    JsonNode schema = new YAMLMapper().readTree(Path.of("src/test/resources/manifest.schema.json"));
    removeUnknown(schema, Version.parse(release));
    return SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
        .getSchema(schema.toString(), InputFormat.JSON);
  }

  private static void removeUnknown(JsonNode node, Version release) {
    if (node instanceof ObjectNode fields) {
      fields.removeIf(
          field -> isBelow(release, field.path("since")) || !isAbove(release, field.path("after")));
    }
    node.forEach(child -> removeUnknown(child, release));
  }

  private static boolean isBelow(Version release, JsonNode since) {
    return since.isString() && release.compareTo(Version.parse(since.asString())) < 0;
  }

  private static boolean isAbove(Version release, JsonNode after) {
    return !after.isString() || release.compareTo(Version.parse(after.asString())) > 0;
  }

  private static String read(String manifest) throws IOException {
    return Files.readString(Path.of("kubernetes").resolve(manifest));
  }

  private static String readForNextRelease(String manifest) throws IOException {
    return read(manifest).replace("#+ ", "");
  }

  private static JsonNode parse(String manifest) {
    return new YAMLMapper().readTree(manifest);
  }

  private static Stream<JsonNode> environment(JsonNode manifest) {
    return manifest.findValues("env").stream().flatMap(JsonNode::valueStream);
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
