package io.mapstream.testkit.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.mapstream.Message;
import io.mapstream.NackOptions;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Prints results, each whole and at once. */
final class ResultPrinter {

  /** What is printed of a result. */
  enum Format {
    /** For people: all a result has, on one line. */
    TEXT,
    /** For pipes: the bytes alone. */
    VALUE,
    /** For programs: JSON Lines. */
    JSON
  }

  private static final Set<String> MARKS =
      Set.of(Message.DROP_TAG, Message.NACK_TAG, Message.FAIL_TAG);

  private final PrintStream out;
  private final Format format;
  private final Runnable beforeEach;

  ResultPrinter(PrintStream out, Format format, Runnable beforeEach) {
    this.out = out;
    this.format = format;
    this.beforeEach = beforeEach;
  }

  /**
   * Prints a result.
   *
   * @param sent the datum that it belongs to
   * @param index which of its results it is, from 1
   * @param message the result
   * @throws IllegalStateException if that fails, for instance because nobody reads any more
   */
  void print(DatumLines.Identified sent, int index, Message message) {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    switch (format) {
      case TEXT -> line.writeBytes(text(sent.id(), message).getBytes(UTF_8));
      case VALUE -> {
        // A mark is an answer to the platform; it has no value.
        if (mark(message) != null) {
          return;
        }
        line.writeBytes(message.value());
      }
      case JSON -> line.writeBytes(json(sent, index, message).toString().getBytes(UTF_8));
    }
    line.write('\n');
    beforeEach.run();
    out.write(line.toByteArray(), 0, line.size());
    if (out.checkError()) {
      throw new IllegalStateException("standard output can't be written to");
    }
  }

  private static String text(String id, Message message) {
    StringBuilder text = new StringBuilder(escaped(id)).append("  ");
    String mark = mark(message);
    text.append(mark == null ? shown(message.value()) : "(" + mark + ")");
    if (!message.keys().isEmpty()) {
      text.append("  keys=").append(escaped(message.keys().toString()));
    }
    List<String> tags = tags(message);
    if (!tags.isEmpty()) {
      text.append("  tags=").append(escaped(tags.toString()));
    }
    message
        .nackOptions()
        .ifPresent(options -> text.append("  ").append(escaped(options.toString())));
    if (!message.userMetadata().isEmpty()) {
      Map<String, Map<String, String>> groups = new TreeMap<>();
      message
          .userMetadata()
          .asMap()
          .forEach((name, values) -> {
            Map<String, String> group = new TreeMap<>();
            values.forEach((key, bytes) -> group.put(escaped(key), shown(bytes)));
            groups.put(escaped(name), group);
          });
      text.append("  userMetadata=").append(groups);
    }
    return text.toString();
  }

  private static String shown(byte[] value) {
    String text = utf8(value);
    return text == null ? "base64:" + base64(value) : escaped(text);
  }

  /** One line, and nothing that a terminal would obey. */
  private static String escaped(String text) {
    StringBuilder escaped = new StringBuilder();
    text.codePoints()
        .forEach(c -> {
          switch (c) {
            case '\n' -> escaped.append("\\n");
            case '\r' -> escaped.append("\\r");
            case '\t' -> escaped.append("\\t");
            case '\\' -> escaped.append("\\\\");
            default -> {
              if (Character.isISOControl(c)) {
                escaped.append("\\x%02x".formatted(c));
              } else {
                escaped.appendCodePoint(c);
              }
            }
          }
        });
    return escaped.toString();
  }

  private static JsonObject json(DatumLines.Identified sent, int index, Message message) {
    JsonObject json = new JsonObject();
    json.addProperty("id", sent.id());
    json.addProperty("index", index);
    json.add("keys", array(message.keys()));
    json.add("tags", array(tags(message)));
    String mark = mark(message);
    if (mark != null) {
      json.addProperty("mark", mark);
    }
    message.nackOptions().ifPresent(options -> json.add("nackOptions", json(options)));
    String text = utf8(message.value());
    if (text == null) {
      json.addProperty("valueBase64", base64(message.value()));
    } else {
      json.addProperty("value", text);
    }
    if (!message.userMetadata().isEmpty()) {
      json.add("userMetadata", metadata(message));
    }
    sent.passedOn().asMap().forEach(json::add);
    return json;
  }

  private static JsonObject json(NackOptions options) {
    JsonObject json = new JsonObject();
    options.reason().ifPresent(reason -> json.addProperty("reason", reason));
    options.maxDeliveries().ifPresent(most -> json.addProperty("maxDeliveries", most));
    options.delay().ifPresent(delay -> json.addProperty("delayMs", delay.toMillis()));
    if (!options.nackMap().isEmpty()) {
      JsonObject map = new JsonObject();
      options.nackMap().forEach(map::addProperty);
      json.add("nackMap", map);
    }
    return json;
  }

  private static JsonObject metadata(Message message) {
    JsonObject groups = new JsonObject();
    new TreeMap<>(message.userMetadata().asMap())
        .forEach((name, values) -> {
          JsonObject group = new JsonObject();
          new TreeMap<>(values).forEach((key, bytes) -> group.add(key, json(bytes)));
          groups.add(name, group);
        });
    return groups;
  }

  /** A text, or an object with the bytes in base64 if they are no text. */
  private static JsonElement json(byte[] value) {
    String text = utf8(value);
    if (text != null) {
      return new JsonPrimitive(text);
    }
    JsonObject bytes = new JsonObject();
    bytes.addProperty(DatumLines.BASE64, base64(value));
    return bytes;
  }

  private static JsonArray array(List<String> texts) {
    JsonArray array = new JsonArray();
    texts.forEach(array::add);
    return array;
  }

  static @Nullable String mark(Message message) {
    if (message.isDrop()) {
      return "drop";
    }
    if (message.isNack()) {
      return "nack";
    }
    return message.isFail() ? "fail" : null;
  }

  private static List<String> tags(Message message) {
    return message.tags().stream().filter(tag -> !MARKS.contains(tag)).toList();
  }

  private static @Nullable String utf8(byte[] value) {
    try {
      return UTF_8.newDecoder().decode(ByteBuffer.wrap(value)).toString();
    } catch (CharacterCodingException e) {
      return null;
    }
  }

  private static String base64(byte[] value) {
    return Base64.getEncoder().encodeToString(value);
  }
}
