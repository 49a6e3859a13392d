package io.mapstream.server;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random work and random ends of streams, with every result counted. To repeat the choices of a
 * failed run, set the seed that it names: {@code -Dmapstream.stress.seed=}. {@link SoakTest} is the
 * long version.
 */
class StressTest {

  static final long SEED = Long.getLong("mapstream.stress.seed", System.nanoTime());

  @Test
  void everyResultIsCountedOnce(@TempDir Path folder, TestReporter reporter) throws IOException {
    Storm storm = new Storm(SEED);
    storm.runWithServer(folder, Duration.ofSeconds(5));
    reporter.publishEntry("seed " + SEED, storm.toString());
  }
}
