package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.server.ServerOptions.ErrorPolicy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The precedence of settings: code, environment, default. */
class ServerOptionsTest {

  private static final Map<String, String> ENVIRONMENT =
      Map.ofEntries(
          Map.entry("MAPSTREAM_SOCKET_PATH", "/env/s"),
          Map.entry("MAPSTREAM_SERVER_INFO_FILE", "/env/i"),
          Map.entry("MAPSTREAM_MAX_MESSAGE_SIZE", "1000"),
          Map.entry("MAPSTREAM_MAX_CONCURRENCY", "7"),
          Map.entry("MAPSTREAM_SHUTDOWN_GRACE_SECONDS", "11"),
          Map.entry("NUMAFLOW_GRPC_SHUTDOWN_GRACE_PERIOD_SECONDS", "12"),
          Map.entry("MAPSTREAM_ERROR_POLICY", "FAIL"),
          Map.entry("MAPSTREAM_DATUM_ID_IN_MDC", "true"),
          Map.entry("MAPSTREAM_SLOW_HANDLER_SECONDS", "13"),
          Map.entry("MAPSTREAM_MAX_CARRIERS", "14"),
          Map.entry("MAPSTREAM_NUMAFLOW_VERSION", "v1.8.4"),
          Map.entry("NUMAFLOW_UD_CONTAINER_TYPE", "udf"));

  private static MapStreamServerBuilder builder() {
    return MapStreamServer.builder((keys, datum, sink) -> {});
  }

  private static ServerOptions from(Map<String, String> environment) {
    return ServerOptions.in(environment);
  }

  @Test
  void defaultsAreThePlatforms() {
    ServerOptions options = from(Map.of());

    assertEquals(Path.of("/var/run/numaflow/mapstream.sock"), options.socketPath());
    assertEquals(Path.of("/var/run/numaflow/mapper-server-info"), options.serverInfoFile());
    assertEquals(64 * 1024 * 1024, options.maxMessageSize());
    assertEquals(10_000, options.maxConcurrency());
    assertEquals(Duration.ofSeconds(30), options.shutdownGrace());
    assertEquals(ErrorPolicy.STOP, options.errorPolicy());
    assertFalse(options.datumIdInMdc());
    assertEquals(Duration.ZERO, options.slowHandlerWarning());
    assertEquals(64, options.maxCarriers());
    assertEquals(Optional.empty(), options.numaflowVersion());
    assertEquals("unknown-container", options.containerType());
  }

  @Test
  void theEnvironmentReplacesDefaults() {
    ServerOptions options = from(ENVIRONMENT);

    assertEquals(Path.of("/env/s"), options.socketPath());
    assertEquals(Path.of("/env/i"), options.serverInfoFile());
    assertEquals(1000, options.maxMessageSize());
    assertEquals(7, options.maxConcurrency());
    assertEquals(Duration.ofSeconds(11), options.shutdownGrace());
    assertEquals(ErrorPolicy.FAIL, options.errorPolicy());
    assertTrue(options.datumIdInMdc());
    assertEquals(Duration.ofSeconds(13), options.slowHandlerWarning());
    assertEquals(14, options.maxCarriers());
    assertEquals(Optional.of("1.8.4"), options.numaflowVersion());
    assertEquals("udf", options.containerType());
  }

  @Test
  void codeWins() {
    ServerOptions options =
        builder()
            .socketPath(Path.of("/code/s"))
            .serverInfoFile(Path.of("/code/i"))
            .maxMessageSize(2000)
            .maxConcurrency(8)
            .shutdownGrace(Duration.ofMillis(1))
            .errorPolicy(ErrorPolicy.STOP)
            .datumIdInMdc(false)
            .slowHandlerWarning(Duration.ofMillis(2))
            .maxCarriers(0)
            .numaflowVersion("1.8.3")
            .optionsIn(ENVIRONMENT);

    assertEquals(Path.of("/code/s"), options.socketPath());
    assertEquals(Path.of("/code/i"), options.serverInfoFile());
    assertEquals(2000, options.maxMessageSize());
    assertEquals(8, options.maxConcurrency());
    assertEquals(Duration.ofMillis(1), options.shutdownGrace());
    assertEquals(ErrorPolicy.STOP, options.errorPolicy());
    assertFalse(options.datumIdInMdc());
    assertEquals(Duration.ofMillis(2), options.slowHandlerWarning());
    assertEquals(0, options.maxCarriers());
    assertEquals(Optional.of("1.8.3"), options.numaflowVersion());
    assertEquals(options.toString(), builder().options(options).optionsIn(Map.of()).toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.4.0", "1.8.2", "v1.8.3"})
  void policyFailIsRefusedOnAReleaseThatDoesNotKnowItsMark(String version) {
    MapStreamServerBuilder code = builder().errorPolicy(ErrorPolicy.FAIL).numaflowVersion(version);

    String refusal =
        assertThrows(IllegalArgumentException.class, () -> code.optionsIn(Map.of())).getMessage();

    assertEquals(
        "errorPolicy must not be FAIL with numaflowVersion "
            + version.replace("v", "")
            + ": the fail mark needs a Numaflow release after 1.8.3, and this release would"
            + " acknowledge each failed datum and forward an empty message; use STOP",
        refusal);
    assertThrows(
        IllegalArgumentException.class,
        () ->
            from(Map.of("MAPSTREAM_ERROR_POLICY", "FAIL", "MAPSTREAM_NUMAFLOW_VERSION", version)));
  }

  @Test
  void thePlatformsGraceAppliesIfTheOwnVariableIsNotSet() {
    Map<String, String> environment = new HashMap<>(ENVIRONMENT);
    environment.remove("MAPSTREAM_SHUTDOWN_GRACE_SECONDS");

    assertEquals(Duration.ofSeconds(12), from(environment).shutdownGrace());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "  "})
  void blankVariablesAreNotSet(String blank) {
    Map<String, String> environment = new HashMap<>();
    ENVIRONMENT.keySet().forEach(variable -> environment.put(variable, blank));

    assertEquals(from(Map.of()).toString(), from(environment).toString());
    assertEquals("unknown-container", from(environment).containerType());
  }

  @Test
  void spacesAroundAValueAndTheCaseOfAWordDoNotMatter() {
    ServerOptions options =
        from(
            Map.of(
                "MAPSTREAM_MAX_CONCURRENCY", " 7 ",
                "MAPSTREAM_ERROR_POLICY", "fail",
                "MAPSTREAM_DATUM_ID_IN_MDC", "True"));

    assertEquals(7, options.maxConcurrency());
    assertEquals(ErrorPolicy.FAIL, options.errorPolicy());
    assertTrue(options.datumIdInMdc());
  }

  @ParameterizedTest
  @CsvSource({
    "MAPSTREAM_MAX_MESSAGE_SIZE, 0",
    "MAPSTREAM_MAX_MESSAGE_SIZE, -1",
    "MAPSTREAM_MAX_MESSAGE_SIZE, 64 MiB",
    "MAPSTREAM_MAX_MESSAGE_SIZE, 2147483648",
    "MAPSTREAM_MAX_CONCURRENCY, 0",
    "MAPSTREAM_MAX_CONCURRENCY, many",
    "MAPSTREAM_NUMAFLOW_VERSION, latest",
    "MAPSTREAM_NUMAFLOW_VERSION, 1.3.9",
    "MAPSTREAM_SHUTDOWN_GRACE_SECONDS, -1",
    "MAPSTREAM_SHUTDOWN_GRACE_SECONDS, 30s",
    "NUMAFLOW_GRPC_SHUTDOWN_GRACE_PERIOD_SECONDS, soon",
    "NUMAFLOW_GRPC_SHUTDOWN_GRACE_PERIOD_SECONDS, -30",
    "MAPSTREAM_ERROR_POLICY, IGNORE",
    "MAPSTREAM_DATUM_ID_IN_MDC, yes",
    "MAPSTREAM_SLOW_HANDLER_SECONDS, -1",
    "MAPSTREAM_SLOW_HANDLER_SECONDS, 0.5",
    "MAPSTREAM_MAX_CARRIERS, -1",
    "MAPSTREAM_MAX_CARRIERS, all"
  })
  void anUnusableValueIsRefusedWithItsVariable(String variable, String value) {
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> from(Map.of(variable, value)));

    assertTrue(refused.getMessage().contains(variable + "=" + value), refused::getMessage);
  }

  @Test
  void anUnusableValueThatIsNotNeededIsNotAnError() {
    Map<String, String> unusable =
        Map.of(
            "MAPSTREAM_MAX_MESSAGE_SIZE", "x",
            "MAPSTREAM_MAX_CONCURRENCY", "x",
            "MAPSTREAM_SHUTDOWN_GRACE_SECONDS", "x",
            "NUMAFLOW_GRPC_SHUTDOWN_GRACE_PERIOD_SECONDS", "x",
            "MAPSTREAM_ERROR_POLICY", "x",
            "MAPSTREAM_DATUM_ID_IN_MDC", "x",
            "MAPSTREAM_SLOW_HANDLER_SECONDS", "x",
            "MAPSTREAM_MAX_CARRIERS", "x");
    ServerOptions options =
        builder()
            .maxMessageSize(2000)
            .maxConcurrency(8)
            .shutdownGrace(Duration.ZERO)
            .errorPolicy(ErrorPolicy.STOP)
            .datumIdInMdc(true)
            .slowHandlerWarning(Duration.ZERO)
            .maxCarriers(1)
            .optionsIn(unusable);

    assertEquals(Duration.ZERO, options.shutdownGrace());
    assertEquals(
        Duration.ofSeconds(5),
        from(Map.of(
                "MAPSTREAM_SHUTDOWN_GRACE_SECONDS", "5",
                "NUMAFLOW_GRPC_SHUTDOWN_GRACE_PERIOD_SECONDS", "x"))
            .shutdownGrace());
  }

  @Test
  void theBuildersRefuseUnusableValuesByName() {
    for (var refused :
        Map.<String, Executable>of(
                "maxMessageSize", () -> builder().maxMessageSize(0),
                "maxConcurrency", () -> builder().maxConcurrency(-1),
                "shutdownGrace", () -> builder().shutdownGrace(Duration.ofMillis(-1)),
                "slowHandlerWarning", () -> builder().slowHandlerWarning(Duration.ofMillis(-1)),
                "maxCarriers", () -> builder().maxCarriers(-1))
            .entrySet()) {
      String message =
          assertThrows(IllegalArgumentException.class, refused.getValue()).getMessage();
      assertTrue(message.startsWith(refused.getKey()), message);
    }
  }

  @Test
  void theBuilderRefusesNullByName() {
    for (var refused :
        Map.<String, Executable>of(
                "handler", () -> MapStreamServer.builder(null),
                "numaflowVersion", () -> builder().numaflowVersion(null),
                "onStop", () -> builder().onStop(null),
                "options", () -> builder().options(null),
                "socketPath", () -> builder().socketPath(null),
                "serverInfoFile", () -> builder().serverInfoFile(null),
                "shutdownGrace", () -> builder().shutdownGrace(null),
                "errorPolicy", () -> builder().errorPolicy(null),
                "slowHandlerWarning", () -> builder().slowHandlerWarning(null))
            .entrySet()) {
      String message = assertThrows(NullPointerException.class, refused.getValue()).getMessage();
      assertEquals(refused.getKey(), message);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "MAPSTREAM_MAX_CONCURENCY, MAPSTREAM_MAX_CONCURRENCY",
    "MAPSTREAM_CONCURRENCY, MAPSTREAM_MAX_CONCURRENCY",
    "MAPSTREAM_SHUTDOWN_GRACE_PERIOD_SECONDS, MAPSTREAM_SHUTDOWN_GRACE_SECONDS",
    "MAPSTREAM_ERRORPOLICY, MAPSTREAM_ERROR_POLICY",
    "MAPSTREAM_SERVICE_PATH, MAPSTREAM_SOCKET_PATH"
  })
  void aMisspeltVariableIsFoundWithTheNearestSetting(String given, String nearest) {
    assertEquals(
        List.of(given + " is not a setting; the nearest is " + nearest),
        from(Map.of(given, "1")).misspelt());
  }

  /**
   * Settings that the code overrides, and variables that Kubernetes sets for a service named
   * mapstream.
   */
  @Test
  void otherVariablesAreNotMisspeltSettings() {
    Map<String, String> environment = new HashMap<>(ENVIRONMENT);
    for (String name :
        List.of(
            "PATH",
            "MAPSTREAM_SERVICE_HOST",
            "MAPSTREAM_SERVICE_PORT",
            "MAPSTREAM_SERVICE_PORT_METRICS",
            "MAPSTREAM_UI_SERVICE_HOST",
            "MAPSTREAM_PORT",
            "MAPSTREAM_PORT_9464_TCP_ADDR",
            "MAPSTREAM_PORT_9464_TCP")) {
      environment.put(name, "x");
    }

    assertEquals(List.of(), builder().maxConcurrency(3).optionsIn(environment).misspelt());
  }

  @Test
  void theServersBuilderTakesAllOptionsAtOnceAndSingleOnesAfterwards() {
    ServerOptions all = from(ENVIRONMENT);

    ServerOptions taken =
        builder().options(all).maxConcurrency(9).datumIdInMdc(false).build().options();

    assertEquals(9, taken.maxConcurrency());
    assertEquals(all.socketPath(), taken.socketPath());
    assertEquals(all.serverInfoFile(), taken.serverInfoFile());
    assertEquals(all.maxMessageSize(), taken.maxMessageSize());
    assertEquals(all.shutdownGrace(), taken.shutdownGrace());
    assertEquals(all.errorPolicy(), taken.errorPolicy());
    assertFalse(taken.datumIdInMdc());
    assertEquals(all.slowHandlerWarning(), taken.slowHandlerWarning());
    assertEquals(all.maxCarriers(), taken.maxCarriers());
    assertEquals(all.containerType(), taken.containerType());
  }

  @Test
  void textShowsEverySetting() {
    assertEquals(
        "ServerOptions[socketPath=/env/s, serverInfoFile=/env/i, maxMessageSize=1000,"
            + " maxConcurrency=7, shutdownGrace=PT11S, errorPolicy=FAIL, datumIdInMdc=true,"
            + " slowHandlerWarning=PT13S, maxCarriers=14, numaflowVersion=1.8.4]",
        from(ENVIRONMENT).toString());
  }
}
