package io.mapstream.server;

import io.mapstream.MapStreamer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Serves a {@link MapStreamer} to Numaflow's data plane: gRPC without TLS on a Unix socket, each
 * datum on a virtual thread of its own.
 *
 * {@snippet :
 * public static void main(String[] args) throws Exception {
 *   MapStreamServer.run((keys, datum, sink) -> {
 *     for (String word : datum.text().split(",")) {
 *       sink.emit(word.getBytes(UTF_8));
 *     }
 *   });
 * }
 * }
 *
 * <p>{@link #run(MapStreamer)} is all that a pod needs: it obeys SIGTERM, and lets a handler's
 * failure out of {@code main}, so that the process ends with a code other than 0. Inside another
 * program, {@link #start()}, {@link #awaitTermination()} and {@link #close()} do the same in steps
 * and leave signals alone.
 *
 * <p>A server is started once. All methods may be called from any thread.
 */
public final class MapStreamServer implements AutoCloseable {

  /** Where a server is in its life; it only moves downwards. */
  private enum State {
    NEW,
    RUNNING,
    /** Open handlers finish, or are interrupted; nothing new is accepted. */
    STOPPING,
    STOPPED
  }

  private static final ServerLog log = ServerLog.of(MapStreamServer.class);

  /**
   * How long a stop waits for a last status to reach a client that has been told to go, and for
   * interrupted handlers to leave.
   */
  private static final Duration FAREWELL = Duration.ofSeconds(1);

  private final MapStreamer handler;
  private final ServerOptions options;
  private final Counters counters = new Counters();
  private final Failures failures;
  private final CountDownLatch terminated = new CountDownLatch(1);

  private final ReentrantLock lifecycle = new ReentrantLock();

  // Guarded by lifecycle, which the event loop never waits for.
  private State state = State.NEW;
  private @Nullable SocketTransport transport;
  private @Nullable StreamRegistry registry;
  private @Nullable ServerInfoFile infoFile;
  private long started;

  private MapStreamServer(MapStreamer handler, ServerOptions options) {
    this.handler = handler;
    this.options = options;
    this.failures = new Failures(options, counters, this::handlerFailed);
  }

  /**
   * Serves {@code handler} until the process is told to end, with settings from the environment.
   * See {@link #run()}.
   *
   * @param handler called for each datum, by many threads at once
   * @throws IOException if the socket or the server info file can't be made; it names the path
   * @throws ExecutionException if a handler's failure stopped the server; the cause is what it
   *     threw
   * @throws InterruptedException if the calling thread was interrupted; the server is stopped
   * @throws IllegalArgumentException if a variable of the environment is unusable
   */
  public static void run(MapStreamer handler)
      throws IOException, ExecutionException, InterruptedException {
    builder(handler).build().run();
  }

  /**
   * A builder of a server, with nothing set.
   *
   * @param handler called for each datum, by many threads at once
   * @return the builder
   */
  public static Builder builder(MapStreamer handler) {
    return new Builder(Objects.requireNonNull(handler, "handler"));
  }

  /** {@return the settings in effect} */
  public ServerOptions options() {
    return options;
  }

  /**
   * What the server has done since its start, and what it has in work. Zeros before the start, the
   * last numbers after the stop. It never waits, whatever the server is busy with.
   *
   * @return a snapshot; each call makes a new one
   */
  public ServerMetrics metrics() {
    return counters.snapshot();
  }

  /**
   * Starts, and waits until the server has stopped: by SIGTERM or SIGINT, by {@link #close()}, or
   * by a handler's failure. On a signal, no datum is accepted any more, open handlers have {@link
   * ServerOptions#shutdownGrace()} to finish, and the process ends with 0 after this method's
   * caller and the process's other shutdown hooks have come to their end (for at most 5 seconds).
   *
   * @throws IOException if the socket or the server info file can't be made; it names the path
   * @throws ExecutionException if a handler's failure stopped the server; the cause is what it
   *     threw
   * @throws InterruptedException if the calling thread was interrupted; the server is stopped
   * @throws IllegalStateException if it was started before
   */
  public void run() throws IOException, ExecutionException, InterruptedException {
    StopSignal signal = new StopSignal(this);
    try {
      start();
      awaitTermination();
    } catch (InterruptedException e) {
      close();
      throw e;
    } finally {
      signal.remove();
    }
  }

  /**
   * Listens on the socket, then announces that in the server info file. Returns when both are done.
   *
   * @return this
   * @throws java.net.BindException if a live server answers on the socket, or the path is unusable
   * @throws IOException if the socket or the server info file can't be made; it names the path
   * @throws IllegalStateException if it was started or closed before
   */
  public MapStreamServer start() throws IOException {
    NettyDefaults.set();
    return start(InternalSocketKind.best());
  }

  MapStreamServer start(InternalSocketKind kind) throws IOException {
    lifecycle.lock();
    try {
      if (state != State.NEW) {
        throw new IllegalStateException("a server is started once; this one is " + state);
      }
      LoggingBridge.install();
      LogThread.OF_PROCESS.forgetRepeated();
      var socket = new SocketTransport(options.socketPath(), kind);
      var streams =
          new StreamRegistry(
              StreamContext.builder(handler, options, socket.loop())
                  .counters(counters)
                  .failures(failures)
                  .onRequestSize(socket::sizeReads)
                  .build());
      var info = new ServerInfoFile(options.serverInfoFile());
      try {
        socket.makeWay();
        info.removeStale();
        socket.listen(new MapService(streams).definition(), options.maxMessageSize());
        info.write();
      } catch (IOException | RuntimeException | Error e) {
        state = State.STOPPED;
        closeQuietly(socket, info);
        terminated.countDown();
        throw e;
      }
      transport = socket;
      registry = streams;
      infoFile = info;
      state = State.RUNNING;
      started = System.nanoTime();
      LogLines.started(log, options, socket.kind());
      return this;
    } finally {
      lifecycle.unlock();
    }
  }

  /**
   * Waits until the server has stopped and its files are gone; also for a server that nobody has
   * started yet. After a start that failed it returns at once. Not for handlers: the stop waits for
   * them.
   *
   * @throws ExecutionException if a handler's failure stopped it; the cause is what the handler
   *     threw, with the failures of other handlers suppressed on it
   * @throws InterruptedException if the thread was interrupted while it waited; the server runs on
   */
  public void awaitTermination() throws ExecutionException, InterruptedException {
    terminated.await();
    throwFailure();
  }

  /**
   * Like {@link #awaitTermination()}, for a limited time.
   *
   * @param limit how long to wait
   * @return whether the server has stopped
   * @throws ExecutionException if a handler's failure stopped it
   * @throws InterruptedException if the thread was interrupted while it waited; the server runs on
   */
  public boolean awaitTermination(Duration limit) throws ExecutionException, InterruptedException {
    if (!terminated.await(TimeUnit.NANOSECONDS.convert(limit), TimeUnit.NANOSECONDS)) {
      return false;
    }
    throwFailure();
    return true;
  }

  private void throwFailure() throws ExecutionException {
    HandlerFailure first = failures.first();
    if (first != null) {
      throw new ExecutionException(
          "the handler failed on datum \"" + first.datumId() + "\"", first.cause());
    }
  }

  /**
   * Stops the server and waits until that is done: no datum is accepted any more, open handlers
   * have {@link ServerOptions#shutdownGrace()} to finish and their EOTs to leave; those that are
   * left then are interrupted, and their streams end with UNAVAILABLE. The socket and the server
   * info file are removed.
   *
   * <p>It takes the grace and a second or two more at most, and eight where something blocks the
   * event loop.
   *
   * <p>May be called at any time and any number of times; each call waits for the one stop. Called
   * by a handler it starts the stop and returns at once, since the stop waits for that handler. If
   * the calling thread is interrupted while it waits, it returns with the flag set and the stop
   * goes on.
   */
  @Override
  public void close() {
    StopThread.start("mapstream-stop", this::stopRunning);
    try {
      if (!isHandler(Thread.currentThread())) {
        terminated.await();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Whether a handler's failure stopped the server. */
  boolean hasFailed() {
    return failures.first() != null;
  }

  private void handlerFailed(HandlerFailure failure, FailureKind kind) {
    if (kind == FailureKind.HANDLER_STOPPED_SERVER && failures.first() == failure) {
      StopThread.start("mapstream-stop", () -> stopAfter(failure));
    }
  }

  private void stopAfter(HandlerFailure first) {
    try {
      Failures.reportStop(first);
    } finally {
      stopRunning();
    }
  }

  /**
   * Stops the server if it runs. Returns when that is done, or at once if another thread is at it.
   */
  private void stopRunning() {
    SocketTransport socket;
    StreamRegistry streams;
    ServerInfoFile info;
    long since;
    lifecycle.lock();
    try {
      if (state == State.NEW) {
        state = State.STOPPED;
        terminated.countDown();
      }
      if (state != State.RUNNING) {
        return;
      }
      state = State.STOPPING;
      socket = Objects.requireNonNull(transport);
      streams = Objects.requireNonNull(registry);
      info = Objects.requireNonNull(infoFile);
      since = started;
    } finally {
      lifecycle.unlock();
    }
    stop(streams, socket, info, since);
  }

  private void stop(
      StreamRegistry streams, SocketTransport socket, ServerInfoFile info, long since) {
    try {
      if (failures.first() == null) {
        drain(streams, socket);
      } else {
        stopAccepting(socket);
      }
      CountDownLatch ended = ending(socket, idle -> streams.abort(idle, "the server is stopping"));
      if (!isReached(ended, FAREWELL)) {
        long left = metrics().datumsInWork();
        if (left > 0) {
          log.warn("{} handlers go on, interrupted", left);
        } else {
          log.info("a client that does not read is left without the status of its stream");
        }
      }
      LogLines.stopped(log, metrics(), Duration.ofNanos(System.nanoTime() - since));
      HandlerFailure first = failures.first();
      if (first != null) {
        ErrorReport.OF_PROCESS.writeOnce(first, Instant.now());
      }
    } finally {
      try {
        closeQuietly(socket, info);
      } finally {
        LogThread.OF_PROCESS.flush(FAREWELL);
        finish();
      }
    }
  }

  /**
   * The streams first: once a client can see that the server stops, none of its datums is taken.
   */
  private void drain(StreamRegistry streams, SocketTransport socket) {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch drained =
        ending(
            socket,
            idle -> {
              streams.drain(idle);
              begun.countDown();
            });
    // With a limit, as all that waits for the loop: what blocks it must not block the stop.
    isReached(begun, FAREWELL);
    long inWork = metrics().datumsInWork();
    stopAccepting(socket);
    if (inWork > 0) {
      log.info(
          "mapstream stops; waits up to {} for {} datums in work",
          LogLines.seconds(options.shutdownGrace()),
          inWork);
    }
    if (!isReached(drained, options.shutdownGrace())) {
      log.warn(
          "handlers were still running after {}, interrupted",
          LogLines.seconds(options.shutdownGrace()));
    }
  }

  private static void stopAccepting(SocketTransport socket) {
    try {
      socket.stopAccepting(FAREWELL);
    } catch (IOException e) {
      log.warn("the socket was not removed", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void finish() {
    lifecycle.lock();
    try {
      state = State.STOPPED;
    } finally {
      lifecycle.unlock();
    }
    terminated.countDown();
  }

  /** Has the streams ended on the event loop; the latch opens when all of them are closed. */
  private static CountDownLatch ending(SocketTransport socket, Consumer<Runnable> ending) {
    CountDownLatch closed = new CountDownLatch(1);
    socket.loop().execute(() -> ending.accept(closed::countDown));
    return closed;
  }

  private static boolean isReached(CountDownLatch latch, Duration limit) {
    try {
      return latch.await(TimeUnit.NANOSECONDS.convert(limit), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private boolean isHandler(Thread thread) throws InterruptedException {
    SocketTransport socket;
    StreamRegistry streams;
    lifecycle.lock();
    try {
      socket = transport;
      streams = registry;
      if (socket == null || streams == null || state == State.STOPPED || !thread.isVirtual()) {
        return false;
      }
    } finally {
      lifecycle.unlock();
    }
    try {
      return CompletableFuture.supplyAsync(() -> streams.isHandler(thread), socket.loop())
          .get(FAREWELL.toNanos(), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException | ExecutionException | TimeoutException e) {
      return false;
    }
  }

  private static void closeQuietly(SocketTransport socket, ServerInfoFile info) {
    try {
      info.remove();
    } catch (IOException e) {
      log.warn("the server info file was not removed", e);
    }
    try {
      socket.close(FAREWELL);
    } catch (IOException e) {
      log.warn("the socket was not removed", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Collects a server's settings; {@link ServerOptions.Builder} says more of each. Not thread-safe.
   */
  public static final class Builder {

    private final MapStreamer handler;
    private final ServerOptions.Builder options = ServerOptions.builder();

    private Builder(MapStreamer handler) {
      this.handler = handler;
    }

    /**
     * Sets all settings at once.
     *
     * @param all the settings, each of which a later call may still change
     * @return this
     */
    public Builder options(ServerOptions all) {
      options.all(all);
      return this;
    }

    /**
     * Sets the Unix socket to listen on.
     *
     * @param path where the socket is to be
     * @return this
     */
    public Builder socketPath(Path path) {
      options.socketPath(path);
      return this;
    }

    /**
     * Sets the file that announces the server to the data plane.
     *
     * @param path where the file is to be
     * @return this
     */
    public Builder serverInfoFile(Path path) {
      options.serverInfoFile(path);
      return this;
    }

    /**
     * Sets the largest encoded request and response in bytes.
     *
     * @param bytes at least 1
     * @return this
     * @throws IllegalArgumentException if it is less than 1
     */
    public Builder maxMessageSize(int bytes) {
      options.maxMessageSize(bytes);
      return this;
    }

    /**
     * Sets how many datums are in work at once.
     *
     * @param datums at least 1
     * @return this
     * @throws IllegalArgumentException if it is less than 1
     */
    public Builder maxConcurrency(int datums) {
      options.maxConcurrency(datums);
      return this;
    }

    /**
     * Sets how long a stop waits for open handlers before it interrupts them.
     *
     * @param grace zero or more
     * @return this
     * @throws IllegalArgumentException if it is negative
     */
    public Builder shutdownGrace(Duration grace) {
      options.shutdownGrace(grace);
      return this;
    }

    /**
     * Sets what a handler's exception does.
     *
     * @param policy what is to be done
     * @return this
     */
    public Builder errorPolicy(ServerOptions.ErrorPolicy policy) {
      options.errorPolicy(policy);
      return this;
    }

    /**
     * Sets whether the datum's id is in SLF4J's MDC of its handler's thread.
     *
     * @param inMdc whether it is, under the key {@code datumId}
     * @return this
     */
    public Builder datumIdInMdc(boolean inMdc) {
      options.datumIdInMdc(inMdc);
      return this;
    }

    /**
     * Sets after what time a handler that still runs is warned about, once and with its stack.
     *
     * @param limit the time, or zero for no warning
     * @return this
     * @throws IllegalArgumentException if it is negative
     */
    public Builder slowHandlerWarning(Duration limit) {
      options.slowHandlerWarning(limit);
      return this;
    }

    /**
     * A server, not started; what was not set is taken from the environment.
     *
     * @return the server
     * @throws IllegalArgumentException if a variable that is needed has an unusable value
     */
    public MapStreamServer build() {
      return new MapStreamServer(handler, options.build());
    }
  }
}
