package io.mapstream.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.Message;
import io.mapstream.Messages;
import io.mapstream.SinkClosedException;
import io.mapstream.testkit.MapStreamHarness;
import io.mapstream.testkit.Reply;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LineReaderTest {

  @TempDir Path folder;

  private Path root;
  private MapStreamHarness harness;

  @BeforeEach
  void serveAFolder() throws IOException {
    root = Files.createDirectory(folder.resolve("root"));
    harness =
        MapStreamHarness.builder(new LineReader(root))
            .bound(1)
            .timeLimit(Duration.ofSeconds(60)) // thousands of lines, each handed over separately
            .build();
  }

  @AfterEach
  void close() {
    harness.close();
  }

  @Test
  void eachLineIsAMessageKeyedByTheName() throws Exception {
    Files.writeString(Files.createDirectory(root.resolve("a")).resolve("b.txt"), "x\n\ny");

    assertEquals(
        List.of(
            Message.of("x").withKeys("a/b.txt"),
            Message.of("").withKeys("a/b.txt"),
            Message.of("y").withKeys("a/b.txt")),
        harness.process("a/b.txt\n"));
  }

  @Test
  void anEmptyFileYieldsNoMessages() throws Exception {
    Files.createFile(root.resolve("empty"));

    assertEquals(Messages.empty(), harness.process("empty"));
  }

  @Test
  void bytesThatAreNotTextAreReplaced() throws Exception {
    Files.write(root.resolve("binary"), new byte[] {'a', (byte) 0xff, '\n', 'b'});

    assertEquals(List.of("a\ufffd", "b"), harness.process("binary").texts());
  }

  @Test
  void linesAreEmittedWhileTheFileIsStillRead() throws Exception {
    Path log = Files.writeString(root.resolve("log"), numbered(3_000));
    Reply lines = harness.send("log");
    assertEquals("line 0", lines.next().text());
    lines.awaitBlockedEmit();

    // The handler reads this line only if it stopped reading while its emit was blocked.
    Files.writeString(log, "written later\n", StandardOpenOption.APPEND);

    assertEquals("written later", lines.remaining().getLast().text());
  }

  @Test
  void aFileLargerThanTheHeapStartsAtOnce() throws Exception {
    Path huge = Files.writeString(root.resolve("huge"), numbered(3_000));
    long size = 64L * Runtime.getRuntime().maxMemory();
    try (FileChannel sparse = FileChannel.open(huge, StandardOpenOption.WRITE)) {
      sparse.write(UTF_8.encode("\n"), size - 1);
    }
    assertEquals(size, Files.size(huge));

    Reply lines = harness.send("huge");
    for (int i = 0; i < 1_500; i++) {
      assertEquals("line " + i, lines.next().text());
    }

    lines.awaitBlockedEmit();
    lines.cancel();
    assertInstanceOf(SinkClosedException.class, lines.failure().orElseThrow());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"../secret", "a/../../secret", "..", "/etc/passwd", "link", "links/secret"})
  void noNameLeadsOutOfTheFolder(String name) throws Exception {
    Files.writeString(folder.resolve("secret"), "secret");
    Files.createDirectory(root.resolve("a"));
    Files.createSymbolicLink(root.resolve("link"), folder.resolve("secret"));
    Files.createSymbolicLink(root.resolve("links"), folder);

    assertRefused(name, "\"" + name + "\" is outside the served folder");
  }

  @Test
  void aLinkWithinTheFolderIsFollowed() throws Exception {
    Files.writeString(root.resolve("target"), "x");
    Files.createSymbolicLink(root.resolve("link"), root.resolve("target"));

    assertEquals(List.of("x"), harness.process("link").texts());
  }

  @Test
  void aNameOfNoRegularFileIsAnsweredWithAnError() {
    assertRefused("absent", "\"absent\" does not exist");
    assertRefused("", "\"\" is not a regular file");
    assertRefused("a\0b", "\"a\0b\" is not a path");
  }

  @Test
  void aNameThatCannotBeLookedUpIsAnsweredWithAnError() throws Exception {
    Files.createFile(root.resolve("file"));
    Files.createSymbolicLink(root.resolve("circle"), root.resolve("circle"));
    String longest = "n".repeat(300);

    assertRefused("file/x", "\"file/x\" can't be looked up");
    assertRefused("circle", "\"circle\" can't be looked up");
    assertRefused(longest, "\"" + longest + "\" can't be looked up");
  }

  @Test
  void aFolderThatDoesNotExistIsRefusedAtStart() {
    var refused =
        assertThrows(NoSuchFileException.class, () -> new LineReader(root.resolve("absent")));

    assertTrue(refused.getMessage().endsWith("absent"), refused.getMessage());
  }

  private void assertRefused(String name, String reason) {
    assertEquals(List.of(Message.of(reason).withTags(LineReader.ERROR)), harness.process(name));
  }

  private static String numbered(int lines) {
    return IntStream.range(0, lines)
        .mapToObj(i -> "line " + i + "\n")
        .collect(Collectors.joining());
  }
}
