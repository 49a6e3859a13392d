package io.mapstream.testkit.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Help.Ansi;

/**
 * Where a command reads and writes. Text is UTF-8, whatever the locale says, since payloads are.
 *
 * @param in standard input
 * @param out for results
 * @param err for everything that isn't one
 * @param interactive whether someone is looking at {@code err}
 * @param outFailure why {@code out} could not be written to, if it couldn't
 */
record Terminal(
    InputStream in,
    PrintStream out,
    PrintStream err,
    boolean interactive,
    AtomicReference<@Nullable IOException> outFailure) {

  Terminal(InputStream in, PrintStream out, PrintStream err, boolean interactive) {
    this(in, out, err, interactive, new AtomicReference<>());
  }

  static Terminal ofProcess() {
    AtomicReference<@Nullable IOException> failure = new AtomicReference<>();
    OutputStream watched =
        new FilterOutputStream(new FileOutputStream(FileDescriptor.out)) {
          // Keeps the reason of a failure, which a PrintStream drops.
          @Override
          public void write(byte[] bytes, int from, int length) throws IOException {
            try {
              out.write(bytes, from, length);
            } catch (IOException e) {
              failure.compareAndSet(null, e);
              throw e;
            }
          }
        };
    return new Terminal(
        System.in,
        // No buffer: a result is shown when it is here.
        new PrintStream(watched, true, UTF_8),
        new PrintStream(new FileOutputStream(FileDescriptor.err), true, UTF_8),
        looksAtErrors(),
        failure);
  }

  /** Whether nobody reads results any more, as after {@code | head}. */
  boolean isUnread() {
    IOException failure = outFailure.get();
    return failure != null && String.valueOf(failure.getMessage()).contains("Broken pipe");
  }

  /** The same, with nobody looking. */
  Terminal notInteractive() {
    return new Terminal(in, out, err, false, outFailure);
  }

  /** The JDK knows of standard input and output alone; progress goes to standard error. */
  private static boolean looksAtErrors() {
    try {
      String device = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
      return device.startsWith("/dev/pts/") || device.startsWith("/dev/tty");
    } catch (IOException e) {
      return Ansi.AUTO.enabled();
    }
  }
}
