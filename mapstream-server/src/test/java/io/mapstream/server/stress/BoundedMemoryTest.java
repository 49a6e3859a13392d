package io.mapstream.server.stress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.server.hostile.Await;
import io.mapstream.server.hostile.GrpcClient;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;

/** Loads that a server with a heap of 64 MiB carries, and what one without load costs. */
class BoundedMemoryTest {

  private static final String[] SMALL = {"-Xmx64m", "-XX:+ExitOnOutOfMemoryError"};
  private static final int DATUMS = 500;

  @Test
  void stalledClientCostsNothingAndGetsAllOfIt(@TempDir Path folder, TestReporter reporter)
      throws Exception {
    try (ServerProcess server = new ServerProcess(folder, SMALL);
        GrpcClient client = new GrpcClient(server.socket())) {
      GrpcClient.Stream stream = client.open(1);
      for (int i = 0; i < DATUMS; i++) {
        stream.fan("stalled-" + i, 1, 200, 1000);
      }
      Await.until("the handshake", stream.ledger()::hasHandshake, () -> "it did not come");
      server.runFor(Duration.ofSeconds(3));
      assertEquals(0, stream.ledger().results());
      reporter.publishEntry("peak while stalled, MiB", "" + server.peakMebibytes());
      stream.read(Integer.MAX_VALUE);
      stream.finish();
      assertEquals(DATUMS * 200L, stream.ledger().results());
      reporter.publishEntry("peak, MiB", "" + server.peakMebibytes());
      server.stopAndVerify();
    }
  }

  @Test
  void datumsOf64KiBAreAllAnswered(@TempDir Path folder, TestReporter reporter) throws IOException {
    sendAtOnce(64 << 10, 64 << 10, folder, reporter);
  }

  @Test
  void datumsOf4MiBAreAllAnswered(@TempDir Path folder, TestReporter reporter) throws IOException {
    sendAtOnce(4 << 20, 100, folder, reporter);
  }

  private static void sendAtOnce(int datumSize, int resultSize, Path folder, TestReporter reporter)
      throws IOException {
    try (ServerProcess server = new ServerProcess(folder, SMALL);
        GrpcClient client = new GrpcClient(server.socket())) {
      GrpcClient.Stream stream = client.open();
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

  @Test
  void idleServerUsesNoCpu(@TempDir Path folder, TestReporter reporter) throws Exception {
    try (ServerProcess server = new ServerProcess(folder);
        GrpcClient client = new GrpcClient(server.socket())) {
      GrpcClient.Stream stream = client.open();
      stream.fan("before", 1, 100, 100);
      stream.awaitAnswers();
      // What the start has left to compile and to collect is not the point.
      server.runFor(Duration.ofSeconds(1));
      Duration before = server.cpuTime();
      server.runFor(Duration.ofSeconds(3));
      Duration used = server.cpuTime().minus(before);
      reporter.publishEntry("CPU of 3 idle seconds, ms", "" + used.toMillis());
      assertTrue(used.toMillis() < 150, () -> "idle for 3 s, but used " + used);
      stream.fan("after", 1, 100, 100);
      stream.finish();
      server.stopAndVerify();
    }
  }
}
