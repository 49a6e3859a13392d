package io.mapstream.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import org.jspecify.annotations.Nullable;

/**
 * Tells a file that this process has made from one that took its place. The key alone would not do:
 * a file system may give that of a deleted file to the next one.
 */
record FileIdentity(@Nullable Object key, FileTime lastModified) {

  static FileIdentity of(Path path) throws IOException {
    var found = Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    return new FileIdentity(found.fileKey(), found.lastModifiedTime());
  }

  /** Deletes the file at {@code path} if it is this one. */
  void delete(Path path) throws IOException {
    try {
      if (equals(of(path))) {
        Files.deleteIfExists(path);
      }
    } catch (NoSuchFileException e) {
      // Somebody was faster.
    }
  }
}
