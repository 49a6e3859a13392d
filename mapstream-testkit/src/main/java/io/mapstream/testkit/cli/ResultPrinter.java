package io.mapstream.testkit.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.mapstream.Message;
import io.mapstream.NackOptions;
import io.mapstream.proto.Printable;
import java.io.ByteArrayOutputStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Prints results, each with a single write.
 *
 * @param beforeEach called before each result
 */
record ResultPrinter(Terminal terminal, Format format, Runnable beforeEach) {

  /** How a result is printed. */
  enum Format {
    /** For people: everything in a result, on one line. */
    TEXT,
    /** For pipes: only the bytes. */
    VALUE,
    /** For programs: JSON Lines. */
    JSON
  }

  /** The marks by their tags. */
  static final Map<String, String> MARKS =
      Map.of(Message.DROP_TAG, "drop", Message.NACK_TAG, "nack", Message.FAIL_TAG, "fail");

  /**
   * Prints a result.
   *
   * @param sent the datum that it belongs to
   * @param index its number among the results of that datum, from 1
   * @param message the result
   * @throws java.io.UncheckedIOException if writing fails, for instance because the output was
   *     closed
   */
  void print(DatumLines.Identified sent, int index, Message message) {
    String mark = mark(message);
    if (format == Format.VALUE && mark != null) {
      return; // A mark is for the platform and has no value.
    }
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    line.writeBytes(
        switch (format) {
          case TEXT -> text(sent.id(), mark, message).getBytes(UTF_8);
          case VALUE -> message.value();
          case JSON -> JsonValue.write(json(sent, index, mark, message)).getBytes(UTF_8);
        });
    line.write('\n');
    beforeEach.run();
    terminal.write(line.toByteArray());
  }

  /** Formats a result on one line, with control characters escaped. */
  private static String text(String id, @Nullable String mark, Message message) {
    StringBuilder text = new StringBuilder(id).append("  ");
    text.append(mark == null ? shown(message.value()) : "(" + mark + ")");
    if (!message.keys().isEmpty()) {
      text.append("  keys=").append(message.keys());
    }
    if (!tags(message).isEmpty()) {
      text.append("  tags=").append(tags(message));
    }
    message.nackOptions().ifPresent(options -> text.append("  ").append(options));
    if (!message.userMetadata().isEmpty()) {
      text.append("  userMetadata=").append(metadata(message, ResultPrinter::shown));
    }
    return Printable.text(
        text.toString()
            .replace("\\", "\\\\")
            .replace("\n", "\\n")
            .replace("\r", "\\r")
            .replace("\t", "\\t"));
  }

  private static String shown(byte[] value) {
    return JsonValue.utf8(value).orElseGet(() -> "base64:" + JsonValue.base64(value));
  }

  private static Map<String, @Nullable Object> json(
      DatumLines.Identified sent, int index, @Nullable String mark, Message message) {
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("id", sent.id());
    json.put("index", index);
    json.put("keys", message.keys());
    json.put("tags", tags(message));
    json.put("mark", mark);
    json.put("nackOptions", message.nackOptions().map(ResultPrinter::json).orElse(null));
    JsonValue.utf8(message.value())
        .ifPresentOrElse(
            text -> json.put("value", text),
            () -> json.put("valueBase64", JsonValue.base64(message.value())));
    if (!message.userMetadata().isEmpty()) {
      json.put("userMetadata", metadata(message, JsonValue::ofBytes));
    }
    json.putAll(sent.passedOn().asMap());
    return json;
  }

  private static Map<String, Object> json(NackOptions options) {
    Map<String, Object> json = new LinkedHashMap<>();
    options.reason().ifPresent(reason -> json.put("reason", reason));
    options.maxDeliveries().ifPresent(most -> json.put("maxDeliveries", most));
    options.delay().ifPresent(delay -> json.put("delayMs", delay.toMillis()));
    if (!options.nackMap().isEmpty()) {
      json.put("nackMap", options.nackMap());
    }
    return json;
  }

  /** Returns the groups and their entries, sorted. */
  private static <T> Map<String, Map<String, T>> metadata(
      Message message, Function<byte[], T> shown) {
    Map<String, Map<String, T>> groups = new TreeMap<>();
    message
        .userMetadata()
        .asMap()
        .forEach((name, values) -> {
          Map<String, T> group = new TreeMap<>();
          values.forEach((key, bytes) -> group.put(key, shown.apply(bytes)));
          groups.put(name, group);
        });
    return groups;
  }

  private static @Nullable String mark(Message message) {
    return message.tags().stream()
        .map(MARKS::get)
        .filter(Objects::nonNull)
        .findFirst()
        .orElse(null);
  }

  private static List<String> tags(Message message) {
    return message.tags().stream().filter(tag -> !MARKS.containsKey(tag)).toList();
  }
}
