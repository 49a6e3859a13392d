package io.mapstream.server;

import io.mapstream.MapStreamer;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Serves a {@link MapStreamer} to Numaflow's data plane: gRPC without TLS on a Unix socket, each
 * datum on its own virtual thread.
 *
 * {@snippet :
 * public static void main(String[] args) throws Exception {
 *   MapStreamServer.run((keys, datum, sink) -> {
 *     for (String word : datum.text().split(",", -1)) {
 *       sink.emit(word);
 *     }
 *   });
 * }
 * }
 *
 * <p>In a pod, {@link #run(MapStreamer)} is enough. It handles SIGTERM, and throws a handler's
 * failure; if {@code main} does not catch it, the process exits with 1. Inside another program,
 * {@link #start()}, {@link #awaitTermination()} and {@link #close()} do the same in steps. They do
 * not handle signals: on SIGTERM, the JVM ends the process without a drain, unless the program
 * calls {@link #close()} itself, as in
 *
 * {@snippet :
 * MapStreamServer server = MapStreamServer.builder(handler).build().start();
 * Runtime.getRuntime().addShutdownHook(new Thread(server::close));
 * server.awaitTermination();
 * }
 *
 * <p>The exit code after a signal is then the JVM's 143, and log lines of the drain may be lost,
 * since logging libraries close in their own hooks. {@link #run()} has neither drawback.
 *
 * <p>A server can be started only once. All methods may be called from any thread.
 */
public final class MapStreamServer implements AutoCloseable {

  /** The state of a server, which only ever moves down this list. */
  private enum State {
    NEW,
    RUNNING,
    /** Open handlers finish, or are interrupted; nothing new is accepted. */
    STOPPING,
    STOPPED
  }

  private static final ServerLog log = ServerLog.of(MapStreamServer.class);

  private final MapStreamer handler;
  private final ServerOptions options;
  private final Counters counters = new Counters();
  private final CountDownLatch terminated = new CountDownLatch(1);
  private final Shutdown shutdown;

  private final ReentrantLock lifecycle = new ReentrantLock();

  // Guarded by lifecycle, which the event loop never waits for.
  private boolean used;

  MapStreamServer(MapStreamer handler, ServerOptions options, Runnable onStop) {
    this.handler = handler;
    this.options = options;
    this.shutdown = new Shutdown(options, counters, onStop, terminated);
  }

  /**
   * Serves {@code handler} with settings from the environment, until the process is asked to end.
   * See {@link #run()}.
   *
   * @param handler called for each datum, by many threads at once
   * @throws IOException if the socket or the server info file can't be created; the message names
   *     the path
   * @throws ExecutionException if a failure stopped the server; the cause is what the handler
   *     threw, or an IllegalStateException if memory ran out elsewhere
   * @throws InterruptedException if the calling thread was interrupted; the server is stopped
   * @throws IllegalArgumentException if an environment variable has an unusable value
   */
  public static void run(MapStreamer handler)
      throws IOException, ExecutionException, InterruptedException {
    MapStreamServerBuilder builder = builder(handler);
    MapStreamServer server;
    try {
      server = builder.build();
    } catch (IllegalArgumentException e) {
      ProcessEnd.endIfUncaught();
      throw e;
    }
    server.run();
  }

  /**
   * Returns a builder for a server, with nothing set.
   *
   * @param handler called for each datum, by many threads at once
   * @return the builder
   */
  public static MapStreamServerBuilder builder(MapStreamer handler) {
    return new MapStreamServerBuilder(Objects.requireNonNull(handler, "handler"));
  }

  /** {@return the settings in effect} */
  public ServerOptions options() {
    return options;
  }

  /**
   * Returns what the server has done since its start, and what it has in work. The numbers are zero
   * before the start. After the stop, only a handler that has ignored its interruption can still
   * change them. This method never blocks, whatever the server is doing.
   *
   * @return a new snapshot
   */
  public ServerMetrics metrics() {
    return counters.snapshot();
  }

  /**
   * Starts the server, and waits until it has stopped: by SIGTERM, SIGINT or SIGHUP, by {@link
   * #close()}, or by a handler's failure.
   *
   * <p>On a signal, no further datum is accepted, and open handlers have {@link
   * ServerOptions#shutdownGrace()} to finish. Then this method returns. The process exits when the
   * calling thread has ended, however long that takes: with 0, or with 1 if a handler failed or
   * that thread ended with an exception. Shutdown hooks run as usual; other threads do not keep the
   * process alive. A second signal ends the process at once, with 128 plus the signal's number.
   *
   * <p>A call of {@code System.exit} keeps its exit code. If a handler calls it on its own thread,
   * other handlers are interrupted at once, and their datums get no EOT; otherwise the server
   * drains first.
   *
   * <p>If a failure is thrown out of {@code main}, the process exits with 1 even if other threads
   * are still running.
   *
   * @throws IOException if the socket or the server info file can't be created; the message names
   *     the setting, the path and the reason
   * @throws ExecutionException if a failure stopped the server; the cause is what the handler
   *     threw, or an IllegalStateException if memory ran out elsewhere
   * @throws InterruptedException if the calling thread was interrupted; the server is stopped
   * @throws IllegalStateException if it was started before
   */
  public void run() throws IOException, ExecutionException, InterruptedException {
    ProcessEnd end = new ProcessEnd(this);
    boolean failed = true;
    try {
      start();
      awaitTermination();
      failed = false;
    } catch (IllegalStateException e) {
      failed = terminated.getCount() == 0; // Otherwise it was started before, and still runs.
      if (!end.isSignalled()) { // Otherwise the signal came before the start.
        throw e;
      }
    } catch (InterruptedException e) {
      close();
      throw e;
    } finally {
      end.runReturns(failed);
    }
  }

  /**
   * Listens on the socket, then announces that in the server info file. Returns when both are done.
   * Signals are not handled; see the class description. If the heap fills up for good, the process
   * is halted with 1, eight seconds after the stop, since its state is unknown; so it is if the
   * event loop dies.
   *
   * @return this
   * @throws java.net.BindException if a live server answers on the socket, or the path is unusable
   * @throws IOException if the socket or the server info file can't be created; the message names
   *     the setting, the path and the reason
   * @throws IllegalStateException if it was started or closed before
   */
  public MapStreamServer start() throws IOException {
    LoggingBridge.install();
    NettyDefaults.set();
    return start(InternalSocketKind.best());
  }

  MapStreamServer start(InternalSocketKind kind) throws IOException {
    lifecycle.lock();
    try {
      if (state() != State.NEW) {
        throw new IllegalStateException(
            "a server can be started only once; this one is " + state());
      }
      LoggingBridge.install();
      LogThread.OF_PROCESS.forgetRepeated();
      used = true;
      begin(kind);
    } finally {
      lifecycle.unlock();
    }
    LogLines.started(log, options, kind);
    return this;
  }

  private State state() {
    if (!used) {
      return State.NEW;
    } else if (terminated.getCount() == 0) {
      return State.STOPPED;
    }
    return shutdown.isRequested() ? State.STOPPING : State.RUNNING;
  }

  private void begin(InternalSocketKind kind) throws IOException {
    SocketTransport socket = null;
    ServerFiles files = null;
    try {
      socket = new SocketTransport(options.socketPath(), kind, shutdown::loopEnded);
      var context =
          StreamContext.builder(handler, options, socket.loop())
              .counters(counters)
              .failures(shutdown.failures())
              .onRequestSize(socket::sizeReads)
              .build();
      var streams = new StreamRegistry(context);
      var info = new ServerInfoFile(options.serverInfoFile());
      files = new ServerFiles(socket::remove, info::remove);
      socket.makeWay();
      info.makeWay(options.socketPath());
      socket.listen(
          new MapService(streams).definition(), context.inbound(), options.maxMessageSize());
      info.write();
      shutdown.await(streams, socket, files);
    } catch (IOException | RuntimeException | Error e) {
      shutdown.cancel(socket, files);
      throw e;
    }
  }

  /**
   * Waits until the server has stopped and its files are removed, even if it has not been started
   * yet. After a failed start, this method returns at once. A handler must not call it, since the
   * stop waits for the handler.
   *
   * @throws ExecutionException if a failure stopped the server; the cause is what the handler
   *     threw, with the failures of other handlers suppressed on it, or an IllegalStateException if
   *     memory ran out elsewhere
   * @throws InterruptedException if the thread was interrupted while it waited; the server
   *     continues to run
   */
  public void awaitTermination() throws ExecutionException, InterruptedException {
    terminated.await();
    shutdown.throwFailure();
  }

  /**
   * Like {@link #awaitTermination()}, for a limited time.
   *
   * @param limit how long to wait
   * @return whether the server has stopped
   * @throws ExecutionException as {@link #awaitTermination()}
   * @throws InterruptedException if the thread was interrupted while it waited; the server
   *     continues to run
   */
  public boolean awaitTermination(Duration limit) throws ExecutionException, InterruptedException {
    if (!terminated.await(TimeUnit.NANOSECONDS.convert(limit), TimeUnit.NANOSECONDS)) {
      return false;
    }
    shutdown.throwFailure();
    return true;
  }

  /**
   * Stops the server and waits until it has stopped. No further datum is accepted. Open handlers
   * have {@link ServerOptions#shutdownGrace()} to finish, and their EOTs are sent. Handlers that
   * are still running afterwards are interrupted, and their streams end with UNAVAILABLE. The
   * socket and the server info file are removed.
   *
   * <p>This takes at most the grace period and one or two seconds more, or nine seconds more if
   * something blocks the event loop or the log.
   *
   * <p>This method may be called at any time and any number of times; each call waits for the same
   * stop. If a handler or the callback of {@link MapStreamServerBuilder#onStop} calls it, it starts
   * the stop and returns at once, since the stop waits for them. If the calling thread is
   * interrupted while it waits, the method returns with the interrupt flag set, and the stop
   * continues.
   */
  @Override
  public void close() {
    if (!endUnstarted()) {
      shutdown.request();
    }
    try {
      if (!stopWaitsFor(Thread.currentThread())) {
        terminated.await();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Closes the server if it was never started, and returns whether that was so. Waits for a start
   * in progress.
   */
  private boolean endUnstarted() {
    lifecycle.lock();
    try {
      if (state() != State.NEW) {
        return false;
      }
      used = true;
      terminated.countDown();
      return true;
    } finally {
      lifecycle.unlock();
    }
  }

  private boolean stopWaitsFor(Thread thread) throws InterruptedException {
    return terminated.getCount() > 0
        && (shutdown.isCallback(thread)
            || (thread.isVirtual() && shutdown.anyHandler(task -> task.runsOn(thread), false)));
  }

  // Used at the end of the process.

  Shutdown shutdown() {
    return shutdown;
  }
}
