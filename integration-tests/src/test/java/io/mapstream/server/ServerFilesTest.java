package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The files of real processes: those of a live server, and a lack of disk space. */
class ServerFilesTest {

  @Test
  void aSecondProcessDoesNotTouchTheInfoFileOfTheFirst() throws Exception {
    try (ChildProcess first = ChildProcess.start(ChildMain.class, "run", Map.of())) {
      Call call = first.open();
      Path info = first.file("info");
      String content = Files.readString(info);
      try (ChildProcess second = anotherWith(info)) {
        assertNotEquals(0, second.exitCode());
        assertTrue(
            second.err().contains(info + ": serverInfoFile belongs to a live server"),
            second.err());
        assertFalse(Files.exists(second.file("s.sock")));
      }

      assertEquals(content, Files.readString(info));
      assertEquals(List.of("started", "echo"), call.send("1", "echo").answer("1").texts());
      first.signal("TERM");
      assertEquals(0, first.exitCode(), first.err());
      first.assertFilesGone();
    }
  }

  private static ChildProcess anotherWith(Path info) throws Exception {
    return ChildProcess.startBy(
        folder ->
            List.of(
                "env",
                "MAPSTREAM_SOCKET_PATH=" + folder.resolve("s.sock"),
                "MAPSTREAM_SERVER_INFO_FILE=" + info),
        ChildMain.class,
        "run",
        Map.of());
  }

  /**
   * Files of the process can't grow. Its output goes through a pipe to a process whose files can.
   */
  private static List<String> withoutSpace(Path folder) {
    String script =
        """
        mkfifo pipe && { cat pipe >&2 & } && ulimit -f 0 &&
        export MAPSTREAM_SOCKET_PATH="$PWD/s.sock" MAPSTREAM_SERVER_INFO_FILE="$PWD/info" &&
        exec "$@" 2>pipe
        """;
    return List.of("sh", "-c", "cd '" + folder + "' && " + script, "sh");
  }

  @Test
  void noSpaceForTheInfoFileIsReportedWithSettingPathAndReason() throws Exception {
    try (ChildProcess child =
        ChildProcess.startBy(ServerFilesTest::withoutSpace, ChildMain.class, "run", Map.of())) {
      assertEquals(1, child.exitCode(), child.err());

      String expected =
          "serverInfoFile " + child.file("info") + " can't be written: File too large";
      Waits.until("the error", () -> errorOf(child).contains(expected), () -> errorOf(child));
      child.assertFilesGone();
      try (var left = Files.list(child.file("info").getParent())) {
        assertEquals(
            List.of(), left.filter(it -> it.getFileName().toString().startsWith(".")).toList());
      }
    }
  }

  /** The platform's folder does not exist in a test, so the process uses another one. */
  @Test
  void noSpaceForAnErrorReportIsReportedWithPathAndReason() throws Exception {
    try (ChildProcess child =
        ChildProcess.startBy(
            ServerFilesTest::withoutSpace, ChildMain.class, "report an error", Map.of())) {
      assertEquals(0, child.exitCode(), child.err());

      Path folder = child.file("info").getParent();
      String named = "the error report " + folder + "/udf/1-udf.json can't be written: ";
      Waits.until(
          "the warning",
          () -> errorOf(child).contains(named + "File too large"),
          () -> errorOf(child));
      try (var left = Files.list(folder.resolve("udf"))) {
        assertEquals(List.of(), left.toList());
      }
    }
  }

  private static String errorOf(ChildProcess child) {
    try {
      return child.err();
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
