package io.mapstream.testkit.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Help.Ansi;

/**
 * Where a command reads and writes. Text is UTF-8, whatever the locale says, since payloads are.
 *
 * @param in standard input
 * @param out for results
 * @param err for everything that isn't one
 * @param interactive whether someone is looking
 */
record Terminal(InputStream in, PrintStream out, PrintStream err, boolean interactive) {

  static Terminal ofProcess() {
    return new Terminal(
        System.in,
        // No buffer: a result is shown when it is here.
        new PrintStream(new FileOutputStream(FileDescriptor.out), true, UTF_8),
        new PrintStream(new FileOutputStream(FileDescriptor.err), true, UTF_8),
        looksAtErrors());
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

  PrintWriter outWriter() {
    return new PrintWriter(new OutputStreamWriter(out, UTF_8), true);
  }

  PrintWriter errWriter() {
    return new PrintWriter(new OutputStreamWriter(err, UTF_8), true);
  }
}
