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
  private final ArrayDeque<Throwable> failures = new ArrayDeque<>();

  private final ServerFiles files =
      new ServerFiles(() -> removed.add("socket"), () -> remove("info"));

  private void remove(String name) throws IOException {
    removed.add(name);
    switch (failures.poll()) {
      case null -> {}
      case IOException e -> throw e;
      case Error e -> throw e;
      case Throwable other -> throw new AssertionError(other);
    }
  }

  @Test
  void removesBothOnce() {
    files.remove();

    assertEquals(List.of("info", "socket"), removed);
  }

  @Test
  void fileThatCannotBeRemovedDoesNotKeepTheOther() {
    failures.add(new IOException("read-only"));

    files.remove();

    assertEquals(List.of("info", "socket"), removed);
  }

  /** Each time some memory is released, so that a full heap does not leave files behind. */
  @Test
  void triesBothAgainAfterEachError() {
    failures.add(new OutOfMemoryError("for the test"));
    failures.add(new OutOfMemoryError("once more"));

    files.remove();

    assertEquals(List.of("info", "socket", "info", "socket", "info", "socket"), removed);
  }
}
