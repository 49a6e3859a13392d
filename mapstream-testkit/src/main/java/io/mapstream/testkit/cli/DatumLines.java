package io.mapstream.testkit.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonObject;
import io.mapstream.Datum;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Converts lines to datums: a line is the value, or a JSON object with everything in a datum. */
final class DatumLines {

  /** Members that the platform copies from a datum to its results, without the function. */
  private static final Set<String> PASSED_ON =
      Set.of("headers", "eventTime", "watermark", "traceContext", "systemMetadata");

  private static final Set<String> OF_A_DATUM =
      Set.of("id", "keys", "value", "valueBase64", "userMetadata");

  private static final Set<String> OF_A_RESULT = Set.of("index", "tags", "mark", "nackOptions");

  private static final List<String> KNOWN =
      Stream.of(PASSED_ON, OF_A_DATUM, OF_A_RESULT).flatMap(Set::stream).sorted().toList();

  /**
   * A datum to send, with its id.
   *
   * @param id the id to send it with
   * @param datum the datum
   * @param passedOn the members of its line that are copied to its results
   */
  record Identified(String id, Datum datum, JsonObject passedOn) {}

  private final boolean json;
  private final String idPrefix;
  private final DatumOptions options;
  private long count;
  private long marked;

  DatumLines(boolean json, String idPrefix, DatumOptions options) {
    this.json = json;
    this.idPrefix = idPrefix;
    this.options = options;
  }

  /**
   * Reads a line.
   *
   * @return null if there is nothing to send: the line is blank or has a mark
   * @throws UsageFault if it can't be read; the message names the line
   */
  @Nullable Identified read(LineReader.Line line) {
    String id = idPrefix + ++count;
    byte[] bytes = line.bytes().toByteArray();
    if (!json) {
      return new Identified(id, options.builder(null).value(bytes).build(), new JsonObject());
    }
    try {
      String text =
          JsonValue.utf8(bytes).orElseThrow(() -> new IllegalArgumentException("not UTF-8"));
      return text.isBlank() ? null : read(id, JsonValue.read("the line", text));
    } catch (IllegalArgumentException e) {
      throw new UsageFault(line.place() + ": " + e.getMessage());
    }
  }

  /** Returns how many lines had a mark: the platform does not forward such results. */
  long marked() {
    return marked;
  }

  private @Nullable Identified read(String numbered, JsonValue line) {
    requireKnownMembers(line.object());
    Datum.Builder datum =
        options.builder(line.member("eventTime").map(JsonValue::instant).orElse(null));
    line.member("watermark").ifPresent(it -> datum.watermark(it.instant()));
    line.member("keys").ifPresent(it -> datum.keys(it.texts()));
    line.member("headers").ifPresent(it -> datum.headers(it.textsByName()));
    line.member("traceContext").ifPresent(it -> datum.traceContext(it.textsByName()));
    line.member("userMetadata").ifPresent(it -> datum.userMetadata(it.metadata()));
    line.member("systemMetadata").ifPresent(it -> datum.systemMetadata(it.metadata()));
    // The platform routes results by their tags and does not send the tags.
    List<String> unused = line.member("tags").map(JsonValue::texts).orElse(List.of());
    String id = line.member("id").map(JsonValue::text).orElse(numbered);
    if (id.isEmpty()) {
      throw new IllegalArgumentException("id must not be empty");
    }
    // Several results of one datum become datums with different ids, as on the platform.
    String index = line.member("index").map(it -> "-" + it.numberFromOne()).orElse("");
    datum.value(value(line));
    if (isMarked(line)) {
      marked++;
      return null;
    }
    // Everything else has been read.
    line.object().keySet().retainAll(PASSED_ON);
    return new Identified(id + index, datum.build(), line.object());
  }

  private static void requireKnownMembers(JsonObject line) {
    for (String name : line.keySet()) {
      if (!KNOWN.contains(name)) {
        throw new IllegalArgumentException(
            "unknown member \"" + name + "\"; known members are " + KNOWN);
      }
    }
  }

  private static byte[] value(JsonValue line) {
    if (line.object().has("value") && line.object().has("valueBase64")) {
      throw new IllegalArgumentException("value and valueBase64 can't be combined");
    }
    return line.member("valueBase64")
        .map(JsonValue::decoded)
        .orElseGet(() -> line.member("value").map(JsonValue::text).orElse("").getBytes(UTF_8));
  }

  private static boolean isMarked(JsonValue line) {
    String mark = line.member("mark").map(JsonValue::text).orElse(null);
    if (mark != null && !ResultPrinter.MARKS.containsValue(mark)) {
      throw new IllegalArgumentException("mark must be drop, nack or fail but is \"" + mark + "\"");
    }
    if (!"nack".equals(mark) && line.object().has("nackOptions")) {
      throw new IllegalArgumentException("nackOptions needs the mark nack");
    }
    return mark != null;
  }
}
