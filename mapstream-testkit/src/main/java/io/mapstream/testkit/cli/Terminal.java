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
 * The streams of a command. Text is UTF-8 regardless of the locale, since payloads are.
 *
 * @param in standard input
 * @param out for results
 * @param err for everything else
 * @param interactive whether {@code err} is a terminal
 * @param outFailure the failure of a write to {@code out}, if any
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
          // Keeps the cause of a failure, which a PrintStream discards.
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
        // Unbuffered, so that a result is shown as soon as it arrives.
        new PrintStream(watched, true, UTF_8),
        new PrintStream(new FileOutputStream(FileDescriptor.err), true, UTF_8),
        looksAtErrors(),
        failure);
  }

  /** Returns whether the reader of the results has gone, as with {@code | head}. */
  boolean isUnread() {
    IOException failure = outFailure.get();
    return failure != null && String.valueOf(failure.getMessage()).contains("Broken pipe");
  }

  /** Returns the same streams, without an interactive terminal. */
  Terminal notInteractive() {
    return new Terminal(in, out, err, false, outFailure);
  }

  /** Checks standard error, where progress goes; the JDK only checks standard input and output. */
  private static boolean looksAtErrors() {
    try {
      String device = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
      return device.startsWith("/dev/pts/") || device.startsWith("/dev/tty");
    } catch (IOException e) {
      return Ansi.AUTO.enabled();
    }
  }
}
