package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Loads that a server with a heap of 64 MiB can carry, and the cost of an idle server. */
@Tag("slow")
class BoundedMemoryTest {

  private static final String[] SMALL = {"-Xmx64m", "-XX:+ExitOnOutOfMemoryError"};
  private static final int DATUMS = 500;

  /** Results per datum, of 1,000 bytes each: 400 MB in total. */
  private static final int RESULTS = 800;

  /** More than the JVM's compilers sometimes need, and a twelfth of what is emitted. */
  private static final int STALLED_MEBIBYTES = 32;

  @Test
  void stalledClientTakesLittleMemoryAndGetsEveryResult(@TempDir Path folder, TestReporter reporter)
      throws Exception {
    // All pages of the heap are touched at startup, so only memory outside the heap can grow.
    try (ChildProcess server =
            ChildProcess.scripted(
                folder,
                Map.of(),
                "-Xms64m",
                "-Xmx64m",
                "-XX:+AlwaysPreTouch",
                "-XX:+ExitOnOutOfMemoryError");
        WireClient client = new WireClient(server.socket())) {
      // Warms up, so that the code is compiled and the transport has its buffers.
      ScriptStream reading = ScriptStream.open(client);
      send(reading);
      reading.finish();

      long before = server.residentMebibytes();
      ScriptStream stalled = ScriptStream.open(client, 1);
      send(stalled);
      Waits.until("the handshake", stalled.ledger()::hasHandshake, () -> "not received");
      server.runFor(Duration.ofSeconds(3));
      assertEquals(0, stalled.ledger().results());
      long more = server.residentMebibytes() - before;
      reporter.publishEntry("more while stalled, MiB", "" + more);
      assertTrue(more <= STALLED_MEBIBYTES, () -> more + " MiB more than before");

      stalled.read(Integer.MAX_VALUE);
      stalled.finish();
      assertEquals(DATUMS * (long) RESULTS, stalled.ledger().results());
      reporter.publishEntry("peak, MiB", "" + server.peakMebibytes());
      server.stopAndVerify();
    }
  }

  private static void send(ScriptStream stream) {
    for (int i = 0; i < DATUMS; i++) {
      stream.fan("datum-" + i, 1, RESULTS, 1000);
    }
  }

  @Test
  void datumsOf64KiBAreAllAnswered(@TempDir Path folder, TestReporter reporter) throws Exception {
    sendAtOnce(64 << 10, 64 << 10, folder, reporter);
  }

  @Test
  void datumsOf4MiBAreAllAnswered(@TempDir Path folder, TestReporter reporter) throws Exception {
    sendAtOnce(4 << 20, 100, folder, reporter);
  }

  private static void sendAtOnce(int datumSize, int resultSize, Path folder, TestReporter reporter)
      throws Exception {
    try (ChildProcess server = ChildProcess.scripted(folder, Map.of(), SMALL);
        WireClient client = new WireClient(server.socket())) {
      ScriptStream stream = ScriptStream.open(client);
      for (int i = 0; i < DATUMS; i++) {
        stream.awaitReady();
        stream.fan("large-" + i, 1, 2, resultSize, 10, datumSize);
      }
      stream.finish();
      assertEquals(DATUMS * 2L, stream.ledger().results());
      reporter.publishEntry("peak, MiB", "" + server.peakMebibytes());
      server.stopAndVerify();
    }
  }

  /**
   * Waiting results are bounded across all streams: 800 MB are emitted for clients that don't read.
   * The handlers' own arrays, for instance 40 of 1 MB, come in addition.
   */
  @ParameterizedTest
  @ValueSource(ints = {1_000, 200_000, 1_000_000})
  void fortyStalledStreamsDoNotAffectOneThatReads(int size, @TempDir Path folder) throws Exception {
    List<WireClient> clients = new ArrayList<>();
    try (ChildProcess server = ChildProcess.scripted(folder, Map.of(), "-Xmx64m");
        WireClient other = new WireClient(server.socket())) {
      List<ScriptStream> stalled = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        WireClient client = new WireClient(server.socket());
        clients.add(client);
        ScriptStream stream = ScriptStream.open(client, 1);
        Waits.until("the handshake", stream.ledger()::hasHandshake, () -> "not received");
        stream.fan("stalled", 1, 20_000_000 / size, size);
        stalled.add(stream);
      }
      ScriptStream reading = ScriptStream.open(other);
      for (int i = 0; i < 100; i++) {
        reading.fan("small-" + i, 1, 100, 1_000);
      }
      reading.fan("like the others", 1, 20, size);
      reading.finish();
      assertEquals(10_020, reading.ledger().results());

      // The first has the largest share, the last the smallest; reading all 40 would take too long.
      for (ScriptStream stream : List.of(stalled.get(0), stalled.get(39))) {
        stream.read(Integer.MAX_VALUE);
        stream.finish();
      }
      stalled.subList(1, 39).forEach(ScriptStream::cancel);
      server.stopAndVerify();
    } finally {
      clients.forEach(WireClient::close);
    }
  }

  /** An id is in the request, in the thread's name and in the responses. */
  @Test
  void idsOfAMegabyteCountTowardsTheBudget(@TempDir Path folder) throws Exception {
    try (ChildProcess server = ChildProcess.scripted(folder, Map.of(), "-Xmx64m");
        WireClient client = new WireClient(server.socket())) {
      ScriptStream stream = ScriptStream.open(client);
      for (int i = 0; i < 60; i++) {
        stream.awaitReady();
        stream.fan(("" + (char) ('A' + i)).repeat(1_000_000), 1, 2, 100, 10, 0);
      }
      stream.finish();
      server.stopAndVerify();
    }
  }

  @Test
  void idleServerUsesNoCpu(@TempDir Path folder, TestReporter reporter) throws Exception {
    try (ChildProcess server = ChildProcess.scripted(folder, Map.of());
        WireClient client = new WireClient(server.socket())) {
      ScriptStream stream = ScriptStream.open(client);
      stream.fan("before", 1, 100, 100);
      stream.awaitAnswers();
      // Compilation and garbage collection after the start may take a while on a busy machine, so
      // the measurement is repeated. A server that polls never has three idle seconds.
      Duration used = cpuOfThreeSeconds(server);
      for (int again = 0; used.toMillis() >= 150 && again < 5; again++) {
        used = cpuOfThreeSeconds(server);
      }
      reporter.publishEntry("CPU of 3 idle seconds, ms", "" + used.toMillis());
      assertTrue(used.toMillis() < 150, "idle for 3 s, but used " + used);
      stream.fan("after", 1, 100, 100);
      stream.finish();
      server.stopAndVerify();
    }
  }

  private static Duration cpuOfThreeSeconds(ChildProcess server)
      throws IOException, InterruptedException {
    Duration before = server.cpuTime();
    server.runFor(Duration.ofSeconds(3));
    return server.cpuTime().minus(before);
  }
}
