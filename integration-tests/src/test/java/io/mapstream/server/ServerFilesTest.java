package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** The files of real processes: those of a live server, and a lack of disk space. */
class ServerFilesTest {

  @AutoClose private final ChildProcess child = new ChildProcess();

  @Test
  void aSecondProcessDoesNotTouchTheInfoFileOfTheFirst() throws Exception {
    child.start("run");
    Call call = child.open();
    Path info = child.file("info");
    String content = Files.readString(info);
    try (ChildProcess second = new ChildProcess()) {
      second.env("MAPSTREAM_SERVER_INFO_FILE", info.toString()).start("run");
      assertNotEquals(0, second.exitCode());
      assertTrue(
          second.err().contains(info + ": serverInfoFile belongs to a live server"), second.err());
      assertFalse(Files.exists(second.file("s.sock")));
    }

    assertEquals(content, Files.readString(info));
    assertEquals(List.of("started", "echo"), call.send("1", "echo").answer("1").texts());
    child.signal("TERM");
    child.assertEnd(0);
  }

  /**
   * Files of the process can't grow. Its output goes through a pipe to a process whose files can.
   */
  private ChildProcess withoutSpace() {
    return child.byShell("mkfifo pipe && { cat pipe >&2 & } && ulimit -f 0 && exec \"$@\" 2>pipe");
  }

  @Test
  void noSpaceForTheInfoFileIsReportedWithSettingPathAndReason() throws Exception {
    withoutSpace().start("run");
    child.assertEnd(1);

    String expected = "serverInfoFile " + child.info() + " can't be written: File too large";
    child.awaitErr(expected);
    try (var left = Files.list(child.info().getParent())) {
      assertEquals(
          List.of(), left.filter(it -> it.getFileName().toString().startsWith(".")).toList());
    }
  }

  /** The platform's folder does not exist in a test, so the process uses another one. */
  @Test
  void noSpaceForAnErrorReportIsReportedWithPathAndReason() throws Exception {
    withoutSpace().start("report an error");
    assertEquals(0, child.exitCode(), child.err());

    Path folder = child.info().getParent();
    String named = "the error report " + folder + "/udf/1-udf.json can't be written: ";
    child.awaitErr(named + "File too large");
    try (var left = Files.list(folder.resolve("udf"))) {
      assertEquals(List.of(), left.toList());
    }
  }
}
