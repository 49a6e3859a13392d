package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.testkit.MapStreamClient;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A server with a heap of 64 MiB in a storm of {@code -Dmapstream.soak.seconds=}, by default three
 * minutes. A third of that, but at most a minute, is warm-up: at the end, the server may not hold
 * more than after the warm-up.
 */
@Tag("soak")
class SoakTest {

  private static final Duration DURATION =
      Duration.ofSeconds(Long.getLong("mapstream.soak.seconds", 180));

  private static final Duration LONGEST_WARM_UP = Duration.ofMinutes(1);

  private static final String[] OPTIONS = {
    "-Xmx64m",
    "-XX:+ExitOnOutOfMemoryError",
    "-Dio.grpc.netty.shaded.io.netty.leakDetection.level=advanced"
  };

  // Above the difference of two measurements, and far below a leak of several minutes.
  private static final long HEAP_SLACK = 2 << 20;
  private static final long DIRECT_SLACK = 16 << 20;
  private static final int THREAD_SLACK = 2;

  // A busy machine starves handlers, and more carriers would look like leaked threads.
  @AutoClose
  private final ChildProcess server =
      new ChildProcess()
          .env("MAPSTREAM_MAX_CARRIERS", "0")
          .env("MAPSTREAM_ERROR_POLICY", "FAIL")
          .env("MAPSTREAM_MAX_CONCURRENCY", String.valueOf(Storm.MAX_CONCURRENCY));

  @Test
  @Timeout(value = 1, unit = TimeUnit.DAYS) // Each wait of a storm has its own limit.
  void everyResultIsCountedOnceAndNothingGrows() throws IOException, InterruptedException {
    Duration third = DURATION.dividedBy(3);
    Duration warmUp = third.compareTo(LONGEST_WARM_UP) < 0 ? third : LONGEST_WARM_UP;
    Storm storm = new Storm(StressTest.SEED);
    server.startScripted(OPTIONS);
    storm.runAgainst(server.socket(), warmUp);
    ProcessAccount before = accountOf();
    storm.runAgainst(server.socket(), DURATION.minus(warmUp));
    ProcessAccount after = accountOf();
    // Printed, since Maven shows no entries of a TestReporter, and a soak is also run for its
    // figures.
    System.out.printf("soak of %s with seed %d: %s%n", DURATION, StressTest.SEED, storm);
    System.out.printf("after the warm-up: %s%n", before);
    System.out.printf("at the end: %s, peak %d MiB%n", after, server.peakMebibytes());
    verifyCapacityIsFree();
    server.stopAndVerify();
    verifyNothingGrew(before, after);
  }

  /** Measures once the handlers of the last streams have ended. */
  private ProcessAccount accountOf() throws IOException, InterruptedException {
    Path file = server.file("account");
    ProcessAccount account;
    long deadline = System.nanoTime() + Waits.LIMIT.toNanos();
    do {
      try (MapStreamClient client = ServerFixture.client(server.socket())) {
        ScriptStream stream = new ScriptStream(client);
        stream.account("account", file);
        stream.finish();
      }
      account = ProcessAccount.readFrom(file);
      assertTrue(System.nanoTime() < deadline, account::toString);
    } while (!account.handlers().equals(List.of("mapstream-account")));
    return account;
  }

  /** Checks that as many datums as allowed can be in work at once. */
  private void verifyCapacityIsFree() throws InterruptedException {
    ScriptStream stream = new ScriptStream(server.connect());
    for (int i = 1; i < Storm.MAX_CONCURRENCY; i++) {
      stream.fanInHalves("datum " + i, 1, 2, 8, 1);
    }
    Waits.until(
        "capacity is left for one datum only",
        () -> stream.ledger().results() == Storm.MAX_CONCURRENCY - 1,
        stream.ledger()::unanswered);
    stream.openGates(1);
    stream.finish();
  }

  private static void verifyNothingGrew(ProcessAccount before, ProcessAccount after) {
    String both = "%s after the warm-up, %s at the end".formatted(before, after);
    assertTrue(after.heap() <= before.heap() + HEAP_SLACK, both);
    assertTrue(after.direct() <= before.direct() + DIRECT_SLACK, both);
    assertTrue(after.threads() <= before.threads() + THREAD_SLACK, both);
  }
}
