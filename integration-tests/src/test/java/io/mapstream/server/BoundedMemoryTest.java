package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.testkit.MapStreamClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Loads that a server with a heap of 64 MiB can carry, and the cost of an idle server. */
@Tag("slow")
class BoundedMemoryTest {

  private static final int DATUMS = 500;

  /** Results per datum, of 1,000 bytes each: 400 MB in total. */
  private static final int RESULTS = 800;

  /** More than the JVM's compilers sometimes need, and a twelfth of what is emitted. */
  private static final int STALLED_MEBIBYTES = 32;

  @AutoClose private final ChildProcess server = new ChildProcess();

  @Test
  void stalledClientTakesLittleMemoryAndGetsEveryResult(TestReporter reporter) throws Exception {
    // All pages of the heap are touched at startup, so only memory outside the heap can grow.
    server.startScripted(
        "-Xms64m", "-Xmx64m", "-XX:+AlwaysPreTouch", "-XX:+ExitOnOutOfMemoryError");
    MapStreamClient client = server.connect();
    // Warms up, so that the code is compiled and the transport has its buffers.
    ScriptStream reading = new ScriptStream(client);
    send(reading);
    reading.finish();

    long before = server.residentMebibytes();
    ScriptStream stalled = new ScriptStream(client, 1);
    send(stalled);
    stalled.echo();
    server.runFor(Duration.ofSeconds(3));
    assertEquals(0, stalled.ledger().results());
    long more = server.residentMebibytes() - before;
    reporter.publishEntry("more while stalled, MiB", "" + more);
    assertTrue(more <= STALLED_MEBIBYTES, () -> more + " MiB more than before");

    stalled.readAll();
    stalled.finish();
    assertEquals(DATUMS * (long) RESULTS, stalled.ledger().results());
    reporter.publishEntry("peak, MiB", "" + server.peakMebibytes());
    server.stopAndVerify();
  }

  private static void send(ScriptStream stream) {
    for (int i = 0; i < DATUMS; i++) {
      stream.fan("datum-" + i, 1, RESULTS, 1000);
    }
  }

  @ParameterizedTest
  @CsvSource({"65536, 65536", "4194304, 100"})
  void largeDatumsAreAllAnswered(int datumSize, int resultSize, TestReporter reporter)
      throws Exception {
    server.startScripted("-Xmx64m", "-XX:+ExitOnOutOfMemoryError");
    ScriptStream stream = new ScriptStream(server.connect());
    for (int i = 0; i < DATUMS; i++) {
      stream.awaitReady();
      stream.fan("large-" + i, 1, 2, resultSize, 10, datumSize);
    }
    stream.finish();
    assertEquals(DATUMS * 2L, stream.ledger().results());
    reporter.publishEntry("peak, MiB", "" + server.peakMebibytes());
    server.stopAndVerify();
  }

  /**
   * Waiting results are bounded across all streams: 800 MB are emitted for clients that don't read.
   * The handlers' own arrays, for instance 40 of 1 MB, come in addition.
   */
  @ParameterizedTest
  @ValueSource(ints = {1_000, 200_000, 1_000_000})
  void fortyStalledStreamsDoNotAffectOneThatReads(int size) throws Exception {
    server.startScripted("-Xmx64m");
    List<ScriptStream> stalled = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      ScriptStream stream = new ScriptStream(server.connect(), 1);
      stream.echo();
      stream.fan("stalled", 1, 20_000_000 / size, size);
      stalled.add(stream);
    }
    ScriptStream reading = new ScriptStream(server.connect());
    for (int i = 0; i < 100; i++) {
      reading.fan("small-" + i, 1, 100, 1_000);
    }
    reading.fan("like the others", 1, 20, size);
    reading.finish();
    assertEquals(10_020, reading.ledger().results());

    // The first has the largest share, the last the smallest; reading all 40 would take too long.
    for (ScriptStream stream : List.of(stalled.get(0), stalled.get(39))) {
      stream.readAll();
      stream.finish();
    }
    stalled.subList(1, 39).forEach(Call::cancel);
    server.stopAndVerify();
  }

  /** An id is in the request, in the thread's name and in the responses. */
  @Test
  void idsOfAMegabyteCountTowardsTheBudget() throws Exception {
    server.startScripted("-Xmx64m");
    ScriptStream stream = new ScriptStream(server.connect());
    for (int i = 0; i < 60; i++) {
      stream.awaitReady();
      stream.fan(("" + (char) ('A' + i)).repeat(1_000_000), 1, 2, 100, 10, 0);
    }
    stream.finish();
    server.stopAndVerify();
  }

  @Test
  void idleServerUsesNoCpu(TestReporter reporter) throws Exception {
    server.startScripted();
    ScriptStream stream = new ScriptStream(server.connect());
    stream.fan("before", 1, 100, 100);
    stream.awaitAnswers();
    // Compilation and garbage collection after the start may take a while on a busy machine, so
    // the measurement is repeated. A server that polls never has three idle seconds.
    Duration used = cpuOfThreeSeconds();
    for (int again = 0; used.toMillis() >= 150 && again < 5; again++) {
      used = cpuOfThreeSeconds();
    }
    reporter.publishEntry("CPU of 3 idle seconds, ms", "" + used.toMillis());
    assertTrue(used.toMillis() < 150, "idle for 3 s, but used " + used);
    stream.fan("after", 1, 100, 100);
    stream.finish();
    server.stopAndVerify();
  }

  private Duration cpuOfThreeSeconds() throws InterruptedException {
    Duration before = server.cpuTime();
    server.runFor(Duration.ofSeconds(3));
    return server.cpuTime().minus(before);
  }
}
