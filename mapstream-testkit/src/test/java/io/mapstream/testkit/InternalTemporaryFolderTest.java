package io.mapstream.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InternalTemporaryFolderTest {

  /** The maximum length in bytes of a Unix socket's path on macOS; Linux allows more. */
  private static final int LONGEST_SOCKET_PATH = 103;

  @TempDir Path temporary;

  @Test
  void socketIsInTheTemporaryFolder() throws Exception {
    InternalTemporaryFolder folder = InternalTemporaryFolder.in(temporary);

    assertEquals(temporary, folder.resolve("s").getParent().getParent());
  }

  @Test
  void socketIsElsewhereIfTheTemporaryFoldersPathIsTooLong() throws Exception {
    for (int length : new int[] {50, 90}) {
      Path usual = Files.createDirectory(temporary.resolve("t".repeat(length)));

      InternalTemporaryFolder folder = InternalTemporaryFolder.in(usual);

      try {
        int bytes = folder.resolve("s").toString().getBytes(UTF_8).length;
        assertTrue(bytes <= LONGEST_SOCKET_PATH, () -> folder.resolve("s").toString());
      } finally {
        folder.delete();
      }
    }
  }
}
