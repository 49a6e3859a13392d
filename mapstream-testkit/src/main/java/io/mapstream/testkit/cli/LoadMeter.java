package io.mapstream.testkit.cli;

import io.mapstream.Datum;
import io.mapstream.Message;
import io.mapstream.proto.Durations;
import io.mapstream.testkit.ClientStream;
import io.mapstream.testkit.InternalGuard;
import io.mapstream.testkit.ReplyListener;
import io.mapstream.testkit.StreamBrokenException;
import io.mapstream.testkit.WaitTimeoutError;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Tracks the datums that are sent: knows those without an EOT, measures what arrives, and keeps the
 * first failure. Thread-safe.
 *
 * <p>A wait times out only if nothing arrives for the given time while a datum is open: a function
 * may answer slowly, as long as it keeps answering. The time during which the output accepts
 * nothing does not count.
 */
final class LoadMeter {

  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

  /** Latencies are reported to three significant digits; memory grows with the longest one. */
  private static final int DIGITS = 3;

  private final Duration patience;
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
  private volatile @Nullable Throwable failure; // also read without it

  /** The ids of the datums without an EOT. */
  private final Set<String> open = new HashSet<>();

  /** When something last arrived, its print ended, or a datum was opened while no other was. */
  private long heard;

  /** Whether a message is being printed, which lasts until the reader accepts it. */
  private boolean printing;

  LoadMeter(Duration patience) {
    this(patience, System::nanoTime);
  }

  LoadMeter(Duration patience, LongSupplier clock) {
    this.patience = patience;
    this.clock = clock;
    this.start = clock.getAsLong();
    this.last = start;
    this.heard = start;
  }

  long start() {
    return start;
  }

  /** Returns how many datums have no EOT yet. */
  int inFlight() {
    return guard.get(open::size);
  }

  /** Waits until fewer than {@code most} datums are open. */
  void awaitFewerThan(int most) throws InterruptedException {
    await(() -> open.size() < most);
  }

  private void await(BooleanSupplier reached) throws InterruptedException {
    while (!guard.awaitWhileChanging(left(), () -> failure != null || reached.getAsBoolean())) {
      verify();
    }
    verify();
  }

  /** Returns how long it may stay silent from now on. */
  private Duration left() {
    long nanos = guard.get(() -> patience.toNanos() - (clock.getAsLong() - heard));
    return nanos > 0 ? Duration.ofNanos(nanos) : patience;
  }

  /** Throws the first failure, or a timeout if nothing arrives although a datum is open. */
  void verify() {
    switch (failure) {
      case null -> {}
      case Error error -> throw error;
      case Throwable other -> throw (RuntimeException) other;
    }
    int unanswered = guard.get(() -> !open.isEmpty() && isSilent() ? open.size() : 0);
    if (unanswered > 0) {
      throw new WaitTimeoutError(
          "nothing arrived for %s, and %d datum(s) have no EOT"
              .formatted(Durations.text(patience), unanswered));
    }
  }

  private boolean isSilent() {
    return !printing && clock.getAsLong() - heard >= patience.toNanos();
  }

  /**
   * Sends a datum that was due at a time of {@link System#nanoTime}, and tracks it. Waits for the
   * EOT of an open datum with the same id: until then, all results with that id belong to the
   * earlier datum. Waits without a limit while back-pressure comes from an output that is not read.
   *
   * @param printer prints each message after it is measured; null to print nothing
   */
  void send(
      ClientStream stream, String id, Datum datum, long due, @Nullable Consumer<Message> printer)
      throws InterruptedException {
    ReplyListener listener = follow(id, due, printer);
    while (true) {
      try {
        stream.send(id, datum, listener);
        return;
      } catch (WaitTimeoutError e) {
        if (guard.get(this::isSilent)) {
          throw e;
        }
      } catch (StreamBrokenException e) {
        verify(); // a failed print breaks the stream
        throw e;
      }
    }
  }

  private boolean opens(String id) {
    heard = open.isEmpty() ? clock.getAsLong() : heard; // before, no answer was due
    return open.add(id);
  }

  ReplyListener follow(String id, long due, @Nullable Consumer<Message> printer)
      throws InterruptedException {
    while (!guard.get(() -> opens(id))) {
      await(() -> !open.contains(id));
    }
    return new ReplyListener() {

      private boolean hasResult;

      @Override
      public void message(Message message) {
        arrived(now -> {
          if (!hasResult) {
            hasResult = true;
            first.recordValue(Math.max(0, now - due));
          }
          results++;
          bytes += message.value().length;
          drops += message.isDrop() ? 1 : 0;
          nacks += message.isNack() ? 1 : 0;
          fails += message.isFail() ? 1 : 0;
          resultsBySecond = counted(resultsBySecond, now);
          printing = printer != null;
        });
        if (printer == null) {
          return;
        }
        try {
          printer.accept(message);
        } catch (RuntimeException | Error e) {
          failed(e);
          throw e;
        } finally {
          guard.update(() -> {
            printing = false;
            heard = clock.getAsLong();
          });
        }
      }

      @Override
      public void ended() {
        arrived(now -> {
          end.recordValue(Math.max(0, now - due));
          requestsBySecond = counted(requestsBySecond, now);
          open.remove(id);
        });
      }

      @Override
      public void failed(Throwable reason) {
        guard.update(() -> failure = failure == null ? reason : failure);
      }
    };
  }

  private void arrived(LongConsumer what) {
    long now = clock.getAsLong();
    guard.update(() -> {
      what.accept(now);
      last = now;
      heard = now;
    });
  }

  private long[] counted(long[] bySecond, long now) {
    int second = (int) ((now - start) / SECOND);
    long[] counts = second < bySecond.length ? bySecond : Arrays.copyOf(bySecond, (second + 1) * 2);
    counts[second]++;
    return counts;
  }

  /** Returns what has been measured so far. */
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

  /** Includes zeros for seconds in which nothing was counted. */
  private static List<Long> firstSeconds(long[] counts, int seconds) {
    return Arrays.stream(Arrays.copyOf(counts, seconds)).boxed().toList();
  }

  /**
   * The measurements.
   *
   * @param nanos the time from the start to the last arrival
   * @param requests the number of requests that have their EOT
   * @param first the latencies to the first result, in nanoseconds
   * @param end the latencies to the EOT, in nanoseconds
   * @param requestsBySecond how many requests ended in each second; the last second may be
   *     incomplete
   * @param resultsBySecond how many results arrived in each second
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
