package io.mapstream.testkit.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Help.Ansi;

/**
 * The streams of a command. Text is UTF-8 regardless of the locale, since payloads are.
 *
 * @param in standard input
 * @param out for results
 * @param err for everything else
 * @param interactive whether {@code err} is a terminal
 */
record Terminal(InputStream in, OutputStream out, PrintStream err, boolean interactive) {

  static Terminal ofProcess() {
    return new Terminal(
        System.in,
        // Unbuffered, so that a result is shown as soon as it arrives.
        new FileOutputStream(FileDescriptor.out),
        new PrintStream(new FileOutputStream(FileDescriptor.err), true, UTF_8),
        looksAtErrors());
  }

  /** Writes to {@code out} in a single write; throws an UncheckedIOException if that fails. */
  void write(byte[] bytes) {
    try {
      out.write(bytes, 0, bytes.length);
    } catch (IOException e) {
      throw new UncheckedIOException("can't write to standard output: " + e.getMessage(), e);
    }
  }

  void print(String text) {
    write(text.getBytes(UTF_8));
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
