package io.mapstream.examples;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.mapstream.Datum;
import io.mapstream.Message;
import io.mapstream.testkit.ClientStream;
import io.mapstream.testkit.ReplyListener;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** A load for {@link Fanout}: so many datums, each answered with {@code fan} results of a size. */
record BenchWork(String name, int datums, int fan, int size) {

  static final List<BenchWork> ALL =
      List.of(
          new BenchWork("fan1", 100_000, 1, 100),
          new BenchWork("fan20", 15_000, 20, 100),
          new BenchWork("large", 3_000, 2, 65_536));

  private static final int IN_FLIGHT = 500;
  private static final Duration LIMIT = Duration.ofSeconds(60);

  private Datum datum() {
    byte[] head = "%d %d 0 ".formatted(fan, size).getBytes(US_ASCII);
    byte[] value = Arrays.copyOf(head, Math.max(head.length, size));
    Arrays.fill(value, head.length, value.length, (byte) ' ');
    return Datum.of(List.of("k"), value, Instant.EPOCH, Instant.EPOCH, Map.of());
  }

  long results() {
    return (long) datums * fan;
  }

  /** Sends all datums, {@value #IN_FLIGHT} in flight, and waits for every EOT. */
  void run(ClientStream stream) throws InterruptedException {
    Semaphore places = new Semaphore(IN_FLIGHT);
    AtomicLong results = new AtomicLong();
    Datum datum = datum();
    for (int i = 0; i < datums; i++) {
      acquire(places, 1);
      stream.send(
          datum,
          new ReplyListener() {
            @Override
            public void message(Message message) {
              results.incrementAndGet();
            }

            @Override
            public void ended() {
              places.release();
            }

            @Override
            public void failed(RuntimeException reason) {
              throw reason;
            }
          });
    }
    acquire(places, IN_FLIGHT);
    if (results.get() != results()) {
      throw new IllegalStateException(this + " got " + results + " results");
    }
  }

  private void acquire(Semaphore places, int number) throws InterruptedException {
    if (!places.tryAcquire(number, LIMIT.toSeconds(), TimeUnit.SECONDS)) {
      throw new IllegalStateException(this + " was not answered within " + LIMIT);
    }
  }
}
