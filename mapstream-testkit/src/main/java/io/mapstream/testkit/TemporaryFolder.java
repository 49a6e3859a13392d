package io.mapstream.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** A folder for a socket, so with a short path. */
final class TemporaryFolder {

  /** Leaves room for a file's name within the 103 bytes that macOS gives a Unix socket's path. */
  private static final int LONGEST = 90;

  private final Path path;

  private TemporaryFolder(Path path) {
    this.path = path;
  }

  static TemporaryFolder create() throws IOException {
    Path usual = Files.createTempDirectory("mapstream");
    if (usual.toString().getBytes(UTF_8).length <= LONGEST) {
      return new TemporaryFolder(usual);
    }
    Files.delete(usual);
    return new TemporaryFolder(Files.createTempDirectory(Path.of("/tmp"), "mapstream"));
  }

  Path resolve(String name) {
    return path.resolve(name);
  }

  /** Removes the folder with all that is in it. */
  void delete() {
    try (Stream<Path> walk = Files.walk(path)) {
      List<Path> deepestFirst = walk.sorted((a, b) -> b.compareTo(a)).toList();
      for (Path each : deepestFirst) {
        Files.deleteIfExists(each);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the temporary folder was not removed: " + path, e);
    }
  }
}
