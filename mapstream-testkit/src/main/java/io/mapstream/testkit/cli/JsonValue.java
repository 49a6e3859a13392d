package io.mapstream.testkit.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.Strictness;
import io.mapstream.Metadata;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A value read from JSON. Accessors throw an {@link IllegalArgumentException} that names the value
 * if it is not of the requested kind.
 *
 * @param name its path, such as {@code userMetadata.group.key}
 */
record JsonValue(String name, JsonElement element) {

  /** The member of an object that represents bytes in metadata. */
  private static final String BASE64 = "base64";

  private static final Gson GSON =
      new GsonBuilder().disableHtmlEscaping().setStrictness(Strictness.STRICT).create();

  /** Writes maps, lists, records and strings; null members are omitted. */
  static String write(Object value) {
    return GSON.toJson(value);
  }

  static JsonValue read(String name, String text) {
    try {
      JsonElement element = GSON.fromJson(text, JsonElement.class);
      if (element == null) {
        throw new IllegalArgumentException("not JSON: it is empty");
      }
      return new JsonValue(name, element);
    } catch (JsonParseException e) {
      Throwable reason = e.getCause() == null ? e : e.getCause();
      throw new IllegalArgumentException("not JSON: " + withoutAdvice(reason.getMessage()), e);
    }
  }

  /** Removes the advice and the link from Gson's messages. */
  private static String withoutAdvice(@Nullable String message) {
    return String.valueOf(message)
        .replaceAll("\\s*\\R.*", "")
        .replaceAll("Use JsonReader.setStrictness\\S* to accept ", "");
  }

  /** Decodes bytes as UTF-8; empty if they are not valid UTF-8. */
  static Optional<String> utf8(byte[] bytes) {
    try {
      return Optional.of(UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
    } catch (CharacterCodingException e) {
      return Optional.empty();
    }
  }

  static String base64(byte[] bytes) {
    return Base64.getEncoder().encodeToString(bytes);
  }

  /** Returns the representation of bytes in metadata: a string, or an object with base64. */
  static Object ofBytes(byte[] bytes) {
    return utf8(bytes).map(Object.class::cast).orElseGet(() -> Map.of(BASE64, base64(bytes)));
  }

  Optional<JsonValue> member(String member) {
    return Optional.ofNullable(object().get(member)).map(value -> new JsonValue(member, value));
  }

  JsonObject object() {
    require(element.isJsonObject(), "an object");
    return element.getAsJsonObject();
  }

  String text() {
    require(isText(), "a string");
    return element.getAsString();
  }

  List<String> texts() {
    require(element.isJsonArray(), "an array of strings");
    return element.getAsJsonArray().asList().stream()
        .map(each -> new JsonValue("each of " + name, each).text())
        .toList();
  }

  Map<String, String> textsByName() {
    Map<String, String> texts = new LinkedHashMap<>();
    members().forEach((key, value) -> texts.put(key, value.text()));
    return texts;
  }

  Instant instant() {
    try {
      return Instant.parse(text());
    } catch (DateTimeParseException e) {
      throw wrong("an instant such as 2026-01-01T00:00:00Z");
    }
  }

  int numberFromOne() {
    require(
        element.isJsonPrimitive() && element.getAsString().matches("[1-9][0-9]{0,8}"),
        "a number of at least 1");
    return element.getAsInt();
  }

  byte[] decoded() {
    try {
      return Base64.getDecoder().decode(text());
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(name + " is not base64: " + e.getMessage(), e);
    }
  }

  Metadata metadata() {
    Metadata metadata = Metadata.empty();
    for (var group : members().entrySet()) {
      for (var entry : group.getValue().members().entrySet()) {
        metadata = metadata.with(group.getKey(), entry.getKey(), entry.getValue().bytes());
      }
    }
    return metadata;
  }

  private byte[] bytes() {
    if (element.isJsonObject() && object().keySet().equals(Set.of(BASE64))) {
      return new JsonValue(name, object().get(BASE64)).decoded();
    }
    require(isText(), "a string or {\"base64\":\"...\"}");
    return text().getBytes(UTF_8);
  }

  private Map<String, JsonValue> members() {
    Map<String, JsonValue> members = new LinkedHashMap<>();
    object()
        .asMap()
        .forEach((key, value) -> members.put(key, new JsonValue(name + "." + key, value)));
    return members;
  }

  private boolean isText() {
    return element.isJsonPrimitive() && element.getAsJsonPrimitive().isString();
  }

  private void require(boolean isSo, String kind) {
    if (!isSo) {
      throw wrong(kind);
    }
  }

  private IllegalArgumentException wrong(String kind) {
    return new IllegalArgumentException(name + " must be " + kind + " but is " + element);
  }
}
