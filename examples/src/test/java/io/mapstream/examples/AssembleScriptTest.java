package io.mapstream.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests which calls {@code starter/docker/assemble.sh} refuses, with which messages, and that it
 * leaves no files then.
 */
@DisabledOnOs(OS.WINDOWS)
class AssembleScriptTest {

  @TempDir static Path classPath;
  @TempDir Path folder;

  private AssembleScript script;
  private Path out;

  @BeforeAll
  static void needsAJdk() {
    assumeTrue(ToolProvider.findFirst("jar").isPresent(), "a JDK, which can pack the classes");
  }

  @BeforeEach
  void completeCall() throws IOException {
    out = folder.resolve("out");
    script =
        new AssembleScript(classPath)
            .with("--class", Fanout.class.getName())
            .with("--input", Files.writeString(folder.resolve("input"), "1 100 0\n"))
            .with("--out", out);
  }

  private void assertRefused(int code, String message) throws Exception {
    AssembleScript.Ended ended = script.assemble();
    assertEquals(code, ended.code(), ended.printed());
    assertTrue(ended.printed().contains(message), ended.printed());
    assertFalse(Files.exists(out), "a folder is left");
    assertFalse(Files.exists(folder.resolve("out.incomplete")), "a folder is left");
  }

  @Test
  void aCallWithoutAClassGetsTheUsage() throws Exception {
    script.without("--class");
    assertRefused(2, "--class is missing");
    assertRefused(2, "usage: assemble.sh --class CLASS --input FILE");
  }

  @Test
  void aCallWithoutInputIsRefused() throws Exception {
    script.without("--input");
    assertRefused(2, "--input is missing");
  }

  @Test
  void anUnknownOptionIsRefused() throws Exception {
    script.with("--jvm", "java");
    assertRefused(2, "unknown option --jvm");
  }

  @Test
  void aForeignFolderIsLeftUnchanged() throws Exception {
    Path file = Files.createDirectory(out).resolve("file");
    Files.writeString(file, "kept");

    AssembleScript.Ended ended = script.assemble();

    assertEquals(1, ended.code());
    assertTrue(
        ended.printed().contains("--out " + out + " exists, and is not a function's folder"),
        ended.printed());
    assertEquals("kept", Files.readString(file));
  }

  /** Creates the files by which the script recognizes its result; returns a stale file. */
  private Path earlierFolder() throws IOException {
    Files.createDirectory(out);
    Files.createFile(out.resolve("main-class"));
    Files.createFile(out.resolve("jvm.options"));
    assertTrue(Files.createFile(out.resolve("run")).toFile().setExecutable(true));
    return Files.createFile(out.resolve("stale"));
  }

  @Test
  void theFolderOfAnEarlierRunIsReplaced() throws Exception {
    Path stale = earlierFolder();

    AssembleScript.Ended ended = script.assemble();

    assertEquals(0, ended.code(), ended.printed());
    assertFalse(Files.exists(stale));
    assertTrue(Files.exists(out.resolve("function.jar")));
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(
          List.of("input", "out"),
          left.map(Path::getFileName).map(Path::toString).sorted().toList());
    }
  }

  @Test
  void theFolderOfAnEarlierRunStaysWhenThisOneFails() throws Exception {
    Path stale = earlierFolder();
    script.with("--class", "com.example.Missing");

    AssembleScript.Ended ended = script.assemble();

    assertEquals(1, ended.code(), ended.printed());
    assertTrue(Files.exists(stale));
  }

  @Test
  void aLongTemporaryFolderIsNotUsedForTheSocket() throws Exception {
    script.withVariable("TMPDIR", Files.createDirectory(folder.resolve("t".repeat(90))));

    AssembleScript.Ended ended = script.assemble();

    assertEquals(0, ended.code(), ended.printed());
  }

  @Test
  void anEmptyInputIsRefused() throws Exception {
    Path empty = Files.createFile(folder.resolve("empty"));
    script.with("--input", empty);
    assertRefused(1, "--input " + empty + " must be a file that is not empty");
  }

  @Test
  void aFolderWithoutJarsIsRefused() throws Exception {
    script.with("--lib", folder);
    assertRefused(1, "--lib " + folder + " has no jars");
  }

  @Test
  void anOldJavaIsRefused() throws Exception {
    Path java = folder.resolve("java");
    Files.writeString(java, "#!/bin/sh\necho 'openjdk version \"17.0.15\" 2025-04-15' >&2\n");
    assertTrue(java.toFile().setExecutable(true));
    script.with("--java", java);
    assertRefused(1, "is Java 17, too old");
  }

  @Test
  void aMissingClassIsRefused() throws Exception {
    script.with("--class", "com.example.Missing");
    assertRefused(1, "com.example.Missing can't be started");
  }

  @Test
  void aFunctionThatFailsOnItsInputIsReportedWithItsOutput() throws Exception {
    Files.writeString(folder.resolve("input"), "no number\n");
    assertRefused(1, "count must be a number of at least 0");
  }
}
