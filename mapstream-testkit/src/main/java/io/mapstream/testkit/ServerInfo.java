package io.mapstream.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.Strictness;
import java.io.IOException;
import java.lang.module.ModuleDescriptor.Version;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
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

  private static final Gson STRICT = new GsonBuilder().setStrictness(Strictness.STRICT).create();
  private static final String MARKER = "U+005C__END__";
  private static final Version OLDEST_JAVA = Version.parse("0.9.0");
  private static final Pattern SEMVER =
      Pattern.compile("v?\\d{1,9}(\\.\\d{1,9}){2}(-[0-9A-Za-z.-]+)?(\\+[0-9A-Za-z.-]+)?");

  /** Takes over the fields and copies the metadata. */
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
        text(fields, "protocol"),
        text(fields, "language"),
        text(fields, "minimum_numaflow_version"),
        text(fields, "version"),
        metadata(fields.get("metadata")));
  }

  private static JsonObject object(String text) {
    try {
      JsonElement json = STRICT.fromJson(text, JsonElement.class);
      if (json == null || !json.isJsonObject()) {
        throw new ProtocolFaultError("server info is no JSON object: " + text);
      }
      return json.getAsJsonObject();
    } catch (JsonParseException e) {
      throw new ProtocolFaultError("server info is not JSON: " + e.getMessage() + ": " + text);
    }
  }

  /** A text of the file, or of its metadata if the name is {@code metadata.…}. */
  private static String text(JsonObject fields, String name) {
    JsonElement value = fields.get(name.substring(name.indexOf('.') + 1));
    if (value != null && value.isJsonPrimitive() && value.getAsJsonPrimitive().isString()) {
      return value.getAsString();
    }
    throw new ProtocolFaultError("server info's " + name + " must be a text but is " + value);
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
    fields.keySet().forEach(name -> texts.put(name, text(fields, "metadata." + name)));
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

  /** What comes before 0.9.0, 0.9.0-rc1 for one, is refused. */
  private static boolean isSupportedJava(String version) {
    return SEMVER.matcher(version).matches()
        && Version.parse(version.replaceFirst("^v", "")).compareTo(OLDEST_JAVA) >= 0;
  }

  private static void require(boolean valid, String field, String given, String wanted) {
    if (!valid) {
      throw new ProtocolFaultError(
          "server info's " + field + " must be " + wanted + " but is \"" + given + "\"");
    }
  }
}
