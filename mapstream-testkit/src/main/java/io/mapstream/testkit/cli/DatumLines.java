package io.mapstream.testkit.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.Strictness;
import com.google.gson.TypeAdapter;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import io.mapstream.Datum;
import io.mapstream.Metadata;
import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Makes datums of lines: a line is the value, or a JSON object with all a datum has. */
final class DatumLines {

  private static final Set<String> MEMBERS =
      Set.of(
          "id",
          "keys",
          "value",
          "valueBase64",
          "headers",
          "eventTime",
          "watermark",
          "traceContext",
          "userMetadata",
          "systemMetadata",
          // Only a result has these.
          "index",
          "tags",
          "mark",
          "nackOptions");

  /** What the platform passes from a datum to the results of it; its function has no part in it. */
  private static final List<String> PASSED_ON =
      List.of("headers", "eventTime", "watermark", "traceContext", "systemMetadata");

  private static final Set<String> MARKS = Set.of("drop", "nack", "fail");

  /** The member of an object that stands for bytes in metadata. */
  static final String BASE64 = "base64";

  private static final TypeAdapter<JsonElement> JSON = new Gson().getAdapter(JsonElement.class);

  /**
   * A datum to send.
   *
   * @param id what it is sent under
   * @param datum the datum
   * @param passedOn the members of its line that its results have, too
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
   * @return null if there is nothing in it to send: it is blank, or has a mark
   * @throws UsageFault if it can't be read; names the line
   */
  @Nullable Identified read(LineReader.Line line) {
    String id = idPrefix + ++count;
    if (!json) {
      return new Identified(
          id, options.builder().value(line.bytes().toByteArray()).build(), new JsonObject());
    }
    try {
      String text = text(line.bytes().toByteArray());
      return text.isBlank() ? null : read(id, object(text));
    } catch (IllegalArgumentException | IOException e) {
      throw new UsageFault(line.place() + ": " + e.getMessage());
    }
  }

  /** How many lines had a mark: the platform sends no such result to the next function. */
  long marked() {
    return marked;
  }

  private static String text(byte[] bytes) {
    try {
      return UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException("not UTF-8", e);
    }
  }

  private static JsonObject object(String text) throws IOException {
    JsonElement element;
    try (JsonReader reader = new JsonReader(new StringReader(text))) {
      reader.setStrictness(Strictness.STRICT);
      element = JSON.read(reader);
      if (reader.peek() != JsonToken.END_DOCUMENT) {
        throw new IllegalArgumentException("there is something after the object");
      }
    } catch (JsonParseException | IOException e) {
      throw new IllegalArgumentException("not JSON: " + withoutAdvice(e.getMessage()), e);
    }
    if (!element.isJsonObject()) {
      throw new IllegalArgumentException("has to be an object but is " + element);
    }
    return element.getAsJsonObject();
  }

  /** Gson's messages go on with how to have it accept the text, and a link. */
  private static String withoutAdvice(@Nullable String message) {
    return String.valueOf(message)
        .replaceAll("\\s*\\R.*", "")
        .replaceAll("Use JsonReader.setStrictness\\S* to accept ", "");
  }

  private @Nullable Identified read(String numbered, JsonObject object) {
    for (String name : object.keySet()) {
      if (!MEMBERS.contains(name)) {
        throw new IllegalArgumentException(
            "unknown member \"" + name + "\"; there are " + MEMBERS.stream().sorted().toList());
      }
    }
    Datum.Builder datum = options.builder().value(value(object));
    if (object.has("keys")) {
      datum.keys(texts("keys", object.get("keys")));
    }
    if (object.has("tags")) {
      texts("tags", object.get("tags")); // The platform chooses by them where a result goes.
    }
    if (object.has("userMetadata")) {
      datum.userMetadata(metadata("userMetadata", object));
    }
    if (object.has("systemMetadata")) {
      datum.systemMetadata(metadata("systemMetadata", object));
    }
    if (object.has("headers")) {
      datum.headers(entries("headers", object));
    }
    if (object.has("traceContext")) {
      datum.traceContext(entries("traceContext", object));
    }
    if (object.has("eventTime")) {
      Instant time = instant("eventTime", object);
      datum.eventTime(time);
      if (options.watermark == null) {
        datum.watermark(time);
      }
    }
    if (object.has("watermark")) {
      datum.watermark(instant("watermark", object));
    }
    String id = object.has("id") ? text("id", object.get("id")) : numbered;
    if (id.isEmpty()) {
      throw new IllegalArgumentException("id must not be empty");
    }
    // Several results of one datum become datums with ids of their own, as on the platform.
    if (object.has("index")) {
      id = id + "-" + index(object.get("index"));
    }
    if (isMarked(object)) {
      marked++;
      return null;
    }
    JsonObject passedOn = new JsonObject();
    PASSED_ON.stream().filter(object::has).forEach(name -> passedOn.add(name, object.get(name)));
    return new Identified(id, datum.build(), passedOn);
  }

  private static int index(JsonElement element) {
    if (element.isJsonPrimitive() && element.getAsString().matches("[1-9][0-9]{0,8}")) {
      return element.getAsInt();
    }
    throw new IllegalArgumentException("index has to be a number from 1 but is " + element);
  }

  private static boolean isMarked(JsonObject object) {
    if (object.has("mark")) {
      String mark = text("mark", object.get("mark"));
      if (!MARKS.contains(mark)) {
        throw new IllegalArgumentException(
            "mark has to be drop, nack or fail but is \"" + mark + "\"");
      }
      return true;
    }
    if (object.has("nackOptions")) {
      throw new IllegalArgumentException("nackOptions needs the mark nack");
    }
    return false;
  }

  private static Metadata metadata(String name, JsonObject object) {
    Metadata metadata = Metadata.empty();
    for (var group : members(name, object.get(name)).entrySet()) {
      String inGroup = name + "." + group.getKey();
      for (var entry : members(inGroup, group.getValue()).entrySet()) {
        byte[] bytes = bytes(inGroup + "." + entry.getKey(), entry.getValue());
        metadata = metadata.with(group.getKey(), entry.getKey(), bytes);
      }
    }
    return metadata;
  }

  private static Map<String, JsonElement> members(String name, JsonElement element) {
    if (!element.isJsonObject()) {
      throw new IllegalArgumentException(name + " has to be an object but is " + element);
    }
    return element.getAsJsonObject().asMap();
  }

  private static byte[] bytes(String name, JsonElement element) {
    if (element.isJsonObject() && element.getAsJsonObject().keySet().equals(Set.of(BASE64))) {
      return decoded(name, element.getAsJsonObject().get(BASE64));
    }
    if (element.isJsonPrimitive() && element.getAsJsonPrimitive().isString()) {
      return element.getAsString().getBytes(UTF_8);
    }
    throw new IllegalArgumentException(
        name + " has to be a text or {\"base64\":\"...\"} but is " + element);
  }

  private static byte[] decoded(String name, JsonElement element) {
    try {
      return Base64.getDecoder().decode(text(name, element));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(name + " is no base64: " + e.getMessage(), e);
    }
  }

  private static byte[] value(JsonObject object) {
    if (object.has("value") && object.has("valueBase64")) {
      throw new IllegalArgumentException("value and valueBase64 exclude each other");
    }
    if (object.has("valueBase64")) {
      return decoded("valueBase64", object.get("valueBase64"));
    }
    return object.has("value") ? text("value", object.get("value")).getBytes(UTF_8) : new byte[0];
  }

  private static Instant instant(String name, JsonObject object) {
    String text = text(name, object.get(name));
    try {
      return Instant.parse(text);
    } catch (DateTimeParseException e) {
      throw new IllegalArgumentException(
          name + " has to be an instant such as 2026-01-01T00:00:00Z but is \"" + text + "\"", e);
    }
  }

  private static List<String> texts(String name, JsonElement element) {
    if (!element.isJsonArray()) {
      throw new IllegalArgumentException(name + " has to be an array of texts but is " + element);
    }
    List<String> texts = new ArrayList<>();
    element.getAsJsonArray().forEach(each -> texts.add(text("each of " + name, each)));
    return texts;
  }

  private static Map<String, String> entries(String name, JsonObject object) {
    JsonElement element = object.get(name);
    if (!element.isJsonObject()) {
      throw new IllegalArgumentException(name + " has to be an object of texts but is " + element);
    }
    Map<String, String> entries = new LinkedHashMap<>();
    element
        .getAsJsonObject()
        .asMap()
        .forEach((key, value) -> entries.put(key, text(name + "." + key, value)));
    return entries;
  }

  private static String text(String name, JsonElement element) {
    if (element.isJsonPrimitive() && element.getAsJsonPrimitive().isString()) {
      return element.getAsString();
    }
    throw new IllegalArgumentException(name + " has to be a text but is " + element);
  }
}
