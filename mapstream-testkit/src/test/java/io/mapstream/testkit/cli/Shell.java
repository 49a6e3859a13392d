package io.mapstream.testkit.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/** Runs a command as a terminal would, in the test's process. */
final class Shell {

  /** The exit code and output of a command. */
  record Ran(int code, String out, String err) {
    List<String> lines() {
      return out.lines().toList();
    }
  }

  private Shell() {}

  static Ran run(String... args) {
    return runWithInput(InputStream.nullInputStream(), args);
  }

  static Ran runWithInput(String input, String... args) {
    return runWithInput(new ByteArrayInputStream(input.getBytes(UTF_8)), args);
  }

  static Ran runWithInput(InputStream input, String... args) {
    var out = new ByteArrayOutputStream();
    return runWith(input, new PrintStream(out, true, UTF_8), out, args);
  }

  static Ran runWith(
      InputStream input, PrintStream out, ByteArrayOutputStream written, String... args) {
    var err = new ByteArrayOutputStream();
    var terminal = new Terminal(input, out, new PrintStream(err, true, UTF_8), false);
    int code = Main.run(terminal, new AtomicBoolean(), args);
    return new Ran(code, written.toString(UTF_8), err.toString(UTF_8));
  }
}
