package io.mapstream.server;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The one stop of a server, in this order: the callback is started, streams drain (unless something
 * has failed), the socket goes, what is left is interrupted and told, the totals are logged, the
 * files go.
 *
 * <p>It happens on a thread that waits for it from the start of the server. To ask for a stop needs
 * no memory, no lock and no thread, so that a process whose heap is full still gets one, and a
 * reserve of memory becomes free then. Each wait has a limit, each step is tried whatever became of
 * the one before, and what removes files tries again after an Error.
 */
final class Shutdown implements Failures.Listener {

  private static final ServerLog log = ServerLog.of(MapStreamServer.class);

  /** For a last status to reach its client, for interrupted handlers, and for the log. */
  static final Duration STEP_TIMEOUT = Duration.ofSeconds(1);

  /** How long the process may live on after the event loop has died. */
  private static final Duration LAST_RESORT = Duration.ofSeconds(8);

  /** What is caught here with a full heap, as in {@link HeapWatch}. */
  @SuppressWarnings("UnusedVariable")
  private static final List<Class<? extends Throwable>> CAUGHT =
      List.of(Throwable.class, InterruptedException.class);

  private static final long PAUSE_NANOS = 20_000_000;

  private final ServerOptions options;
  private final Counters counters;
  private final Failures failures;
  private final Runnable onStop;
  private final CountDownLatch terminated;

  private final CountDownLatch requested = new CountDownLatch(1);
  private final CountDownLatch drained = new CountDownLatch(1);
  private final CountDownLatch aborted = new CountDownLatch(1);

  // Made early: when one is needed, there may be no memory for it.
  private final ExecutionException loopDied =
      new ExecutionException(
          "the event loop has died, most likely for lack of memory",
          new IllegalStateException("the thread mapstream-io has ended"));
  private final ExecutionException heapFull =
      new ExecutionException(
          "the heap is full", new IllegalStateException("a collection frees next to nothing"));
  private final ExecutionException failureLost =
      new ExecutionException(
          "a handler has failed, and there is no memory to say more",
          new IllegalStateException("out of memory"));

  /** Given up for good once a handler has found no memory, or when the stop begins. */
  @SuppressWarnings("UnusedVariable") // It is there to be forgotten.
  private volatile byte @Nullable [] reserve = new byte[Tuning.reserveBytes()];

  private final HeapWatch heap =
      new HeapWatch(() -> new byte[Tuning.reserveBytes()], Duration.ofSeconds(1), this::heapIsFull);

  /** Why the process can't go on, if it can't. */
  private volatile @Nullable ExecutionException fatal;

  /** The process is this server's: it ends with it. */
  private volatile boolean ofProcess;

  private volatile boolean atOnce;
  private volatile boolean closing;
  private volatile boolean logBlocked;

  // Set once, before the thread starts.
  private @Nullable StreamRegistry registry;
  private @Nullable SocketTransport socket;
  private volatile @Nullable ServerFiles files;
  private long started;

  /**
   * A stop that nobody has asked for.
   *
   * @param onStop the user's callback, run on a thread of its own when the stop begins
   * @param terminated opened when all is done
   */
  Shutdown(ServerOptions options, Counters counters, Runnable onStop, CountDownLatch terminated) {
    this.options = options;
    this.counters = counters;
    this.failures = new Failures(options, counters, this);
    this.onStop = onStop;
    this.terminated = terminated;
  }

  /** Starts the thread that waits for the stop. What was asked for earlier happens now. */
  void await(StreamRegistry registry, SocketTransport socket, ServerFiles files) {
    this.registry = registry;
    this.socket = socket;
    this.files = files;
    this.started = System.nanoTime();
    heap.start();
    Thread.ofPlatform().daemon().name("mapstream-stop").start(this::stopWhenRequested);
  }

  /** The start has failed: gives back what it has taken. */
  void cancel(SocketTransport transport, ServerFiles files) {
    closing = true;
    files.remove();
    close(transport);
    terminated.countDown();
  }

  // Asking for it: any thread, without waiting and without memory.

  void request() {
    requested.countDown();
  }

  /** From now on a stop that a full heap keeps from its end is ended with the process. */
  void endsProcess() {
    ofProcess = true;
  }

  /** Open handlers are not waited for: somebody has called {@code System.exit}. */
  void requestAtOnce() {
    atOnce = true;
    drained.countDown();
    requested.countDown();
  }

  /** The event loop's thread ends. */
  void loopEnded() {
    if (!closing) {
      fatal = loopDied;
    }
    memoryFull();
    drained.countDown();
    aborted.countDown();
    requested.countDown();
  }

  private void heapIsFull() {
    if (!closing && failures.first() == null) {
      fatal = heapFull;
    }
    memoryFull();
    drained.countDown();
    requested.countDown();
    if (ofProcess) {
      endStuckStop();
    }
  }

  /**
   * Each step of a stop may collect garbage for seconds, while what it frees is taken by others.
   * Runs on the heap's watch, and needs no memory.
   */
  private void endStuckStop() {
    long begun = System.nanoTime();
    while (terminated.getCount() > 0) {
      if (System.nanoTime() - begun > 2 * LAST_RESORT.toNanos()) {
        files().removeAndHalt();
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  private ServerFiles files() {
    return Objects.requireNonNull(files);
  }

  /** Removes the files at once, without a stop; there are none if the server has not started. */
  void removeFiles() {
    ServerFiles made = files;
    if (made != null) {
      made.remove();
    }
  }

  @Override
  public void handlerFailed(HandlerFailure failure, FailureKind kind) {
    if (kind == FailureKind.HANDLER_STOPPED_SERVER) {
      requested.countDown();
      if (failure.cause() instanceof OutOfMemoryError) {
        heap.full();
      }
    }
  }

  @Override
  public void memoryFull() {
    reserve = null;
  }

  @Override
  public void failureLost() {
    memoryFull();
    fatal = failureLost;
    drained.countDown();
    requested.countDown();
  }

  // What became of it: any thread.

  boolean isRequested() {
    return requested.getCount() == 0;
  }

  boolean hasFailed() {
    return fatal != null || failures.first() != null;
  }

  /** Whether the log did not take the lines of this stop. */
  boolean isLogBlocked() {
    return logBlocked;
  }

  Failures failures() {
    return failures;
  }

  void throwFailure() throws ExecutionException {
    HandlerFailure first = failures.first();
    if (first != null) {
      throw new ExecutionException(
          "the handler failed on datum \"" + first.datumId() + "\"", first.cause());
    }
    ExecutionException unreported = fatal;
    if (unreported != null) {
      throw unreported;
    }
  }

  // The stop itself, on its own thread.

  /** Tries again where even the care for a full heap finds no memory, and ends the process then. */
  @SuppressWarnings("CatchingUnchecked")
  private void stopWhenRequested() {
    boolean stopped = false;
    for (int tries = 0; !stopped && tries < 10; tries++) {
      try {
        awaitRequest();
        stopped = true;
      } catch (Throwable t) {
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }
    if (!stopped) {
      files().removeAndHalt();
    }
  }

  @SuppressWarnings("CatchingUnchecked")
  private void awaitRequest() {
    while (requested.getCount() > 0) {
      try {
        isReached(requested, Duration.ofDays(1));
      } catch (Throwable t) {
        // No memory to wait: this thread must not end before the others.
      }
    }
    memoryFull();
    SocketTransport transport = Objects.requireNonNull(socket);
    try {
      endStreams(Objects.requireNonNull(registry), transport);
    } catch (Throwable t) {
      tell("to end the streams", t);
    }
    closing = true;
    files().remove();
    close(transport);
    heap.stop();
    terminated.countDown();
    if (fatal != null) {
      endProcess();
    }
  }

  private void endStreams(StreamRegistry streams, SocketTransport transport) {
    long begun = System.nanoTime();
    Thread[] callback = new Thread[1];
    attempt("to log the stop's reason", this::logReason);
    attempt(
        "to run onStop",
        () -> callback[0] = PlatformThread.start("mapstream-on-stop", this::callBack));
    if (hasFailed() || atOnce) {
      attempt("to close the socket", () -> transport.stopAccepting(STEP_TIMEOUT));
    } else {
      attempt("to drain", () -> drain(streams, transport));
    }
    attempt("to end the streams", () -> abort(streams, transport));
    attempt("to wait for onStop", () -> awaitCallback(callback[0], begun));
    attempt("to log the totals", this::logTotals);
    attempt("to report the failure", this::report);
  }

  @SuppressWarnings("CatchingUnchecked")
  private void close(SocketTransport transport) {
    try {
      transport.close(STEP_TIMEOUT);
      logBlocked = !LogThread.OF_PROCESS.flush(STEP_TIMEOUT);
    } catch (Throwable t) {
      tell("to close the transport", t);
    }
  }

  /**
   * The streams first: once a client can see that the server stops, none of its datums is taken.
   */
  private void drain(StreamRegistry registry, SocketTransport transport) throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    onLoop(
        transport,
        () -> {
          registry.drain(drained::countDown);
          begun.countDown();
        });
    isReached(begun, STEP_TIMEOUT);
    long inWork = counters.snapshot().datumsInWork();
    Duration grace = options.shutdownGrace();
    attempt("to close the socket", () -> transport.stopAccepting(STEP_TIMEOUT));
    if (inWork > 0) {
      log.info(
          "mapstream stops; waits up to {} for {} datums in work", LogLines.seconds(grace), inWork);
    }
    if (!isReached(drained, grace)) {
      log.warn("handlers were still running after {}, interrupted", LogLines.seconds(grace));
    }
    if (atOnce) {
      logReason();
    }
  }

  private void abort(StreamRegistry registry, SocketTransport transport) {
    onLoop(transport, () -> registry.abort(aborted::countDown, "the server is stopping"));
    // A thread that is inside System.exit never returns from it, so a long wait would not help.
    Duration limit = atOnce ? STEP_TIMEOUT.dividedBy(2) : STEP_TIMEOUT;
    if (!isReached(aborted, limit)) {
      long left = counters.snapshot().datumsInWork();
      if (left > 0) {
        log.warn("{} handlers ignored the interruption; the stop does not wait for them", left);
      } else {
        log.info("a client that does not read is left without the status of its stream");
      }
    }
  }

  /** Has it run on the event loop, if that is still there. */
  private static void onLoop(SocketTransport transport, Runnable action) {
    try {
      transport.loop().execute(action);
    } catch (RejectedExecutionException e) {
      log.debug("the event loop has ended", e);
    }
  }

  /** The callback is the user's code: whatever it throws is logged and goes no further. */
  @SuppressWarnings("CatchingUnchecked")
  private void callBack() {
    try {
      onStop.run();
    } catch (Throwable t) {
      log.warn("onStop failed", t);
    }
  }

  private void awaitCallback(@Nullable Thread callback, long begun) throws InterruptedException {
    if (callback == null) {
      return;
    }
    Duration left = options.shutdownGrace().minusNanos(System.nanoTime() - begun);
    boolean isShort = hasFailed() || atOnce || left.compareTo(STEP_TIMEOUT) < 0;
    if (!callback.join(isShort ? STEP_TIMEOUT : left)) {
      callback.interrupt();
      log.warn("onStop was still running, interrupted");
    }
  }

  private void logReason() {
    HandlerFailure first = failures.first();
    ExecutionException unreported = fatal;
    long inWork = counters.snapshot().datumsInWork();
    if (first != null) {
      Failures.reportStop(first);
    } else if (unreported != null) {
      log.error("{}; the server stops", String.valueOf(unreported.getMessage()));
    } else if (atOnce) {
      log.warn("a handler called System.exit; {} datums in work get no EOT", inWork);
    }
  }

  private void logTotals() {
    Duration up = Duration.ofNanos(System.nanoTime() - started);
    LogLines.stopped(log, counters.snapshot(), up);
  }

  private void report() {
    HandlerFailure first = failures.first();
    if (first != null) {
      ErrorReport.OF_PROCESS.writeOnce(first, Instant.now());
    }
  }

  /** Nothing else has ended a process that can't serve any more. */
  @SuppressWarnings("CatchingUnchecked")
  private void endProcess() {
    try {
      Thread.sleep(LAST_RESORT);
      log.error("the process can't serve any more and lives on; halted");
      LogThread.OF_PROCESS.flush(STEP_TIMEOUT);
    } catch (Throwable t) {
      // Out of memory: then without a word.
    }
    files().removeAndHalt();
  }

  /** A step of a stop, which may fail for any reason in a process that is out of memory. */
  @FunctionalInterface
  interface Step {
    void run() throws Exception;
  }

  @SuppressWarnings("CatchingUnchecked")
  private void attempt(String purpose, Step step) {
    try {
      step.run();
    } catch (Throwable t) {
      tell(purpose, t);
    }
  }

  @SuppressWarnings("CatchingUnchecked")
  private void tell(String purpose, Throwable failed) {
    try {
      log.warn("the stop failed {}", purpose, failed);
    } catch (Throwable t) {
      // Out of memory; what matters are the other steps.
    }
  }

  private static boolean isReached(CountDownLatch latch, Duration limit) {
    try {
      return latch.await(TimeUnit.NANOSECONDS.convert(limit), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      return false; // Nobody interrupts this thread but a test's end.
    }
  }
}
