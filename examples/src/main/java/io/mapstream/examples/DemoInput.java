package io.mapstream.examples;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The lines of a file or of standard input, as bytes: whatever their encoding is, it is kept. */
final class DemoInput {

  /** A line without an end must not fill the memory. */
  static final int LONGEST_LINE = 16 * 1024 * 1024;

  private final String name;
  private final InputStream in;
  private final byte[] buffer = new byte[64 * 1024];
  private int at;
  private int end;
  private long lines;

  DemoInput(String name, InputStream in) {
    this.name = name;
    this.in = in;
  }

  /**
   * Opens an input.
   *
   * @param argument a path, or {@code -} for standard input
   * @throws IOException if it can't be read; the message names it
   */
  static DemoInput open(String argument) throws IOException {
    if (argument.equals("-")) {
      return new DemoInput("standard input", System.in);
    }
    try {
      Path path = Path.of(argument);
      if (Files.isDirectory(path)) {
        throw new IOException("is a folder and not a file: " + argument);
      }
      return new DemoInput(argument, Files.newInputStream(path));
    } catch (NoSuchFileException e) {
      throw new IOException("no such file: " + argument, e);
    } catch (AccessDeniedException e) {
      throw new IOException("not readable: " + argument, e);
    } catch (InvalidPathException e) {
      throw new IOException("no path of a file: " + argument, e);
    }
  }

  /**
   * Reads the next line, without its end ({@code \n} or {@code \r\n}).
   *
   * @return the line, or null after the last one
   * @throws IOException if reading fails or the line is too long; the message names the input
   */
  byte @Nullable [] next() throws IOException {
    lines++;
    if (!hasBytes()) {
      return null;
    }
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    do {
      int start = at;
      while (at < end && buffer[at] != '\n') {
        at++;
      }
      if (line.size() + at - start > LONGEST_LINE) {
        throw new IOException(
            "line %d of %s is longer than %d bytes".formatted(lines, name, LONGEST_LINE));
      }
      line.write(buffer, start, at - start);
    } while (at == end && hasBytes());
    at++;
    return withoutCarriageReturn(line.toByteArray());
  }

  /**
   * Reads more where the buffer is used up; as much as there is, without waiting for it to fill.
   */
  private boolean hasBytes() throws IOException {
    if (at >= end) {
      try {
        at = 0;
        end = in.read(buffer);
      } catch (IOException e) {
        throw new IOException("can't read " + name + ": " + e.getMessage(), e);
      }
    }
    return at < end;
  }

  private static byte[] withoutCarriageReturn(byte[] line) {
    int length = line.length;
    return length > 0 && line[length - 1] == '\r' ? Arrays.copyOf(line, length - 1) : line;
  }
}
