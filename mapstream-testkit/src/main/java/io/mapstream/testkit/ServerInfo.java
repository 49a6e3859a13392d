package io.mapstream.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a server says of itself in its server info file, by which the data plane decides whether and
 * how to call it.
 *
 * @param protocol how to reach it; {@code uds}
 * @param language what it is written in, such as {@code java}
 * @param minimumNumaflowVersion the oldest platform it works with
 * @param version its SDK's version
 * @param metadata further entries; {@code MAP_MODE} says what kind of map function it is
 */
public record ServerInfo(
    String protocol,
    String language,
    String minimumNumaflowVersion,
    String version,
    Map<String, String> metadata) {

  private static final String MARKER = "U+005C__END__";
  private static final Pattern SEMVER =
      Pattern.compile(
          "v?(\\d{1,9})\\.(\\d{1,9})\\.(\\d{1,9})(-[0-9A-Za-z.-]+)?(\\+[0-9A-Za-z.-]+)?");

  /**
   * Takes over the fields.
   *
   * @param protocol how to reach it; {@code uds}
   * @param language what it is written in, such as {@code java}
   * @param minimumNumaflowVersion the oldest platform it works with
   * @param version its SDK's version
   * @param metadata further entries, copied
   */
  public ServerInfo {
    metadata = Collections.unmodifiableMap(new HashMap<>(metadata));
  }

  /**
   * Reads the content of a server info file, the closing marker included.
   *
   * @param content what the file holds
   * @return what it says, not yet {@linkplain #check() checked}
   * @throws ProtocolFaultError if the marker is missing, or what is before it isn't the JSON object
   *     that it should be; the message names the field
   */
  public static ServerInfo parse(String content) {
    if (!content.endsWith(MARKER)) {
      throw new ProtocolFaultError("server info has no " + MARKER + " at its end: " + content);
    }
    JsonObject fields = object(content.substring(0, content.length() - MARKER.length()));
    return new ServerInfo(
        text(fields, "protocol", "protocol"),
        text(fields, "language", "language"),
        text(fields, "minimum_numaflow_version", "minimum_numaflow_version"),
        text(fields, "version", "version"),
        metadata(fields.get("metadata")));
  }

  private static JsonObject object(String text) {
    try (JsonReader reader = new JsonReader(new StringReader(text))) {
      reader.setStrictness(Strictness.STRICT);
      JsonElement json = JsonParser.parseReader(reader);
      if (!json.isJsonObject() || reader.peek() != JsonToken.END_DOCUMENT) {
        throw new ProtocolFaultError("server info is no JSON object: " + text);
      }
      return json.getAsJsonObject();
    } catch (JsonParseException | IOException e) {
      throw new ProtocolFaultError("server info is not JSON: " + e.getMessage() + ": " + text);
    }
  }

  private static String text(JsonObject fields, String name, String shownName) {
    JsonElement value = fields.get(name);
    if (value != null && value.isJsonPrimitive() && value.getAsJsonPrimitive().isString()) {
      return value.getAsString();
    }
    throw new ProtocolFaultError("server info's " + shownName + " must be a text but is " + value);
  }

  private static Map<String, String> metadata(@Nullable JsonElement metadata) {
    if (metadata == null || metadata.isJsonNull()) {
      return Map.of();
    }
    if (!metadata.isJsonObject()) {
      throw new ProtocolFaultError("server info's metadata must be an object but is " + metadata);
    }
    JsonObject fields = metadata.getAsJsonObject();
    Map<String, String> texts = new LinkedHashMap<>();
    fields.keySet().forEach(name -> texts.put(name, text(fields, name, "metadata." + name)));
    return texts;
  }

  /**
   * Waits until the file is there with its closing marker, as the data plane does, and reads it.
   *
   * @throws WaitTimeoutError if it isn't there in time
   * @throws ProtocolFaultError if it is unreadable or refused
   */
  static ServerInfo await(Path file, Deadline deadline) throws InterruptedException {
    String found = "there was no such file";
    do {
      try {
        String content = Files.readString(file, UTF_8);
        if (content.endsWith(MARKER)) {
          return parse(content).check();
        }
        found = "it had no closing marker: " + content;
      } catch (IOException e) {
        found = Files.exists(file) ? e.toString() : "there was no such file";
      }
    } while (deadline.pause());
    throw new WaitTimeoutError(
        "waited " + deadline + " for the server info file " + file + ", and " + found);
  }

  /**
   * Checks what the platform checks for a map-stream function, and would refuse or misread.
   *
   * @return this
   * @throws ProtocolFaultError if a field has a value that the platform has no use for; the message
   *     names it
   */
  public ServerInfo check() {
    require(protocol.equals("uds"), "protocol", protocol, "uds");
    require(!language.isBlank(), "language", language, "the name of a language");
    String mode = metadata.getOrDefault("MAP_MODE", "");
    require(mode.equals("stream-map"), "metadata.MAP_MODE", mode, "stream-map");
    require(
        // The platform takes an empty one with a warning.
        minimumNumaflowVersion.isEmpty() || SEMVER.matcher(minimumNumaflowVersion).matches(),
        "minimum_numaflow_version",
        minimumNumaflowVersion,
        "a version of three numbers");
    if (language.equals("java")) {
      require(isSupportedJava(version), "version", version, "three numbers, at least 0.9.0");
    } else {
      require(!version.isBlank(), "version", version, "a version");
    }
    return this;
  }

  /** What comes before 0.9.0 by semver, 0.9.0-rc1 for one, is refused. */
  private static boolean isSupportedJava(String version) {
    Matcher parts = SEMVER.matcher(version);
    if (!parts.matches()) {
      return false;
    }
    int major = Integer.parseInt(parts.group(1));
    int minor = Integer.parseInt(parts.group(2));
    boolean isFirst = major == 0 && minor == 9 && Integer.parseInt(parts.group(3)) == 0;
    return major > 0 || minor > 9 || (minor == 9 && !(isFirst && parts.group(4) != null));
  }

  private static void require(boolean valid, String field, String given, String wanted) {
    if (!valid) {
      throw new ProtocolFaultError(
          "server info's " + field + " must be " + wanted + " but is \"" + given + "\"");
    }
  }
}
