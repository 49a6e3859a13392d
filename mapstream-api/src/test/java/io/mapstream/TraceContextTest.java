package io.mapstream;

import static io.mapstream.Refusal.assertNullRefused;
import static io.mapstream.Refusal.assertRefused;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The trace context of a datum: reading it from the platform's bytes, and setting it in tests. */
class TraceContextTest {

  private static final String PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

  /** Contains the lowest and the highest character that a header may have, and a tab. */
  private static final String STATE = "vendor=opaque,\tother=2 ~";

  private static final Metadata SENT = Metadata.empty().with("tracing_udf", "traceparent", PARENT);

  @Test
  void bothHeadersAreRead() {
    Metadata both = SENT.with("tracing_udf", "tracestate", STATE);

    assertEquals(Map.of("traceparent", PARENT, "tracestate", STATE), read(both));
  }

  @Test
  void traceparentAloneIsRead() {
    assertEquals(Map.of("traceparent", PARENT), read(SENT));
  }

  @Test
  void absentContextIsEmpty() {
    assertEquals(Map.of(), read(Metadata.empty()));
    assertEquals(Map.of(), minimal().build().traceContext());
    assertEquals(Map.of(), read(Metadata.empty().with("tracing", "traceparent", PARENT)));
  }

  @Test
  void headersAndUserMetadataAreNotRead() {
    Datum datum = minimal().header("traceparent", PARENT).userMetadata(SENT).build();

    assertEquals(Map.of(), datum.traceContext());
  }

  @Test
  void otherKeysOfTheGroupAreIgnored() {
    assertEquals(
        Map.of("traceparent", PARENT), read(SENT.with("tracing_udf", "baggage", "user=1")));
  }

  @Test
  void emptyTracestateIsAbsent() {
    assertEquals(Map.of("traceparent", PARENT), read(SENT.with("tracing_udf", "tracestate", "")));
  }

  @Test
  void tracestateWithoutTraceparentIsIgnored() {
    Metadata alone = Metadata.empty().with("tracing_udf", "tracestate", STATE);

    assertEquals(Map.of(), read(alone));
    assertEquals(Map.of(), read(alone.with("tracing_udf", "traceparent", "")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"é", "a\r\nb: c", "\0", "a\u007F", "a\uFFFD"})
  void textThatIsNotAHeaderIsIgnored(String text) {
    assertEquals(Map.of(), read(SENT.with("tracing_udf", "traceparent", PARENT + text)));
    assertEquals(Map.of("traceparent", PARENT), read(SENT.with("tracing_udf", "tracestate", text)));
  }

  @Test
  void bytesThatAreNotUtf8AreIgnored() {
    byte[] bytes = {'0', '0', (byte) 0xFF};

    assertEquals(Map.of(), read(SENT.with("tracing_udf", "traceparent", bytes)));
    assertEquals(
        Map.of("traceparent", PARENT), read(SENT.with("tracing_udf", "tracestate", bytes)));
  }

  @Test
  void cannotBeChanged() {
    assertThrows(UnsupportedOperationException.class, () -> read(SENT).put("tracestate", STATE));
    assertThrows(UnsupportedOperationException.class, () -> read(Metadata.empty()).clear());
  }

  @Test
  void builderSetsWhatTheDatumReads() {
    Map<String, String> context = Map.of("traceparent", PARENT, "tracestate", STATE);
    Datum datum = minimal().traceContext(context).build();

    assertEquals(context, datum.traceContext());
    assertEquals(SENT.with("tracing_udf", "tracestate", STATE), datum.systemMetadata());
    assertEquals(datum, datum.toBuilder().traceContext(datum.traceContext()).build());
  }

  @Test
  void builderKeepsOtherSystemMetadata() {
    Metadata other = Metadata.empty().with("other", "k", "v");
    Datum.Builder builder = minimal().systemMetadata(other).traceContext(Map.of());

    assertEquals(other, builder.build().systemMetadata());
    assertEquals(
        SENT.with("other", "k", "v"),
        builder.traceContext(Map.of("traceparent", PARENT)).build().systemMetadata());
  }

  @Test
  void builderReplacesOrRemovesWhatWasSet() {
    Metadata both = SENT.with("tracing_udf", "tracestate", STATE);
    Map<String, String> context = Map.of("traceparent", PARENT.replace("-01", "-00"));

    assertEquals(
        context, minimal().systemMetadata(both).traceContext(context).build().traceContext());
    assertEquals(
        Metadata.empty(),
        minimal().systemMetadata(both).traceContext(null).build().systemMetadata());
  }

  @Test
  void builderRefusesWhatThePlatformDoesNotSend() {
    Map<String, String> nullValue = new HashMap<>();
    nullValue.put("traceparent", null);

    assertNullRefused("traceContext[\"traceparent\"]", () -> minimal().traceContext(nullValue));
    assertSetRefused(
        "traceContext has \"baggage\"; the platform sends only traceparent and tracestate",
        Map.of("baggage", "user=1"));
    assertSetRefused(
        "traceContext has a tracestate without a traceparent", Map.of("tracestate", STATE));
    assertSetRefused(
        "traceContext[\"traceparent\"] must be printable ASCII and not empty but was \"é\"",
        Map.of("traceparent", "é"));
    assertSetRefused(
        "traceContext[\"traceparent\"] must be printable ASCII and not empty but was \"\"",
        Map.of("traceparent", ""));
  }

  private static void assertSetRefused(String message, Map<String, String> context) {
    assertRefused(message, () -> minimal().traceContext(context));
  }

  private static Map<String, String> read(Metadata systemMetadata) {
    return minimal().systemMetadata(systemMetadata).build().traceContext();
  }

  private static Datum.Builder minimal() {
    return Datum.builder()
        .value("v".getBytes(UTF_8))
        .eventTime(Instant.EPOCH)
        .watermark(Instant.EPOCH);
  }
}
