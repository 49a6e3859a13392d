package io.mapstream.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * A temporary folder whose path is short enough for a Unix socket. Internal: not part of the API,
 * may change in any release.
 */
public final class InternalTemporaryFolder {

  /** macOS allows 103 bytes for the path of a Unix socket; the rest is for names in the folder. */
  private static final int LONGEST = 70;

  private final Path path;

  private InternalTemporaryFolder(Path path) {
    this.path = path;
  }

  /**
   * Creates a folder in the default directory for temporary files, or in {@code /tmp} if that path
   * is too long.
   *
   * @return a new folder
   * @throws IOException if it can't be created
   */
  public static InternalTemporaryFolder create() throws IOException {
    return in(Path.of(System.getProperty("java.io.tmpdir")));
  }

  static InternalTemporaryFolder in(Path usual) throws IOException {
    boolean isShort = usual.toString().getBytes(UTF_8).length <= LONGEST;
    return new InternalTemporaryFolder(
        Files.createTempDirectory(isShort ? usual : Path.of("/tmp"), "mapstream"));
  }

  /**
   * {@return the path of a file in the folder}
   *
   * @param name the file's name
   */
  public Path resolve(String name) {
    return path.resolve(name);
  }

  /** Removes the folder and everything in it. */
  public void delete() {
    try (Stream<Path> walk = Files.walk(path)) {
      for (Path each : walk.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(each);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the temporary folder could not be removed: " + path, e);
    }
  }
}
