package io.mapstream.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * A file that this server creates: the socket, the server info file, an error report. It is created
 * under another name in the same folder and then renamed, so that it appears complete or not at
 * all. No link is followed, and a file that has replaced it is not removed.
 */
final class OwnFile {

  /** How many temporary names are tried if they are taken. */
  private static final int TRIES = 10;

  /**
   * The locked files of this process. Opening and closing such a file would release its lock, by
   * the rules of POSIX, so they are not opened for a check.
   */
  private static final Set<Identity> LOCKED_HERE = ConcurrentHashMap.newKeySet();

  private final String setting;
  private final Path path;
  private @Nullable Identity made;
  private @Nullable Identity locked;

  /**
   * The identity of a file. The key alone is not enough: a file system may reuse that of a deleted
   * file. Its clock may be coarse, so the size counts as well.
   */
  private record Identity(@Nullable Object key, FileTime lastModified, long size) {
    /**
     * Used instead of the record's {@code equals}, which is linked at its first call, when the heap
     * may be full.
     */
    boolean isThatOf(Path path) throws IOException {
      Identity other = of(path);
      return Objects.equals(key, other.key)
          && lastModified.equals(other.lastModified)
          && size == other.size;
    }

    static Identity of(Path path) throws IOException {
      var found = Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      return new Identity(found.fileKey(), found.lastModifiedTime(), found.size());
    }
  }

  /**
   * Creates an instance for a file that does not exist yet.
   *
   * @param setting what sets the path, for messages
   */
  OwnFile(String setting, Path path) {
    this.setting = setting;
    this.path = path;
  }

  boolean exists() {
    return Files.exists(path, LinkOption.NOFOLLOW_LINKS);
  }

  /**
   * Returns the path with links in its folder resolved.
   *
   * @param noFolder the message if there is no folder
   * @throws NoSuchFileException if its folder does not exist
   */
  Path realPath(String noFolder) throws IOException {
    Path folder = path.toAbsolutePath().getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new NoSuchFileException(path.toString(), null, noFolder);
    }
    return folder.toRealPath().resolve(path.getFileName());
  }

  /** Returns another name in the same folder, which is short and likely to be free. */
  Path temporary() {
    int random = ThreadLocalRandom.current().nextInt(36 * 36 * 36 * 36);
    return path.resolveSibling("." + Integer.toString(random, 36));
  }

  /**
   * Writes the file. The returned channel holds a lock until {@link #unlock}, which others detect
   * by {@link #isLocked}; on a file system without locks, there is none.
   *
   * @return the channel by which it was written
   */
  FileChannel write(String content) throws IOException {
    FileAlreadyExistsException taken = null;
    for (int tries = 0; tries < TRIES; tries++) {
      try {
        return write(content, temporary());
      } catch (FileAlreadyExistsException e) {
        taken = e;
      } catch (IOException e) {
        throw failure("can't be written", e);
      }
    }
    throw failure("can't be written", taken);
  }

  /** Does the same as {@link #write(String)}, under a given temporary name, which must be free. */
  FileChannel write(String content, Path temporary) throws IOException {
    FileChannel channel =
        FileChannel.open(temporary, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
    boolean placed = false;
    try {
      ByteBuffer bytes = UTF_8.encode(content);
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      lock(channel);
      placed = place(temporary);
      return channel;
    } finally {
      if (!placed) {
        channel.close();
        Files.deleteIfExists(temporary);
      }
    }
  }

  /**
   * Registers the file as locked before it is at its path, where others in this process may check
   * it.
   */
  private boolean place(Path temporary) throws IOException {
    Identity identity = Identity.of(temporary);
    LOCKED_HERE.add(identity);
    locked = identity;
    try {
      rename(temporary);
      return true;
    } finally {
      if (made == null) {
        LOCKED_HERE.remove(identity);
        locked = null;
      }
    }
  }

  private static void lock(FileChannel channel) {
    try {
      channel.tryLock();
    } catch (IOException e) {
      // Some file systems have no locks.
    }
  }

  /** Ends the lock of a file that was written here. */
  void unlock(FileChannel written) throws IOException {
    if (locked != null) {
      LOCKED_HERE.remove(locked);
    }
    written.close();
  }

  /** Returns whether this process has written the file and still locks it. Does not open it. */
  boolean isLockedHere() throws IOException {
    return LOCKED_HERE.contains(Identity.of(path));
  }

  /**
   * Returns whether the process that has written the file is still alive. Not for a file of this
   * process.
   */
  boolean isLocked() {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
        FileLock lock = channel.tryLock(0, Long.MAX_VALUE, true)) {
      return lock == null;
    } catch (OverlappingFileLockException e) {
      return true; // by this process
    } catch (IOException e) {
      return false;
    }
  }

  /** Moves a file that was created under another name to the path, and then owns it. */
  void rename(Path temporary) throws IOException {
    Identity identity = Identity.of(temporary);
    Files.move(temporary, path);
    made = identity;
  }

  /** Removes the file if it is still the one that was created here. */
  void remove() throws IOException {
    if (made == null) {
      return;
    }
    try {
      if (made.isThatOf(path)) {
        Files.deleteIfExists(path);
      }
    } catch (NoSuchFileException e) {
      // It has already been removed.
    } catch (IOException e) {
      throw failure("can't be removed", e);
    }
    made = null;
  }

  /** Removes a file that another process has left there. */
  void removeStale() throws IOException {
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      throw failure("was left by another process and can't be removed", e);
    }
  }

  /** Returns an exception with setting, path and reason; the system's may name a temporary file. */
  IOException failure(String what, @Nullable Throwable cause) {
    return new IOException(setting + " " + path + " " + what + ": " + reason(cause), cause);
  }

  private static @Nullable String reason(@Nullable Throwable cause) {
    Throwable root = cause;
    while (root != null && root.getCause() != null) {
      root = root.getCause();
    }
    return switch (root) {
      case null -> "unknown";
      case AccessDeniedException e -> "permission denied";
      case FileAlreadyExistsException e -> "a file already exists: " + e.getFile();
      case FileSystemException e when e.getReason() != null -> e.getReason();
      default -> root.getMessage();
    };
  }
}
