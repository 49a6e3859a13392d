package io.mapstream.testkit.cli;

import com.google.protobuf.ByteString;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Reads lines as bytes, since payloads need not be text. A separate thread reads, because a read
 * from a terminal cannot be interrupted and a failure of the function must be reported without
 * waiting for the next line.
 */
final class LineReader {

  private static final Path STANDARD_INPUT = Path.of("-");

  /** Limits the memory that an unterminated line can take. */
  static final int LONGEST_LINE = 16 * 1024 * 1024;

  /** A line without its terminator, and its position. */
  record Line(String source, long number, ByteString bytes) {
    String place() {
      return "line " + number + " of " + source;
    }
  }

  private final List<Path> files;
  private final InputStream standardInput;

  /** What the reading thread has read: lines, then null for the end, or a failure. */
  private final BlockingQueue<Callable<@Nullable Line>> read = new LinkedBlockingQueue<>(64);

  private LineReader(List<Path> files, InputStream standardInput) {
    this.files = files;
    this.standardInput = standardInput;
  }

  /** Checks that the files exist, without reading them. */
  static LineReader of(List<Path> files, InputStream standardInput) {
    if (Collections.frequency(files, STANDARD_INPUT) > 1) {
      throw new UsageFault("standard input (-) can be read only once");
    }
    for (Path file : files) {
      if (!file.equals(STANDARD_INPUT) && !Files.isReadable(file)) {
        throw new UsageFault((Files.exists(file) ? "not readable: " : "no such file: ") + file);
      }
      if (Files.isDirectory(file)) {
        throw new UsageFault("a folder, not a file: " + file);
      }
    }
    return new LineReader(files.isEmpty() ? List.of(STANDARD_INPUT) : files, standardInput);
  }

  void start() {
    Thread.ofPlatform().daemon().name("mapstream-lines").start(this::readAll);
  }

  private void readAll() {
    try {
      Callable<@Nullable Line> last = () -> null;
      try {
        for (Path file : files) {
          read(file);
        }
      } catch (RuntimeException | Error e) {
        last =
            () -> {
              throw e;
            };
      }
      read.put(last);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void read(Path file) throws InterruptedException {
    boolean isStandard = file.equals(STANDARD_INPUT);
    String source = isStandard ? "standard input" : file.toString();
    try (InputStream in = isStandard ? standardInput : Files.newInputStream(file)) {
      read(source, new BufferedInputStream(in));
    } catch (IOException e) {
      throw new UsageFault(source + " can't be read: " + e);
    }
  }

  private void read(String source, InputStream in) throws IOException, InterruptedException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    long number = 0;
    int b;
    do {
      b = in.read();
      if (b == '\n' || (b < 0 && line.size() > 0)) { // the last line may be unterminated
        Line next = new Line(source, ++number, taken(line));
        read.put(() -> next);
      } else if (line.size() == LONGEST_LINE) {
        throw new UsageFault(
            "line %d of %s is longer than %d bytes".formatted(number + 1, source, LONGEST_LINE));
      } else if (b >= 0) {
        line.write(b);
      }
    } while (b >= 0);
  }

  private static ByteString taken(ByteArrayOutputStream line) {
    byte[] bytes = line.toByteArray();
    line.reset();
    boolean dos = bytes.length > 0 && bytes[bytes.length - 1] == '\r';
    return ByteString.copyFrom(bytes, 0, dos ? bytes.length - 1 : bytes.length);
  }

  /**
   * Waits for the next line, without a time limit.
   *
   * @param meanwhile called repeatedly during the wait; an exception from it ends the wait
   * @return null at the end of the input
   */
  @Nullable Line next(Runnable meanwhile) throws Exception {
    Callable<@Nullable Line> next;
    do {
      meanwhile.run();
      next = read.poll(100, TimeUnit.MILLISECONDS);
    } while (next == null);
    return next.call();
  }
}
