package io.mapstream;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Converts a W3C trace context between the system metadata, where the platform keeps two headers as
 * bytes, and the map of strings that propagators read and write.
 */
final class TraceContext {

  private static final String GROUP = "tracing_udf";
  private static final String PARENT = "traceparent";
  private static final String STATE = "tracestate";
  private static final Set<String> NAMES = Set.of(PARENT, STATE);

  private TraceContext() {}

  /**
   * Reads the values that can be headers. According to the W3C recommendation, a tracestate is
   * ignored without a traceparent, and a traceparent is valid without a tracestate.
   */
  static Map<String, String> of(Metadata systemMetadata) {
    String parent = header(systemMetadata, PARENT);
    if (parent == null) {
      return Map.of();
    }
    String state = header(systemMetadata, STATE);
    return state == null ? Map.of(PARENT, parent) : Map.of(PARENT, parent, STATE, state);
  }

  private static @Nullable String header(Metadata systemMetadata, String name) {
    byte[] value = systemMetadata.value(GROUP, name).orElse(Checks.NO_BYTES);
    String text = new String(value, US_ASCII);
    return text.isEmpty() || !isHeader(text) ? null : text;
  }

  /** Bytes above 127 are decoded as U+FFFD, which is not allowed either. */
  private static boolean isHeader(String text) {
    return text.chars().allMatch(c -> (c >= ' ' && c <= '~') || c == '\t');
  }

  /** Replaces the context. */
  static Metadata in(Metadata systemMetadata, Map<String, String> context) {
    Metadata changed = systemMetadata.without(GROUP);
    for (Map.Entry<String, String> header : context.entrySet()) {
      changed = changed.with(GROUP, checkedName(header.getKey()), checkedValue(header));
    }
    if (!context.isEmpty() && !context.containsKey(PARENT)) {
      throw new IllegalArgumentException("traceContext has a tracestate without a traceparent");
    }
    return changed;
  }

  private static String checkedName(String name) {
    if (!NAMES.contains(name)) {
      throw new IllegalArgumentException(
          "traceContext has "
              + Shown.text(name)
              + "; the platform sends only traceparent and tracestate");
    }
    return name;
  }

  private static String checkedValue(Map.Entry<String, String> header) {
    String value = header.getValue();
    if (value.isEmpty() || !isHeader(value)) {
      throw new IllegalArgumentException(
          Checks.entry("traceContext", header.getKey())
              + " must be printable ASCII and not empty but was "
              + Shown.text(value));
    }
    return value;
  }
}
