package io.mapstream.testkit.cli;

import io.mapstream.Message;
import io.mapstream.testkit.InternalGuard;
import io.mapstream.testkit.ReplyListener;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import org.HdrHistogram.Histogram;

/** Measures what arrives from its start on. Any thread may use it. */
final class LoadMeter {

  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

  /** Latencies are told to three digits; memory grows with the longest. */
  private static final int DIGITS = 3;

  private final LongSupplier clock;
  private final long start;
  private final InternalGuard guard = new InternalGuard();

  // Guarded by it.
  private final Histogram first = new Histogram(DIGITS);
  private final Histogram end = new Histogram(DIGITS);
  private long[] requestsBySecond = new long[16];
  private long[] resultsBySecond = new long[16];
  private long results;
  private long bytes;
  private long drops;
  private long nacks;
  private long fails;
  private long last;

  LoadMeter() {
    this(System::nanoTime);
  }

  LoadMeter(LongSupplier clock) {
    this.clock = clock;
    this.start = clock.getAsLong();
    this.last = start;
  }

  long start() {
    return start;
  }

  /** Follows a datum that was due at a moment of {@link System#nanoTime}. */
  ReplyListener follow(long due) {
    return follow(due, message -> {});
  }

  /** Follows a datum whose messages go on when they are measured. */
  ReplyListener follow(long due, Consumer<Message> next) {
    return new ReplyListener() {

      private boolean hasResult;

      @Override
      public void message(Message message) {
        arrived(now -> {
          if (!hasResult) {
            hasResult = true;
            first.recordValue(Math.max(0, now - due));
          }
          count(message);
          resultsBySecond = counted(resultsBySecond, now);
        });
        next.accept(message);
      }

      @Override
      public void ended() {
        arrived(now -> {
          end.recordValue(Math.max(0, now - due));
          requestsBySecond = counted(requestsBySecond, now);
        });
      }

      @Override
      public void failed(Throwable reason) {}
    };
  }

  private void arrived(LongConsumer what) {
    long now = clock.getAsLong();
    guard.run(() -> {
      what.accept(now);
      last = now;
    });
  }

  private void count(Message message) {
    results++;
    bytes += message.value().length;
    drops += message.isDrop() ? 1 : 0;
    nacks += message.isNack() ? 1 : 0;
    fails += message.isFail() ? 1 : 0;
  }

  private long[] counted(long[] bySecond, long now) {
    int second = (int) ((now - start) / SECOND);
    long[] counts = second < bySecond.length ? bySecond : Arrays.copyOf(bySecond, (second + 1) * 2);
    counts[second]++;
    return counts;
  }

  /** What has been measured so far. */
  Measured measured() {
    return guard.get(() -> {
      long nanos = last - start;
      int seconds = (int) ((nanos + SECOND - 1) / SECOND);
      return new Measured(
          nanos,
          end.getTotalCount(),
          results,
          bytes,
          drops,
          nacks,
          fails,
          first.copy(),
          end.copy(),
          firstSeconds(requestsBySecond, seconds),
          firstSeconds(resultsBySecond, seconds));
    });
  }

  /** Zeros too, where nothing of that kind has come for long. */
  private static List<Long> firstSeconds(long[] counts, int seconds) {
    return Arrays.stream(Arrays.copyOf(counts, seconds)).boxed().toList();
  }

  /**
   * What was measured.
   *
   * @param nanos from the start to the last arrival
   * @param requests that have their EOT
   * @param first latencies to the first result, in nanoseconds
   * @param end latencies to the EOT
   * @param requestsBySecond how many ended in each second; the last one may be short
   * @param resultsBySecond how many arrived
   */
  record Measured(
      long nanos,
      long requests,
      long results,
      long bytes,
      long drops,
      long nacks,
      long fails,
      Histogram first,
      Histogram end,
      List<Long> requestsBySecond,
      List<Long> resultsBySecond) {

    boolean hasMarks() {
      return drops + nacks + fails > 0;
    }

    double perSecond(long count) {
      return nanos == 0 ? 0 : count * (double) SECOND / nanos;
    }
  }
}
