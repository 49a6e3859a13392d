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
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Stops a server, once and in this order: the callback is started, streams drain (unless something
 * has failed), the socket is closed, remaining handlers are interrupted and their streams ended,
 * the totals are logged, the files are removed.
 *
 * <p>The stop runs on a thread that waits for it from the start of the server. Requesting a stop
 * needs no memory, no lock and no thread, so that a process with a full heap can still be stopped;
 * a reserve of memory is then released. Each wait has a limit, each step is tried even if the one
 * before has failed, and the removal of files is tried again after an Error.
 */
final class Shutdown implements Failures.Listener {

  private static final ServerLog log = ServerLog.of(MapStreamServer.class);

  /**
   * How long to wait for a last status to reach its client, for interrupted handlers, and for the
   * log.
   */
  static final Duration STEP_TIMEOUT = Duration.ofSeconds(1);

  /** How long to wait for an answer of a busy loop. */
  private static final Duration ASK_TIMEOUT = Duration.ofSeconds(5);

  /** How long the process may continue after the event loop has died. */
  private static final Duration LAST_RESORT = Duration.ofSeconds(8);

  /** The classes that are caught here when the heap is full, as in {@link HeapWatch}. */
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

  // Created early: when one is needed, there may be no memory for it.
  private final ExecutionException loopDied =
      new ExecutionException(
          "the event loop died, most likely because memory ran out",
          new IllegalStateException("the thread mapstream-io has ended"));
  private final ExecutionException heapFull =
      new ExecutionException(
          "the heap is full", new IllegalStateException("garbage collection frees almost nothing"));
  private final ExecutionException failureLost =
      new ExecutionException(
          "a handler failed, and there is no memory for details",
          new IllegalStateException("out of memory"));

  /** Released for good once a handler has run out of memory, or when the stop begins. */
  @SuppressWarnings("UnusedVariable") // Held only to be released.
  private volatile byte @Nullable [] reserve = new byte[Tuning.reserveBytes()];

  private final HeapWatch heap =
      new HeapWatch(() -> new byte[Tuning.reserveBytes()], Duration.ofSeconds(1), this::heapIsFull);

  /** Why the process can't continue, if it can't. */
  private volatile @Nullable ExecutionException fatal;

  /** Whether the process belongs to this server, and ends with it. */
  private volatile boolean ofProcess;

  private volatile boolean atOnce;
  private volatile boolean closing;
  private volatile boolean logBlocked;

  /** The thread of the user's callback; set when it is started, and by itself if that is first. */
  private volatile @Nullable Thread callback;

  // What the log has; for the stop's thread.
  private boolean failureLogged;
  private boolean exitLogged;

  // Set once, before the thread starts.
  private volatile @Nullable StreamRegistry registry;
  private @Nullable SocketTransport socket;
  private volatile @Nullable ServerFiles files;
  private long started;

  /**
   * Creates a stop that has not been requested.
   *
   * @param onStop the user's callback, run on its own thread when the stop begins
   * @param terminated opened when the stop is complete
   */
  Shutdown(ServerOptions options, Counters counters, Runnable onStop, CountDownLatch terminated) {
    this.options = options;
    this.counters = counters;
    this.failures = new Failures(options, counters, this);
    this.onStop = onStop;
    this.terminated = terminated;
  }

  /** Starts the thread that waits for the stop. Earlier requests take effect now. */
  void await(StreamRegistry registry, SocketTransport socket, ServerFiles files) {
    this.registry = registry;
    this.socket = socket;
    this.files = files;
    this.started = System.nanoTime();
    heap.start();
    Thread.ofPlatform().daemon().name("mapstream-stop").start(this::stopWhenRequested);
  }

  /** Releases what a failed start has taken; null for what it could not even create. */
  void cancel(@Nullable SocketTransport transport, @Nullable ServerFiles files) {
    closing = true;
    memoryFull();
    try {
      if (files != null) {
        files.remove();
      }
      if (transport != null) {
        close(transport);
      }
    } finally {
      terminated.countDown();
    }
  }

  // Requests: any thread, without waiting and without memory.

  void request() {
    requested.countDown();
  }

  /** From now on, the process is ended if a full heap keeps a stop from completing. */
  void endsProcess() {
    ofProcess = true;
  }

  /** Requests a stop that does not wait for open handlers, after a call of {@code System.exit}. */
  void requestAtOnce() {
    atOnce = true;
    drained.countDown();
    requested.countDown();
  }

  /** Called when the event loop's thread ends. */
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
   * Ends the process if the stop does not end: each step may collect garbage for seconds, while
   * others take what it frees. Runs on the thread of the heap watch, and needs no memory.
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

  // The outcome: any thread.

  boolean isRequested() {
    return requested.getCount() == 0;
  }

  boolean hasFailed() {
    return fatal != null || failures.first() != null;
  }

  /** Returns whether the log has not accepted the lines of this stop. */
  boolean isLogBlocked() {
    return logBlocked;
  }

  boolean isCallback(Thread thread) {
    return thread == callback;
  }

  /** Returns whether a handler in work matches; {@code otherwise} if the event loop is blocked. */
  boolean anyHandler(Predicate<HandlerTask> matches, boolean otherwise)
      throws InterruptedException {
    StreamRegistry streams = registry;
    return streams != null && streams.anyHandler(matches, ASK_TIMEOUT, otherwise);
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

  /**
   * Tries again if there is no memory even to handle a full heap, and in the end halts the process.
   */
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
    attempt("to log the stop's reason", this::logReason);
    attempt(
        "to run onStop",
        () -> callback = PlatformThread.start("mapstream-on-stop", this::callBack));
    if (hasFailed() || atOnce) {
      attempt("to close the socket", () -> transport.stopAccepting(STEP_TIMEOUT));
    } else {
      attempt("to drain", () -> drain(streams, transport));
    }
    attempt("to end the streams", () -> abort(streams, transport));
    attempt("to wait for onStop", () -> awaitCallback(begun));
    attempt("to log what has failed meanwhile", this::logReason);
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
   * Drains the streams first: once a client can see that the server stops, none of its datums is
   * accepted.
   */
  private void drain(StreamRegistry registry, SocketTransport transport) throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    onLoop(
        transport,
        () -> {
          registry.drain(drained::countDown);
          begun.countDown();
        });
    boolean isLoopBlocked = !isReached(begun, STEP_TIMEOUT);
    long inWork = counters.snapshot().datumsInWork();
    Duration grace = options.shutdownGrace();
    attempt("to close the socket", () -> transport.stopAccepting(STEP_TIMEOUT));
    if (inWork > 0) {
      log.info(
          "mapstream is stopping; waiting up to {} for {} datums in work",
          LogLines.seconds(grace),
          inWork);
    }
    if (!isReached(drained, grace)) {
      boolean handlersRun =
          isLoopBlocked || registry.anyHandler(task -> !task.hasReturned(), STEP_TIMEOUT, true);
      log.warn(
          handlersRun
              ? "handlers were still running after {} and were interrupted"
              : "a client had not read all results after {}; its stream was ended",
          LogLines.seconds(grace));
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
        log.info("a client that does not read did not receive the status of its stream");
      }
    }
  }

  /** Runs the action on the event loop, if that is still running. */
  private static void onLoop(SocketTransport transport, Runnable action) {
    try {
      transport.loop().execute(action);
    } catch (RejectedExecutionException e) {
      log.debug("the event loop has ended", e);
    }
  }

  /** Runs the callback, which is the user's code: whatever it throws is only logged. */
  @SuppressWarnings("CatchingUnchecked")
  private void callBack() {
    callback = Thread.currentThread();
    try {
      onStop.run();
    } catch (Throwable t) {
      log.warn("onStop failed", t);
    }
  }

  private void awaitCallback(long begun) throws InterruptedException {
    Thread running = callback;
    if (running == null) {
      return;
    }
    Duration left = options.shutdownGrace().minusNanos(System.nanoTime() - begun);
    boolean isShort = hasFailed() || atOnce || left.compareTo(STEP_TIMEOUT) < 0;
    if (!running.join(isShort ? STEP_TIMEOUT : left)) {
      running.interrupt();
      log.warn("onStop was still running and was interrupted");
    }
  }

  /** Logs why the server stops, or what has happened since the stop began; each once. */
  private void logReason() {
    HandlerFailure first = failures.first();
    ExecutionException unreported = fatal;
    if (!failureLogged && first != null) {
      Failures.reportStop(first);
      failureLogged = true;
    } else if (!failureLogged && unreported != null) {
      log.error("{}; the server stops", String.valueOf(unreported.getMessage()));
      failureLogged = true;
    }
    if (!exitLogged && atOnce) {
      long inWork = counters.snapshot().datumsInWork();
      log.warn("a handler called System.exit; {} datums in work get no EOT", inWork);
      exitLogged = true;
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

  /** Ends a process that can't serve any more, if nothing else has ended it. */
  @SuppressWarnings("CatchingUnchecked")
  private void endProcess() {
    try {
      Thread.sleep(LAST_RESORT);
      log.error("the process can no longer serve and did not end; halting it");
      LogThread.OF_PROCESS.flush(STEP_TIMEOUT);
    } catch (Throwable t) {
      // Out of memory: halts without a log line.
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
      log.warn("failed {} while stopping", purpose, failed);
    } catch (Throwable t) {
      // Out of memory; the other steps matter more.
    }
  }

  private static boolean isReached(CountDownLatch latch, Duration limit) {
    try {
      return latch.await(TimeUnit.NANOSECONDS.convert(limit), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      return false; // Only the end of a test interrupts this thread.
    }
  }
}
