package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import java.nio.file.Files;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Processes with a full heap end, wherever memory runs out first. */
@Tag("slow")
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class FullHeapTest {

  private static final int IN_FLIGHT = 500;

  /** The JVM collects garbage for a long time before it reports that there is no memory. */
  private static final Duration COLLECTING = Duration.ofSeconds(100);

  @AutoClose private final ChildProcess child = new ChildProcess().java("-Xmx64m");

  /**
   * Use {@code -Dmapstream.repetitions=50} after a change to how a process with a full heap stops.
   */
  static IntStream repetitions() {
    return IntStream.rangeClosed(1, Integer.getInteger("mapstream.repetitions", 3));
  }

  /** When one handler runs out of memory, nineteen others take what it frees. */
  @ParameterizedTest
  @MethodSource("repetitions")
  void manyHandlersWithoutMemoryAtOnceEndTheProcessWithOne(int repetition) throws Exception {
    child.start("run");
    Call call = child.open();
    for (int i = 0; i < 20; i++) {
      call.send("" + i, "wait " + child.file("gate") + "; exhaust 100").results("" + i, 1);
    }
    Files.createFile(child.file("gate"));

    assertEquals(1, child.exitCode(COLLECTING), child.err());
    assertEquals(0, call.eots());
    child.assertFilesGone();
  }

  /**
   * The heap fills up permanently, so the event loop is as likely to run out of memory as a
   * handler.
   */
  @Test
  void aFunctionThatKeepsSomethingOfEachDatumEnds() throws Exception {
    child.start("run");
    sendUntilTheEnd(child.open(), "keep 10000");

    assertTrue(child.exitCode(COLLECTING) != 0, child.err());
    child.assertFilesGone();
  }

  /** The last 8 MiB are filled by what is kept of 60,000 datums or more. */
  @ParameterizedTest
  @MethodSource("repetitions")
  void aFunctionThatKeepsAFewBytesOfEachDatumEnds(int repetition) throws Exception {
    child.start("run");
    Call call = child.open();
    call.send("fill", "keep-all-but 8").answer("fill");
    int sent = sendUntilTheEnd(call, "keep 64");

    assertTrue(sent > 10 * IN_FLIGHT, () -> "full after " + sent + " datums: " + child);
    assertTrue(child.exitCode(COLLECTING) != 0, child.err());
    child.assertFilesGone();
  }

  /** Returns how many datums were sent. */
  private int sendUntilTheEnd(Call call, String text) {
    int sent = 0;
    for (; call.isOpen() && child.isAlive(); sent += IN_FLIGHT) {
      for (int i = 0; i < IN_FLIGHT; i++) {
        call.send("" + (sent + i), text);
      }
      int half = sent + IN_FLIGHT / 2;
      Waits.until(
          COLLECTING,
          "answers",
          () -> call.eots() >= half || !call.isOpen() || !child.isAlive(),
          child::toString);
    }
    return sent;
  }

  /** As after an Error that Netty can't handle. */
  @Test
  void theDeathOfTheEventLoopEndsTheProcess() throws Exception {
    child.start("run without a loop");
    child.open().send("1", "ask").endsWith(Status.Code.UNAVAILABLE);

    child.assertEnd(1);
    assertTrue(child.err().contains("the event loop died"), child.err());
  }

  /** The server's response repeats the path, so 10,000 calls would fill the heap with paths. */
  @Test
  void aClientThatAllowsALargeHeaderTableGetsTheDefaultTable() throws Exception {
    child.start("run");
    try (RawConnection connection = new RawConnection(child.await(child.info()).socket())) {
      connection.helloWithHugeHeaderTable();
      for (int i = 0; i < 12_000; i++) {
        int stream = 2 * i + 1;
        String path = "/x/" + i + "x".repeat(6_000);
        connection.call(stream, ":path", path).halfClose(stream);
        if (i % 100 == 99) {
          connection.awaitEnd(stream);
        }
      }

      assertEquals(2, child.open().send("1", "echo").answer("1").results().size());
      child.stop();
      assertFalse(child.err().contains("OutOfMemory"), child.err());
    }
  }

  /** Nothing waits for such a server, so nothing else would detect that it no longer serves. */
  @Test
  void theDeathOfTheEventLoopEndsAProcessThatOnlyStartedTheServer() throws Exception {
    child.start("start without a loop");
    child.open().send("1", "ask").endsWith(Status.Code.UNAVAILABLE);

    child.assertEnd(1);
    assertTrue(child.err().contains("and did not end; halting it"), child.err());
  }
}
