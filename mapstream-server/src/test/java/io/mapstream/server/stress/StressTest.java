package io.mapstream.server.stress;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random work, random goodbyes, every result counted. To repeat a failure's choices, give the seed
 * that it names: {@code -Dmapstream.stress.seed=}.
 */
class StressTest {

  private static final long SEED = Long.getLong("mapstream.stress.seed", System.nanoTime());
  private static final long SOAK_SECONDS = Long.getLong("mapstream.soak.seconds", 180);

  @Test
  void everyResultIsCountedOnceForSeconds(@TempDir Path folder, TestReporter reporter)
      throws IOException {
    pass(Duration.ofSeconds(5), folder, reporter);
  }

  @Test
  @Tag("soak")
  void everyResultIsCountedOnceForMinutes(@TempDir Path folder, TestReporter reporter)
      throws IOException {
    pass(Duration.ofSeconds(SOAK_SECONDS), folder, reporter);
  }

  private static void pass(Duration duration, Path folder, TestReporter reporter)
      throws IOException {
    Storm storm = new Storm(SEED, duration);
    storm.pass(folder);
    reporter.publishEntry("seed " + SEED, storm.toString());
  }
}
