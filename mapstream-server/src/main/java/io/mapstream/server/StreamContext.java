package io.mapstream.server;

import io.mapstream.MapStreamer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What the streams of one engine share. An engine is this, a {@link StreamRegistry} and a {@link
 * MapService}; it runs on any gRPC server and any single thread:
 *
 * {@snippet :
 * Executor loop = Executors.newSingleThreadExecutor();
 * StreamContext context = StreamContext.builder(handler, options, loop).build();
 * StreamRegistry streams = new StreamRegistry(context);
 * InProcessServerBuilder.forName(name)
 *     .executor(loop) // gRPC has to call back on the same thread
 *     .addService(new MapService(streams).definition())
 *     .build();
 * }
 *
 * @param handler called once per datum
 * @param datumIdInMdc whether handlers find their datum's id in the MDC
 * @param limits the bounds of work and memory
 * @param loop runs actions one after the other, on the thread on which gRPC calls back
 * @param admission what is in work, over all streams; belongs to the loop
 * @param starts handlers to be started; belongs to the loop
 * @param slow finds handlers that run for too long; null if that is off; belongs to the loop
 * @param starvation finds handlers that get no carrier; null if that is off; belongs to the loop
 * @param counters count everything that happens
 * @param failures decides what a failure does
 * @param marks refuses messages whose mark the platform's release does not know
 * @param threads creates the handlers' threads, and those that start them
 * @param pending permits for results that wait to be written; belongs to the loop
 * @param segments memory for large results
 * @param inbound bounds requests that are not admitted; belongs to the loop
 * @param stopping whether the server no longer accepts datums
 * @param onRequestSize called with the encoded size of each incoming datum, on the loop
 */
record StreamContext(
    MapStreamer handler,
    boolean datumIdInMdc,
    Limits limits,
    Executor loop,
    Admission admission,
    StartQueue starts,
    @Nullable SlowHandlers slow,
    @Nullable StarvationWatch starvation,
    Counters counters,
    Failures failures,
    MarkCheck marks,
    HandlerTask.Threads threads,
    PendingBudget pending,
    SegmentPool segments,
    InboundBudget inbound,
    AtomicBoolean stopping,
    IntConsumer onRequestSize) {

  /**
   * Returns a builder with the limits of the options, virtual threads, the system's clock, and no
   * listener for failures.
   */
  static Builder builder(MapStreamer handler, ServerOptions options, Executor loop) {
    return new Builder(handler, options, loop);
  }

  /** Starts a handler soon. */
  void start(HandlerTask task) {
    if (slow != null) {
      slow.started(task);
    }
    starts.add(task);
    if (starvation != null) {
      starvation.started(task);
    }
  }

  /** Called when a handler has got a carrier. Any thread. */
  void handlerBegins() {
    if (starvation != null) {
      starvation.begins();
    }
  }

  /** Called when a datum is no longer in work. */
  void released(HandlerTask task) {
    if (task.hasRun()) {
      counters.released(task.nanos());
    } else {
      counters.released();
    }
    if (slow != null) {
      slow.released(task);
    }
  }

  /** Collects the parts of an engine. */
  static final class Builder {

    private final MapStreamer handler;
    private final ServerOptions options;
    private final Executor loop;
    private Limits limits;
    private Counters counters = new Counters();
    private @Nullable Failures failures;
    private HandlerTask.Threads threads = HandlerTask.Threads::virtual;
    private LongSupplier clock = System::nanoTime;
    private IntConsumer onRequestSize = bytes -> {};

    private Builder(MapStreamer handler, ServerOptions options, Executor loop) {
      this.handler = handler;
      this.options = options;
      this.loop = loop;
      this.limits = Limits.of(options);
    }

    Builder limits(Limits given) {
      limits = given;
      return this;
    }

    Builder counters(Counters given) {
      counters = given;
      return this;
    }

    /** These have their own counters, so {@link #counters} must be set to the same ones. */
    Builder failures(Failures given) {
      failures = given;
      return this;
    }

    Builder threads(HandlerTask.Threads given) {
      threads = given;
      return this;
    }

    /** Sets the clock, which returns nanoseconds as {@link System#nanoTime} does. */
    Builder clock(LongSupplier given) {
      clock = given;
      return this;
    }

    Builder onRequestSize(IntConsumer given) {
      onRequestSize = given;
      return this;
    }

    StreamContext build() {
      Admission admission = new Admission(limits.datumsInWork(), limits.requestBytes());
      return new StreamContext(
          handler,
          options.datumIdInMdc(),
          limits,
          loop,
          admission,
          new StartQueue(loop, threads, clock),
          slowHandlers(options.slowHandlerWarning()),
          starvationWatch(options.maxCarriers(), admission),
          counters,
          failures != null ? failures : new Failures(options, counters, (failure, kind) -> {}),
          new MarkCheck(options.numaflowRelease()),
          threads,
          new PendingBudget(limits.pendingShared(), limits.pendingShared()),
          new SegmentPool(Tuning.pooledBytes()),
          new InboundBudget(limits.requestBytes()),
          new AtomicBoolean(),
          onRequestSize);
    }

    /** Returns null unless the loop has a timer: other loops must not change the JVM's carriers. */
    private @Nullable StarvationWatch starvationWatch(int maxCarriers, Admission admission) {
      if (maxCarriers == 0 || !(loop instanceof ScheduledExecutorService timer)) {
        return null;
      }
      int processors = Runtime.getRuntime().availableProcessors();
      return new StarvationWatch(
          (nanos, check) -> {
            var unused = timer.schedule(check, nanos, TimeUnit.NANOSECONDS);
          },
          () -> admission.datums() >= processors,
          StarvationWatch::startProbe,
          () -> {
            counters.starved();
            Carriers.OF_JVM.starved(maxCarriers);
          });
    }

    private @Nullable SlowHandlers slowHandlers(Duration limit) {
      return limit.isZero()
          ? null
          : new SlowHandlers(
              limit,
              (nanos, look) ->
                  CompletableFuture.delayedExecutor(nanos, TimeUnit.NANOSECONDS, loop)
                      .execute(look),
              clock,
              new SlowHandlerWarning(limit)::of);
    }
  }
}
