package io.mapstream.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * The file by which the data plane learns that a map-stream server accepts connections. It polls
 * for the file and reads it once the closing marker is there, so the file appears whole or not at
 * all.
 */
final class ServerInfoFile {

  private static final String MARKER = "U+005C__END__";
  private static final String MINIMUM_NUMAFLOW_VERSION = "1.4.0-z";

  private final Path path;
  private final String version;
  private @Nullable FileIdentity written;

  ServerInfoFile(Path path) {
    this(path, sdkVersion());
  }

  ServerInfoFile(Path path, String version) {
    this.path = path;
    this.version = version;
  }

  /** This SDK's version, as the build filled it in. The platform takes three-part semver only. */
  static String sdkVersion() {
    try (InputStream in = ServerInfoFile.class.getResourceAsStream("version.properties")) {
      if (in == null) {
        throw new IllegalStateException("version.properties is missing from the server's jar");
      }
      Properties properties = new Properties();
      properties.load(in);
      return properties.getProperty("version", "");
    } catch (IOException e) {
      throw new IllegalStateException("version.properties is not readable", e);
    }
  }

  String content() {
    return "{\"protocol\":\"uds\",\"language\":\"java\",\"minimum_numaflow_version\":\""
        + MINIMUM_NUMAFLOW_VERSION
        + "\",\"version\":\""
        + version
        + "\",\"metadata\":{\"MAP_MODE\":\"stream-map\"}}"
        + MARKER;
  }

  /** Removes what a killed process left, so that nobody connects before this one accepts. */
  void removeStale() throws IOException {
    Files.deleteIfExists(path);
  }

  /** Writes the file whole: to a temporary one in the same folder, then by a rename. */
  void write() throws IOException {
    Path folder = path.toAbsolutePath().getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new NoSuchFileException(
          path.toString(),
          null,
          "the folder of serverInfoFile does not exist; outside of a pod, set"
              + " MAPSTREAM_SERVER_INFO_FILE or ServerOptions.serverInfoFile");
    }
    Path whole = folder.resolve(path.getFileName() + "." + ProcessHandle.current().pid() + ".tmp");
    try {
      Files.writeString(whole, content(), UTF_8);
      FileIdentity identity = FileIdentity.of(whole);
      Files.move(whole, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      written = identity;
    } finally {
      Files.deleteIfExists(whole);
    }
  }

  /** Removes the file if it is still the one that this server wrote. */
  void remove() throws IOException {
    if (written != null) {
      written.delete(path);
      written = null;
    }
  }
}
