package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A server with a heap of 64 MiB in a storm of {@code -Dmapstream.soak.seconds=}, by default three
 * minutes. A third of that, and no more than a minute, is warm-up: what the server holds then it
 * may hold at the end, and no more.
 */
@Tag("soak")
class SoakTest {

  private static final Duration DURATION =
      Duration.ofSeconds(Long.getLong("mapstream.soak.seconds", 180));

  private static final Duration LONGEST_WARM_UP = Duration.ofMinutes(1);

  // A busy machine starves handlers, and more carriers would look like threads that leak.
  private static final Map<String, String> SETTINGS =
      Map.of(
          "MAPSTREAM_MAX_CARRIERS",
          "0",
          "MAPSTREAM_ERROR_POLICY",
          "FAIL",
          "MAPSTREAM_MAX_CONCURRENCY",
          String.valueOf(Storm.PLACES));

  private static final String[] OPTIONS = {
    "-Xmx64m",
    "-XX:+ExitOnOutOfMemoryError",
    "-Dio.grpc.netty.shaded.io.netty.leakDetection.level=advanced"
  };

  // Above what two looks at the same server differ by, and far below what minutes would leak.
  private static final long HEAP_SLACK = 2 << 20;
  private static final long DIRECT_SLACK = 16 << 20;
  private static final int THREAD_SLACK = 2;

  @Test
  @Timeout(value = 1, unit = TimeUnit.DAYS) // Each wait of a storm has a limit of its own.
  void everyResultIsCountedOnceAndNothingGrows(@TempDir Path folder)
      throws IOException, InterruptedException {
    Duration third = DURATION.dividedBy(3);
    Duration warmUp = third.compareTo(LONGEST_WARM_UP) < 0 ? third : LONGEST_WARM_UP;
    Storm storm = new Storm(StressTest.SEED);
    try (ChildProcess server = ChildProcess.scripted(folder, SETTINGS, OPTIONS)) {
      storm.runAgainst(server.socket(), warmUp);
      ProcessAccount before = accountOf(server, folder);
      storm.runAgainst(server.socket(), DURATION.minus(warmUp));
      ProcessAccount after = accountOf(server, folder);
      // Maven shows no entries of a TestReporter, and figures are half of what a soak is for.
      System.out.printf("soak of %s with seed %d: %s%n", DURATION, StressTest.SEED, storm);
      System.out.printf("after the warm-up: %s%n", before);
      System.out.printf("at the end: %s, peak %d MiB%n", after, server.peakMebibytes());
      verifyEveryPlaceIsFree(server);
      server.stopAndVerify();
      verifyNothingGrew(before, after);
    }
  }

  /** Once the handlers of the last streams have ended. */
  private static ProcessAccount accountOf(ChildProcess server, Path folder) {
    ProcessAccount[] last = {null};
    Waits.until(
        "no handler is left but the one that looks",
        () -> {
          last[0] = look(server, folder.resolve("account"));
          return last[0].handlers().equals(List.of("mapstream-account"));
        },
        () -> last[0]);
    return last[0];
  }

  private static ProcessAccount look(ChildProcess server, Path file) {
    try (WireClient client = new WireClient(server.socket())) {
      ScriptStream stream = ScriptStream.open(client);
      stream.account("account", file);
      stream.finish();
      return ProcessAccount.readFrom(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** As many datums as there are places are in work at once. */
  private static void verifyEveryPlaceIsFree(ChildProcess server) {
    try (WireClient client = new WireClient(server.socket())) {
      ScriptStream stream = ScriptStream.open(client);
      for (int i = 1; i < Storm.PLACES; i++) {
        stream.fanInHalves("place " + i, 1, 2, 8, 1);
      }
      Waits.until(
          "every place but one is taken",
          () -> stream.ledger().results() == Storm.PLACES - 1,
          stream.ledger()::unanswered);
      stream.openGates(1);
      stream.finish();
    }
  }

  private static void verifyNothingGrew(ProcessAccount before, ProcessAccount after) {
    String both = "%s after the warm-up, %s at the end".formatted(before, after);
    assertTrue(after.heap() <= before.heap() + HEAP_SLACK, both);
    assertTrue(after.direct() <= before.direct() + DIRECT_SLACK, both);
    assertTrue(after.threads() <= before.threads() + THREAD_SLACK, both);
  }
}
