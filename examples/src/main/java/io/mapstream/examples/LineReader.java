package io.mapstream.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.MessageSink;
import io.mapstream.server.MapStreamServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/**
 * Answers a datum that names a file with the lines of that file, each as it is read, with the name
 * as its key. Only a buffer and one line are in memory, however large the file: {@code emit} blocks
 * while the next vertex is slower than the disk, and nothing is read meanwhile.
 *
 * <p>A datum is untrusted input, so it can only reach files in one folder, {@code LINES_ROOT} or by
 * default the working directory: neither {@code ..} nor a symbolic link leads out of it. A name
 * that is not a file there, or that the file system cannot look up, must not end the process and
 * all other datums with it: it is answered with one message that describes the error and has the
 * tag {@value #ERROR}, by which an edge of the pipeline can divert it. If a file cannot be read to
 * its end, the handler throws.
 */
public final class LineReader implements MapStreamer {

  static final String ERROR = "error";

  private final Path root;

  /**
   * Creates a function for the files below a folder.
   *
   * @throws IOException if there is no such folder
   */
  public LineReader(Path root) throws IOException {
    this.root = root.toRealPath();
  }

  /** Serves this function until the process is stopped. */
  public static void main(String[] args) throws Exception {
    MapStreamServer.run(new LineReader(Path.of(System.getenv().getOrDefault("LINES_ROOT", "."))));
  }

  @Override
  public void handle(List<String> keys, Datum datum, MessageSink sink) throws IOException {
    String name = datum.text().strip();
    // Unlike Files.newBufferedReader, this replaces bytes that are not UTF-8 and continues.
    try (var lines = new BufferedReader(new InputStreamReader(open(name), UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        sink.emit(Message.of(line).withKeys(name));
      }
    } catch (RefusedException e) {
      sink.emit(Message.of(String.valueOf(e.getMessage())).withTags(ERROR));
    }
  }

  private InputStream open(String name) throws RefusedException, IOException {
    try {
      return Files.newInputStream(find(name));
    } catch (NoSuchFileException e) {
      throw new RefusedException(name, "does not exist");
    } catch (AccessDeniedException e) {
      throw new RefusedException(name, "may not be read");
    }
  }

  private Path find(String name) throws RefusedException, IOException {
    Path file;
    try {
      file = root.resolve(name).normalize();
    } catch (InvalidPathException e) {
      throw new RefusedException(name, "is not a path");
    }
    // Checked before the disk is accessed, so that a datum cannot probe for files elsewhere.
    refuseOutside(file, name);
    try {
      file = file.toRealPath();
    } catch (NoSuchFileException | AccessDeniedException e) {
      throw e;
    } catch (FileSystemException e) {
      // A name that is too long, a file in place of a folder, or a loop of links.
      throw new RefusedException(name, "can't be looked up");
    }
    refuseOutside(file, name);
    // A pipe or a device could block without limit or have no end.
    if (!Files.isRegularFile(file)) {
      throw new RefusedException(name, "is not a regular file");
    }
    return file;
  }

  private void refuseOutside(Path file, String name) throws RefusedException {
    if (!file.startsWith(root)) {
      throw new RefusedException(name, "is outside the served folder");
    }
  }

  /** Thrown if a datum does not name a file of this function. */
  private static final class RefusedException extends Exception {
    private static final long serialVersionUID = 1;

    RefusedException(String name, String reason) {
      super("\"" + name + "\" " + reason);
    }
  }
}
