package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Processes whose heap is full: they end, whatever was the first to find no memory. */
@Tag("slow")
class FullHeapTest {

  private static final int IN_FLIGHT = 500;
  private static final List<String> SMALL = List.of("-Xmx64m");

  /** Whoever is out of memory first, there are nineteen others that take what becomes free. */
  @RepeatedTest(3)
  void manyHandlersWithoutMemoryAtOnceEndTheProcessWithOne() throws Exception {
    try (ChildProcess child = ChildProcess.startWith(SMALL, ChildMain.class, "run")) {
      Call call = child.open();
      for (int i = 0; i < 20; i++) {
        call.send("" + i, "exhaust-together " + child.file("gate")).results("" + i, 1);
      }
      Files.createFile(child.file("gate"));

      assertEquals(1, child.exitCode(), child.err());
      assertEquals(0, call.eots());
      child.assertFilesGone();
    }
  }

  /** The heap fills up for good, so the event loop is as likely to find no memory as a handler. */
  @Test
  void aFunctionThatKeepsSomethingOfEachDatumEnds() throws Exception {
    try (ChildProcess child = ChildProcess.startWith(SMALL, ChildMain.class, "run")) {
      Call call = child.open();
      for (int sent = 0; call.isOpen() && child.isAlive(); sent += IN_FLIGHT) {
        for (int i = 0; i < IN_FLIGHT; i++) {
          call.send("" + (sent + i), "keep");
        }
        int half = sent + IN_FLIGHT / 2;
        Waits.until(
            "answers",
            () -> call.eots() >= half || !call.isOpen() || !child.isAlive(),
            child::toString);
      }

      assertTrue(child.exitCode() != 0, child.err());
      child.assertFilesGone();
    }
  }

  /** As after an Error that Netty can't handle. */
  @Test
  void theDeathOfTheEventLoopEndsTheProcess() throws Exception {
    try (ChildProcess child =
        ChildProcess.startWith(SMALL, ChildMain.class, "run without a loop")) {
      child.open().send("1", "ask").endsWith(Status.Code.UNAVAILABLE);

      assertEquals(1, child.exitCode(), child.err());
      assertTrue(child.err().contains("the event loop has died"), child.err());
      child.assertFilesGone();
    }
  }

  /** The server's answer repeats the path: 10,000 calls would fill the heap with them. */
  @Test
  void aClientThatAllowsTheServerToRememberAllHeadersGetsNoMoreThanOthers() throws Exception {
    try (ChildProcess child = ChildProcess.startWith(SMALL, ChildMain.class, "run");
        RawConnection connection = new RawConnection(child.awaitFile("info").file("s.sock"))) {
      connection.helloWithHugeHeaderTable();
      for (int i = 0; i < 12_000; i++) {
        int stream = 2 * i + 1;
        String path = "/x/" + i + "x".repeat(6_000);
        connection.call(stream, ":path", path).halfClose(stream);
        if (i % 100 == 99) {
          connection.await("an answer", it -> it.received(stream).ended);
        }
      }

      assertEquals(2, child.open().send("1", "echo").answer("1").results().size());
      child.signal("TERM");
      assertEquals(0, child.exitCode(), child.err());
      assertFalse(child.err().contains("OutOfMemory"), child.err());
    }
  }

  /** Nobody waits for such a server, and nothing else would notice that it serves no more. */
  @Test
  void soItIsForAServerThatIsOnlyStarted() throws Exception {
    try (ChildProcess child =
        ChildProcess.startWith(SMALL, ChildMain.class, "start without a loop")) {
      child.open().send("1", "ask").endsWith(Status.Code.UNAVAILABLE);

      assertEquals(1, child.exitCode(), child.err());
      assertTrue(child.err().contains("and lives on; halted"), child.err());
      child.assertFilesGone();
    }
  }
}
