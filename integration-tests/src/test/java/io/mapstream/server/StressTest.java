package io.mapstream.server;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;

/**
 * Random work and random ends of streams, with every result counted. To repeat the choices of a
 * failed run, set the seed that it names: {@code -Dmapstream.stress.seed=}. {@link SoakTest} is the
 * long version.
 */
class StressTest {

  static final long SEED = Long.getLong("mapstream.stress.seed", System.nanoTime());

  @Test
  void everyResultIsCountedOnce(TestReporter reporter) throws Exception {
    Storm storm = new Storm(SEED);
    storm.runWithServer(Duration.ofSeconds(5));
    reporter.publishEntry("seed " + SEED, storm.toString());
  }
}
