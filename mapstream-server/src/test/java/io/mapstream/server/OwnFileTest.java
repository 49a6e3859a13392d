package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What all files of the server have in common. */
class OwnFileTest {

  /** Not even root can create a file there. */
  private static final Path SYSTEM_FOLDER = Path.of("/sys/kernel");

  @TempDir private Path folder;
  private Path path;

  @BeforeEach
  void namePath() {
    path = folder.resolve("file");
  }

  @Test
  void aLinkAtTheTemporaryNameIsNotFollowed() throws Exception {
    Path target = Files.writeString(folder.resolve("target"), "precious");
    Path temporary = Files.createSymbolicLink(folder.resolve("temporary"), target);

    assertThrows(
        FileAlreadyExistsException.class,
        () -> new OwnFile("setting", path).write("content", temporary).close());

    assertEquals("precious", Files.readString(target));
    assertTrue(Files.isSymbolicLink(temporary));
    assertFalse(Files.exists(path));
  }

  @Test
  void aFileIsLockedUntilItIsUnlocked() throws Exception {
    OwnFile file = new OwnFile("setting", path);
    var channel = file.write("content");
    assertTrue(new OwnFile("setting", path).isLockedHere());
    assertTrue(new OwnFile("setting", path).isLocked());
    file.unlock(channel);

    assertFalse(file.isLockedHere());
    assertFalse(file.isLocked());
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(List.of(path), left.toList());
    }
  }

  @Test
  void aFolderThatCannotBeWrittenIsNamedWithSettingAndReason() throws Exception {
    Path at = unwritable().resolve("file");

    IOException refused =
        assertThrows(IOException.class, () -> new OwnFile("setting", at).write("content").close());

    assertTrue(
        refused
            .getMessage()
            .matches(
                "setting " + at + " can't be written: (permission denied|Read-only file system)"),
        refused::getMessage);
  }

  @ParameterizedTest
  @EnumSource(InternalSocketKind.class)
  void aFolderThatCannotBeWrittenIsNamedForTheSocket(InternalSocketKind kind) throws Exception {
    Path at = unwritable().resolve("s.sock");
    MapStreamServer server =
        MapStreamServer.builder((keys, datum, sink) -> {})
            .socketPath(at)
            .serverInfoFile(path)
            .build();

    IOException refused = assertThrows(IOException.class, () -> server.start(kind));

    assertTrue(
        refused.getMessage().startsWith("socketPath " + at + " can't be created: "),
        refused::getMessage);
    assertTrue(
        refused
            .getMessage()
            .matches("(?i).*(permission denied|not permitted|read-only file system).*"),
        refused::getMessage);
  }

  private Path unwritable() throws IOException {
    if (System.getProperty("user.name").equals("root")) {
      assumeTrue(Files.isDirectory(SYSTEM_FOLDER), "no folder that root can't write to");
      return SYSTEM_FOLDER;
    }
    return Files.createDirectory(
        folder.resolve("unwritable"),
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("r-xr-xr-x")));
  }
}
