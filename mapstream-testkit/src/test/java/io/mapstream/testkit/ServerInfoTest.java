package io.mapstream.testkit;

import static io.mapstream.testkit.ProtocolFaultTest.assertContains;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ServerInfoTest {

  private static final String GOOD =
      "{\"protocol\":\"uds\",\"language\":\"java\",\"minimum_numaflow_version\":\"1.4.0-z\","
          + "\"version\":\"1.0.0\",\"metadata\":{\"MAP_MODE\":\"stream-map\"}}";
  private static final String MARKER = "U+005C__END__";

  @Test
  void readsWhatAServerWrites() {
    assertEquals(
        new ServerInfo("uds", "java", "1.4.0-z", "1.0.0", Map.of("MAP_MODE", "stream-map")),
        ServerInfo.parse(GOOD + MARKER).check());
  }

  @Test
  void refusesAFileWithoutItsMarkerAtTheVeryEnd() {
    assertThrows(ProtocolFaultError.class, () -> ServerInfo.parse(GOOD));
    assertThrows(ProtocolFaultError.class, () -> ServerInfo.parse(GOOD + MARKER + "\n"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"uds\"            | \"tcp\"      | protocol must be uds but is \"tcp\"",
        "\"java\"           | \"\"         | language must be the name of a language",
        "\"stream-map\"     | \"unary-map\"| metadata.MAP_MODE must be stream-map",
        "\"MAP_MODE\"       | \"MODE\"     | metadata.MAP_MODE must be stream-map but is \"\"",
        "\"1.4.0-z\"        | \"latest\"   | minimum_numaflow_version must be",
        "\"1.0.0\"          | null         | version must be a string but is null",
        "\"version\"        | \"VERSION\"  | version must be a string but is null",
        "{\"MAP_MODE\":     | [\"a\",      | not JSON",
      })
  void refusesWhatThePlatformRefuses(String part, String replacement, String expected) {
    String content = GOOD.replace(part, replacement) + MARKER;
    var fault = assertThrows(ProtocolFaultError.class, () -> ServerInfo.parse(content).check());
    assertContains(expected, fault.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.0.0", "1.0.0-SNAPSHOT", "0.9.0", "0.9.1-rc1", "0.10.0", "v0.11.0"})
  void acceptsVersionsFrom090(String version) {
    assertDoesNotThrow(() -> ServerInfo.parse(with(version)).check());
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.0", "0.9.0-rc1", "unspecified", "0.8.9", "0.0.0", "", "1.0.0.0"})
  void refusesOtherVersions(String version) {
    var fault =
        assertThrows(ProtocolFaultError.class, () -> ServerInfo.parse(with(version)).check());
    assertContains("version must be three numbers, at least 0.9.0", fault.getMessage());
  }

  private static String with(String version) {
    return GOOD.replace("1.0.0", version) + MARKER;
  }
}
