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
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The content of a server info file, from which the data plane decides whether and how to call the
 * server.
 *
 * @param protocol how to reach the server; {@code uds}
 * @param language the language it is written in, such as {@code java}
 * @param minimumNumaflowVersion the oldest Numaflow release it works with
 * @param version the version of its SDK
 * @param metadata further entries; {@code MAP_MODE} is the kind of map function
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

  /** Creates a record with a copy of the metadata. */
  public ServerInfo {
    Objects.requireNonNull(protocol, "protocol");
    Objects.requireNonNull(language, "language");
    Objects.requireNonNull(minimumNumaflowVersion, "minimumNumaflowVersion");
    Objects.requireNonNull(version, "version");
    Objects.requireNonNull(metadata, "metadata");
    metadata = Collections.unmodifiableMap(new HashMap<>(metadata));
  }

  /**
   * Parses the content of a server info file, including the closing marker.
   *
   * @param content the content of the file
   * @return the parsed content, not yet {@linkplain #check() checked}
   * @throws ProtocolFaultError if the marker is missing, or if what precedes it is not a JSON
   *     object with the expected fields; the message names the field
   */
  public static ServerInfo parse(String content) {
    if (!Objects.requireNonNull(content, "content").endsWith(MARKER)) {
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
        throw new ProtocolFaultError("server info is not a JSON object: " + text);
      }
      return json.getAsJsonObject();
    } catch (JsonParseException e) {
      throw new ProtocolFaultError("server info is not JSON: " + e.getMessage() + ": " + text);
    }
  }

  /** Returns a string member of the file, or of its metadata if the name is {@code metadata.…}. */
  private static String text(JsonObject fields, String name) {
    JsonElement value = fields.get(name.substring(name.indexOf('.') + 1));
    if (value != null && value.isJsonPrimitive() && value.getAsJsonPrimitive().isString()) {
      return value.getAsString();
    }
    throw new ProtocolFaultError("server info's " + name + " must be a string but is " + value);
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
   * Waits until the file exists and has its closing marker, as the data plane does, and reads it.
   *
   * @throws WaitTimeoutError if that does not happen in time
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
   * Checks what the platform checks for a map-stream function: values that it would refuse or
   * misread.
   *
   * @return this object
   * @throws ProtocolFaultError if a field has a value that the platform cannot use; the message
   *     names the field
   */
  public ServerInfo check() {
    require(protocol.equals("uds"), "protocol", protocol, "uds");
    require(!language.isBlank(), "language", language, "the name of a language");
    String mode = metadata.getOrDefault("MAP_MODE", "");
    require(mode.equals("stream-map"), "metadata.MAP_MODE", mode, "stream-map");
    require(
        // The platform accepts an empty one with a warning.
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

  /** Versions before 0.9.0, such as 0.9.0-rc1, are refused. */
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
