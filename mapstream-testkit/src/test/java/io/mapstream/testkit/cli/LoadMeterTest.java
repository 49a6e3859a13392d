package io.mapstream.testkit.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.mapstream.Message;
import io.mapstream.testkit.MapStreamTestServer;
import io.mapstream.testkit.ReplyListener;
import io.mapstream.testkit.TestDatum;
import io.mapstream.testkit.WaitTimeoutError;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Tests the measurement of arrivals, with a clock that the test controls. */
class LoadMeterTest {

  private long now = 1_000;
  private final LoadMeter meter = new LoadMeter(Duration.ofSeconds(5), () -> now);

  private void pass(long seconds) {
    now += TimeUnit.SECONDS.toNanos(seconds);
  }

  @Test
  void countsOfRareResultsCoverAsManySecondsAsOthers() throws Exception {
    ReplyListener slow = meter.follow("slow", now, null);
    slow.message(Message.of("a"));
    for (int second = 0; second < 40; second++) {
      meter.follow("" + second, now, null).ended();
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

  /** Otherwise it would wait a second time as long. */
  @Test
  void aHangIsMeasuredFromTheLastArrival() throws Exception {
    Duration patience = Duration.ofDays(1);
    var meter = new LoadMeter(patience, () -> now += TimeUnit.MILLISECONDS.toNanos(1));
    meter.follow("hangs", now, null).message(Message.of("a"));
    now += patience.minusMillis(20).toNanos();

    assertThrows(WaitTimeoutError.class, () -> meter.awaitFewerThan(1));
  }

  /** The first reading finds a print that ended with the wait; the second, nothing since. */
  @Test
  void aPrintThatEndsWithAWaitRestartsTheWait() throws Exception {
    Duration patience = Duration.ofMillis(10);
    Deque<Long> readings = new ArrayDeque<>(List.of(0L, patience.toNanos()));
    var waiting = new AtomicBoolean();
    var printed =
        new LoadMeter(patience, () -> waiting.get() && readings.size() > 0 ? readings.remove() : 0);
    printed.follow("a", 0, message -> {}).message(Message.of("a"));
    waiting.set(true);

    var late = assertThrows(WaitTimeoutError.class, () -> printed.awaitFewerThan(1));

    assertEquals("nothing arrived for 0.01 s, and 1 datum(s) have no EOT", late.getMessage());
    assertEquals(List.of(), List.copyOf(readings));
  }

  @Test
  void aHangIsFoundWhileNothingIsAwaited() throws Exception {
    var answer = new CountDownLatch(1);
    try (var server = MapStreamTestServer.start((keys, datum, sink) -> answer.await())) {
      pass(60);
      meter.verify(); // without an open datum, no answer is due

      meter.send(server.client().stream(), "a", TestDatum.of("x"), now, null);
      pass(4);
      meter.verify();
      meter.send(server.client().stream(), "b", TestDatum.of("x"), now, null);
      pass(1);

      var late = assertThrows(WaitTimeoutError.class, meter::verify);
      assertEquals("nothing arrived for 5 s, and 2 datum(s) have no EOT", late.getMessage());
      answer.countDown();
    }
  }

  /** It breaks the stream, so that other datums fail as well. */
  @Test
  void aFailedPrintIsTheFirstFailure() throws Exception {
    var full = new UncheckedIOException(new IOException("disk full"));
    ReplyListener printed =
        meter.follow(
            "a",
            now,
            message -> {
              throw full;
            });
    meter.follow("b", now, null);

    assertThrows(UncheckedIOException.class, () -> printed.message(Message.of("x")));
    printed.failed(new IllegalStateException("cancelled"));

    assertSame(full, assertThrows(UncheckedIOException.class, () -> meter.awaitFewerThan(1)));
    assertEquals(2, meter.inFlight());
  }

  @Test
  void aDatumThatIsNeverAnsweredIsWaitedForOnce() throws Exception {
    Duration patience = Duration.ofMillis(10);
    var readings = new AtomicInteger();
    var silent =
        new LoadMeter(patience, () -> readings.getAndIncrement() > 3 ? Long.MAX_VALUE / 2 : 0);
    silent.follow("a", 0, message -> {}).message(Message.of("a")); // each has two readings
    assertEquals(4, readings.get());

    assertThrows(WaitTimeoutError.class, () -> silent.awaitFewerThan(1));

    assertEquals(6, readings.get(), "the time left, and the check after the wait");
  }
}
