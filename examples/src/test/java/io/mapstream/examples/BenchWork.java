package io.mapstream.examples;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.mapstream.Datum;
import io.mapstream.Message;
import io.mapstream.Metadata;
import io.mapstream.testkit.ClientStream;
import io.mapstream.testkit.MapStreamClient;
import io.mapstream.testkit.ReplyListener;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

/**
 * A load for {@link Fanout}: datums of one kind, with a limit on how many are in flight.
 *
 * @param name the load's name
 * @param inFlight maximum number of datums that are sent and not yet answered
 * @param results number of results of each datum
 * @param resultBytes size of a result's value
 * @param valueBytes minimum size of a datum's value
 * @param keys number of keys, headers and metadata values of each datum; its results carry the keys
 * @param streams number of streams of the connection
 */
record BenchWork(
    String name,
    int inFlight,
    int results,
    int resultBytes,
    int valueBytes,
    int keys,
    int streams) {

  static final BenchWork FAN1 = of("fan1", 1, 100);
  static final BenchWork FAN20 = of("fan20", 20, 100);
  static final List<BenchWork> ALL = List.of(FAN1, FAN20, of("large", 2, 65_536));

  private static final Duration LIMIT = Duration.ofSeconds(60);

  /** The maximum that a client keeps in flight, so that large values fit into its heap. */
  private static final int BYTES_IN_FLIGHT = 64 * 1024 * 1024;

  /** Datums and results of one size, at most 500 in flight, with one key on one stream. */
  static BenchWork of(String name, int results, int bytes) {
    long each = Math.max(1L, (long) bytes * results);
    int inFlight = Math.clamp(BYTES_IN_FLIGHT / each, 2, 500);
    return new BenchWork(name, inFlight, results, bytes, bytes, 1, 1);
  }

  private Datum datum() {
    byte[] head = "%d %d 0 ".formatted(results, resultBytes).getBytes(US_ASCII);
    byte[] value = Arrays.copyOf(head, Math.max(head.length, valueBytes));
    Arrays.fill(value, head.length, value.length, (byte) ' ');
    List<String> names = IntStream.range(0, keys).mapToObj(i -> "key-" + i).toList();
    Map<String, String> headers = new LinkedHashMap<>();
    Metadata metadata = Metadata.empty();
    for (String name : names.subList(0, keys > 1 ? keys : 0)) {
      headers.put(name, "header");
      metadata = metadata.with("group", name, "value");
    }
    return Datum.builder()
        .keys(names)
        .value(value)
        .eventTime(Instant.EPOCH)
        .watermark(Instant.EPOCH)
        .headers(headers)
        .userMetadata(metadata)
        .build();
  }

  /**
   * Sends datums for the given time, and waits for every EOT.
   *
   * @return the number of datums that were answered
   */
  long run(MapStreamClient client, Duration time) throws InterruptedException {
    List<ClientStream> open = new ArrayList<>();
    for (int i = 0; i < streams; i++) {
      open.add(client.openStream());
    }
    Semaphore permits = new Semaphore(inFlight);
    AtomicLong received = new AtomicLong();
    Datum datum = datum();
    long sent = 0;
    for (long end = System.nanoTime() + time.toNanos(); System.nanoTime() < end; sent++) {
      acquire(permits, 1);
      open.get((int) (sent % streams))
          .send(Long.toString(sent), datum, listener(received, permits));
    }
    acquire(permits, inFlight);
    for (ClientStream stream : open) {
      stream.complete(LIMIT);
    }
    if (received.get() != sent * results) {
      throw new IllegalStateException(this + " got " + received + " results of " + sent);
    }
    return sent;
  }

  private static ReplyListener listener(AtomicLong received, Semaphore permits) {
    return new ReplyListener() {
      @Override
      public void message(Message message) {
        received.incrementAndGet();
      }

      @Override
      public void ended() {
        permits.release();
      }

      @Override
      public void failed(Throwable reason) {
        throw new IllegalStateException(reason);
      }
    };
  }

  private void acquire(Semaphore permits, int number) throws InterruptedException {
    if (!permits.tryAcquire(number, LIMIT.toSeconds(), TimeUnit.SECONDS)) {
      throw new IllegalStateException(this + " was not answered within " + LIMIT);
    }
  }
}
