package io.mapstream.testkit.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mapstream.Message;
import io.mapstream.testkit.ReplyListener;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What is measured of arrivals, on a clock that the test moves. */
class LoadMeterTest {

  private long now = 1_000;
  private final LoadMeter meter = new LoadMeter(Duration.ofSeconds(5), () -> now);

  private void pass(long seconds) {
    now += TimeUnit.SECONDS.toNanos(seconds);
  }

  @Test
  void countsBySecondOfWhatComesSeldomAreAsLongAsTheOthers() {
    ReplyListener slow = meter.follow(now);
    slow.message(Message.of("a"));
    for (int second = 0; second < 40; second++) {
      meter.follow(now).ended();
      pass(1);
    }
    now += TimeUnit.MILLISECONDS.toNanos(500);
    slow.ended();

    LoadMeter.Measured measured = meter.measured();

    assertEquals(41, measured.requests());
    assertEquals(Collections.nCopies(41, 1L), measured.requestsBySecond());
    assertEquals(41, measured.resultsBySecond().size());
    assertEquals(List.of(1L, 0L), measured.resultsBySecond().subList(0, 2));
  }
}
