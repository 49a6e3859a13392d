package io.mapstream.examples;

import io.mapstream.Message;
import io.mapstream.server.MapStreamServer;

/**
 * Emits as many results as the datum says, each after about a millisecond of computing. It never
 * waits, so each handler keeps a carrier busy.
 */
public final class Computing {

  private static final int WARM_UPS = 20;
  private static final int STEPS = 10_000_000;
  private static final double NANOS_PER_RESULT = 1e6;

  private static volatile long sum;

  private Computing() {}

  /** Serves this function until the process is stopped. */
  public static void main(String[] args) throws Exception {
    long nanos = Long.MAX_VALUE;
    for (int i = 0; i < WARM_UPS; i++) {
      long begin = System.nanoTime();
      compute(STEPS);
      nanos = Math.min(nanos, System.nanoTime() - begin);
    }
    int steps = (int) (STEPS * NANOS_PER_RESULT / nanos);
    MapStreamServer.run((keys, datum, sink) -> {
      int results = Integer.parseInt(datum.text());
      for (int i = 0; i < results; i++) {
        compute(steps);
        sink.emit(Message.of("done"));
      }
    });
  }

  private static void compute(int steps) {
    long x = sum;
    for (int i = 0; i < steps; i++) {
      x = x * 6_364_136_223_846_793_005L + i;
    }
    sum = x;
  }
}
