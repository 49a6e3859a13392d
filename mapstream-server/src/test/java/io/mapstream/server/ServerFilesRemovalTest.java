package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The removal of the files when the server or its process ends. */
class ServerFilesRemovalTest {

  private final List<String> removed = new ArrayList<>();

  /** What the next attempts to remove the info file throw. */
  private final ArrayDeque<ServerFiles.Removal> failures = new ArrayDeque<>();

  private final ServerFiles files = new ServerFiles(() -> removed.add("socket"), this::removeInfo);

  private void removeInfo() throws IOException {
    removed.add("info");
    if (!failures.isEmpty()) {
      failures.remove().run();
    }
  }

  @Test
  void removesBothOnce() {
    files.remove();

    assertEquals(List.of("info", "socket"), removed);
  }

  @Test
  void fileThatCannotBeRemovedDoesNotKeepTheOther() {
    failures.add(() -> {
      throw new IOException("read-only");
    });

    files.remove();

    assertEquals(List.of("info", "socket"), removed);
  }

  /** Each time some memory is released, so that a full heap does not leave files behind. */
  @Test
  void triesBothAgainAfterEachError() {
    ServerFiles.Removal outOfMemory =
        () -> {
          throw new OutOfMemoryError("for the test");
        };
    failures.add(outOfMemory);
    failures.add(outOfMemory);

    files.remove();

    assertEquals(List.of("info", "socket", "info", "socket", "info", "socket"), removed);
  }
}
