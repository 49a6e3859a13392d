package io.mapstream.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
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
   * @throws ProtocolFaultException if the marker is missing, or what is before it isn't the JSON
   *     object that it should be; the message names the field
   */
  public static ServerInfo parse(String content) {
    if (!content.endsWith(MARKER)) {
      throw new ProtocolFaultException("server info has no " + MARKER + " at its end: " + content);
    }
    Object json;
    try {
      json = Json.read(content.substring(0, content.length() - MARKER.length()));
    } catch (IllegalArgumentException e) {
      throw new ProtocolFaultException("server info is " + e.getMessage() + ": " + content);
    }
    if (!(json instanceof Map<?, ?> fields)) {
      throw new ProtocolFaultException("server info is no JSON object: " + content);
    }
    return new ServerInfo(
        text(fields, "protocol"),
        text(fields, "language"),
        text(fields, "minimum_numaflow_version"),
        text(fields, "version"),
        texts(fields.get("metadata")));
  }

  private static String text(Map<?, ?> fields, String name) {
    return text(name, fields.get(name));
  }

  private static String text(String name, @Nullable Object value) {
    if (value instanceof String text) {
      return text;
    }
    throw new ProtocolFaultException("server info's " + name + " has to be a text but is " + value);
  }

  private static Map<String, String> texts(@Nullable Object metadata) {
    Map<String, String> texts = new LinkedHashMap<>();
    if (metadata instanceof Map<?, ?> entries) {
      entries.forEach(
          (name, value) -> texts.put(String.valueOf(name), text("metadata." + name, value)));
    } else if (metadata != null) {
      throw new ProtocolFaultException(
          "server info's metadata has to be an object but is " + metadata);
    }
    return texts;
  }

  /**
   * Waits until the file is there with its closing marker, as the data plane does, and reads it.
   *
   * @throws WaitTimeoutException if it isn't there in time
   * @throws ProtocolFaultException if it is unreadable or refused
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
    throw new WaitTimeoutException(
        "waited " + deadline.limit() + " for the server info file " + file + ", and " + found);
  }

  /**
   * Checks what the platform checks for a map-stream function, and would refuse or misread.
   *
   * @return this
   * @throws ProtocolFaultException if a field has a value that the platform has no use for; the
   *     message names it
   */
  public ServerInfo check() {
    require(protocol.equals("uds"), "protocol", protocol, "uds");
    require(!language.isBlank(), "language", language, "the name of a language");
    String mode = metadata.getOrDefault("MAP_MODE", "");
    require(mode.equals("stream-map"), "metadata.MAP_MODE", mode, "stream-map");
    require(
        SEMVER.matcher(minimumNumaflowVersion).matches(),
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
      throw new ProtocolFaultException(
          "server info's " + field + " has to be " + wanted + " but is \"" + given + "\"");
    }
  }
}
