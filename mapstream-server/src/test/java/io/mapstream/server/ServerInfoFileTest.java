package io.mapstream.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The exact bytes of the server info file, and when it is written and removed. */
class ServerInfoFileTest {

  private static final String EXACTLY =
      "{\"protocol\":\"uds\",\"language\":\"java\",\"minimum_numaflow_version\":\"1.4.0-z\","
          + "\"version\":\"1.2.3\",\"metadata\":{\"MAP_MODE\":\"stream-map\"}}U+005C__END__";

  @TempDir private Path folder;
  private Path path;

  @BeforeEach
  void namePath() {
    path = folder.resolve("info");
  }

  private List<Path> files() throws IOException {
    try (var files = Files.list(folder)) {
      return files.toList();
    }
  }

  @Test
  void contentIsWhatThePlatformReads() throws Exception {
    new ServerInfoFile(path, "1.2.3").write();

    assertEquals(EXACTLY, new String(Files.readAllBytes(path), UTF_8));
    assertEquals(List.of(path), files(), "no temporary file remains");
  }

  /** The platform accepts only versions with three parts that are at least 0.9.0. */
  @Test
  void versionOfTheBuildIsOneThatThePlatformAccepts() {
    assertTrue(
        ServerInfoFile.sdkVersion().matches("[1-9]\\d*\\.\\d+\\.\\d+(-SNAPSHOT)?"),
        ServerInfoFile::sdkVersion);
  }

  private ServerInfoFile info() {
    return new ServerInfoFile(path, "1.2.3");
  }

  private void makeWay() throws IOException {
    info().makeWay(folder.resolve("s.sock"));
  }

  /** Content of this SDK, of another one, or truncated. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        EXACTLY,
        "{\"metadata\": {}, \"protocol\": \"uds\"}U+005C__END__",
        "{\"protocol\":\"uds\",\"lang"
      })
  void whatAKilledServerHasLeftIsRemoved(String left) throws Exception {
    Files.writeString(path, left);

    makeWay();
    makeWay();

    assertEquals(List.of(), files());
  }

  private void assertLeftAlone(String reason) {
    IOException refused = assertThrows(IOException.class, this::makeWay);
    for (String part : List.of("serverInfoFile", path.toString(), reason)) {
      assertTrue(refused.getMessage().contains(part), refused::getMessage);
    }
  }

  @Test
  void anEmptyFolderIsLeftAlone() throws Exception {
    Files.createDirectory(path);

    assertLeftAlone("not a server info file");

    assertTrue(Files.isDirectory(path));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 8, 100_000})
  void aFileOfAnotherProgramIsLeftAlone(int size) throws Exception {
    String precious = "x".repeat(size);
    Files.writeString(path, precious);

    assertLeftAlone("not a server info file");

    assertEquals(precious, Files.readString(path));
  }

  @Test
  void aLinkIsLeftAlone() throws Exception {
    Path target = Files.writeString(folder.resolve("target"), EXACTLY);
    Files.createSymbolicLink(path, target);

    assertLeftAlone("not a server info file");

    assertEquals(EXACTLY, Files.readString(target));
  }

  @Test
  void theFileOfALiveServerIsLeftAlone() throws Exception {
    ServerInfoFile live = info();
    live.write();

    assertLeftAlone("live server");
    assertLeftAlone("live server");

    assertEquals(EXACTLY, Files.readString(path));
    live.remove();
    makeWay();
  }

  /** Two servers that start at the same time both find no file at the path. */
  @Test
  void aFileCreatedInTheMeantimeIsNotReplaced() throws Exception {
    Files.writeString(path, "precious");

    IOException refused = assertThrows(IOException.class, () -> info().write());

    assertTrue(refused.getMessage().contains("a file already exists"), refused::getMessage);
    assertEquals("precious", Files.readString(path));
    assertEquals(List.of(path), files());
  }

  @Test
  void theSocketsPathIsRefused() throws Exception {
    Path link = Files.createSymbolicLink(folder.resolve("link"), folder);
    for (Path socket : List.of(path, link.resolve("info"))) {
      IOException refused = assertThrows(IOException.class, () -> info().makeWay(socket));

      assertTrue(refused.getMessage().contains("is also socketPath"), refused::getMessage);
    }
  }

  @Test
  void whatWasWrittenIsRemovedOnce() throws Exception {
    ServerInfoFile info = new ServerInfoFile(path, "1.2.3");
    info.write();

    info.remove();
    assertEquals(List.of(), files());
    info.remove();
  }

  @Test
  void nothingIsRemovedThatWasNotWritten() throws Exception {
    Files.writeString(path, EXACTLY);

    new ServerInfoFile(path, "1.2.3").remove();

    assertEquals(EXACTLY, Files.readString(path));
  }

  @Test
  void aFileWrittenByAnotherProgramIsNotRemoved() throws Exception {
    ServerInfoFile info = new ServerInfoFile(path, "1.2.3");
    info.write();
    FileTime written = Files.getLastModifiedTime(path);
    Files.write(path, new byte[] {(byte) 0xFF, 0});
    Files.setLastModifiedTime(path, written); // as on a file system with coarse timestamps

    info.remove();

    assertEquals(2, Files.size(path));
  }

  @Test
  void theSameContentWrittenByAnotherServerIsNotRemoved() throws Exception {
    ServerInfoFile info = new ServerInfoFile(path, "1.2.3");
    info.write();
    Files.delete(path);
    new ServerInfoFile(path, "1.2.3").write();

    info.remove();

    assertEquals(EXACTLY, Files.readString(path));
  }
}
