package io.mapstream.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * The file that announces to the data plane that a map-stream server accepts connections. The data
 * plane polls for the file and reads it once the closing marker is there, so the file appears
 * complete or not at all.
 */
final class ServerInfoFile {

  private static final String MARKER = "U+005C__END__";

  /** The release 1.4.0 without its candidates, since z sorts after rc. */
  private static final String MINIMUM_NUMAFLOW_VERSION = "1.4.0-z";

  private static final String NO_FOLDER =
      "the folder of serverInfoFile does not exist; outside a pod, set"
          + " MAPSTREAM_SERVER_INFO_FILE or serverInfoFile of the builder";

  /** Larger files are not read; the platform's are a few hundred bytes. */
  private static final long LARGEST = 64 * 1024;

  private final Path path;
  private final String version;
  private final OwnFile file;
  private @Nullable FileChannel written;

  ServerInfoFile(Path path) {
    this(path, sdkVersion());
  }

  ServerInfoFile(Path path, String version) {
    this.path = path;
    this.version = version;
    this.file = new OwnFile("serverInfoFile", path);
  }

  /**
   * Returns this SDK's version, as set by the build. The platform accepts only three-part semver.
   */
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

  /**
   * Removes what a killed process has left, so that no client connects before this one accepts;
   * refuses to touch anything else.
   *
   * @throws IOException if something else is there, a live server has written the file, the path is
   *     also the socket's, its folder does not exist, or the existing file can't be removed
   */
  void makeWay(Path socketPath) throws IOException {
    Path real = file.realPath(NO_FOLDER);
    if (real.equals(new OwnFile("socketPath", socketPath).realPath(SocketTransport.NO_FOLDER))) {
      throw refusal("is also socketPath; the two need different paths");
    }
    if (!file.exists()) {
      return;
    }
    boolean isOfThisProcess = file.isLockedHere();
    if (!isOfThisProcess
        && !(Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS) && isServerInfo())) {
      throw refusal("exists and is not a server info file; it was not changed");
    }
    if (isOfThisProcess || file.isLocked()) {
      throw refusal("belongs to a live server");
    }
    file.removeStale();
  }

  /**
   * Returns whether a server has written it, completely or not. A blank file may have any origin.
   */
  private boolean isServerInfo() throws IOException {
    if (Files.size(path) > LARGEST) {
      return false;
    }
    String content = new String(Files.readAllBytes(path), UTF_8);
    return content.startsWith("{\"protocol\"") || content.endsWith(MARKER);
  }

  private IOException refusal(String reason) {
    return new FileSystemException(path.toString(), null, "serverInfoFile " + reason);
  }

  /** Writes the complete file. */
  void write() throws IOException {
    written = file.write(content());
  }

  /**
   * Removes the file if it is still the one that this server wrote. This also ends the lock, even
   * if the system refuses to remove the file; after an Error, it can be called again.
   */
  void remove() throws IOException {
    if (written == null) {
      return;
    }
    try {
      file.remove();
    } catch (IOException e) {
      unlock(written);
      throw e;
    }
    unlock(written);
  }

  private void unlock(FileChannel channel) throws IOException {
    file.unlock(channel);
    written = null;
  }
}
