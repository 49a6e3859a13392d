package io.mapstream.server;

import io.mapstream.MapStreamer;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Serves a {@link MapStreamer} to Numaflow's data plane: gRPC without TLS on a Unix socket, each
 * datum on a virtual thread of its own.
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
 * <p>{@link #run(MapStreamer)} is all that a pod needs. It obeys SIGTERM, and it throws a handler's
 * failure; if {@code main} lets that through, the process exits with 1. Inside another program,
 * {@link #start()}, {@link #awaitTermination()} and {@link #close()} do the same in steps. They
 * leave signals alone: on a SIGTERM the JVM then ends the process without a drain, unless the
 * program calls {@link #close()} itself, as in
 *
 * {@snippet :
 * MapStreamServer server = MapStreamServer.builder(handler).build().start();
 * Runtime.getRuntime().addShutdownHook(new Thread(server::close));
 * server.awaitTermination();
 * }
 *
 * <p>The exit code after a signal is the JVM's 143 then, and what is logged during the drain may be
 * lost, since logging libraries close in hooks of their own. {@link #run()} has neither drawback.
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

  /** How long a busy loop may take to say whether a thread is a handler's; the stop goes on. */
  private static final Duration ASK_TIMEOUT = Duration.ofSeconds(5);

  private final MapStreamer handler;
  private final ServerOptions options;
  private final Counters counters = new Counters();
  private final CountDownLatch terminated = new CountDownLatch(1);
  private final Shutdown shutdown;

  private final ReentrantLock lifecycle = new ReentrantLock();

  // Guarded by lifecycle, which the event loop never waits for.
  private boolean used;
  private @Nullable SocketTransport transport;
  private @Nullable StreamRegistry registry;

  MapStreamServer(MapStreamer handler, ServerOptions options, Runnable onStop) {
    this.handler = handler;
    this.options = options;
    this.shutdown = new Shutdown(options, counters, onStop, terminated);
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
  public static MapStreamServerBuilder builder(MapStreamer handler) {
    return new MapStreamServerBuilder(Objects.requireNonNull(handler, "handler"));
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
   * Starts, and waits until the server has stopped: by SIGTERM, SIGINT or SIGHUP, by {@link
   * #close()}, or by a handler's failure.
   *
   * <p>On a signal no datum is accepted any more, and open handlers have {@link
   * ServerOptions#shutdownGrace()} to finish. Then this method returns. The process exits when the
   * thread that called it has ended, however long that takes: with 0, or with 1 if a handler has
   * failed or that thread ended by an exception. Shutdown hooks run as usual; other threads don't
   * keep the process alive. A second signal ends the process at once, with 128 and the signal's
   * number.
   *
   * <p>A call of {@code System.exit} keeps its code. If a handler calls it, other handlers are
   * interrupted at once, and their datums get no EOT; otherwise it drains first.
   *
   * <p>If a failure is thrown out of {@code main}, the process exits with 1 even if other threads
   * are left.
   *
   * @throws IOException if the socket or the server info file can't be made; the message names
   *     setting, path and reason
   * @throws ExecutionException if a handler's failure stopped the server; the cause is what it
   *     threw
   * @throws InterruptedException if the calling thread was interrupted; the server is stopped
   * @throws IllegalStateException if it was started before
   */
  public void run() throws IOException, ExecutionException, InterruptedException {
    ProcessEnd end = new ProcessEnd(this);
    try {
      start();
      awaitTermination();
    } catch (IllegalStateException e) {
      if (!end.isSignalled()) { // Otherwise the signal was faster than the start.
        throw e;
      }
    } catch (InterruptedException e) {
      close();
      throw e;
    } finally {
      end.runReturns();
    }
  }

  /**
   * Listens on the socket, then announces that in the server info file. Returns when both are done.
   * Signals are left alone; see the class's description. If the heap fills up for good, the process
   * is halted with 1, eight seconds after the stop: it is in no known state.
   *
   * @return this
   * @throws java.net.BindException if a live server answers on the socket, or the path is unusable
   * @throws IOException if the socket or the server info file can't be made; the message names
   *     setting, path and reason
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
        throw new IllegalStateException("a server is started once; this one is " + state());
      }
      used = true;
      LoggingBridge.install();
      LogThread.OF_PROCESS.forgetRepeated();
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
    var socket = new SocketTransport(options.socketPath(), kind, shutdown::loopEnded);
    var context =
        StreamContext.builder(handler, options, socket.loop())
            .counters(counters)
            .failures(shutdown.failures())
            .onRequestSize(socket::sizeReads)
            .build();
    var streams = new StreamRegistry(context);
    var info = new ServerInfoFile(options.serverInfoFile());
    var files = new ServerFiles(socket, info);
    try {
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
    transport = socket;
    registry = streams;
  }

  /**
   * Waits until the server has stopped and its files are gone, also if it has not been started yet.
   * After a start that failed it returns at once. A handler must not call it, since the stop waits
   * for the handler.
   *
   * @throws ExecutionException if a handler's failure stopped it; the cause is what the handler
   *     threw, and the failures of other handlers are suppressed on it
   * @throws InterruptedException if the thread was interrupted while it waited; the server runs on
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
   * @throws ExecutionException if a handler's failure stopped it
   * @throws InterruptedException if the thread was interrupted while it waited; the server runs on
   */
  public boolean awaitTermination(Duration limit) throws ExecutionException, InterruptedException {
    if (!terminated.await(TimeUnit.NANOSECONDS.convert(limit), TimeUnit.NANOSECONDS)) {
      return false;
    }
    shutdown.throwFailure();
    return true;
  }

  /**
   * Stops the server and waits until that is done. No datum is accepted any more. Open handlers
   * have {@link ServerOptions#shutdownGrace()} to finish, and their EOTs are sent. Handlers that
   * still run then are interrupted, and their streams end with UNAVAILABLE. The socket and the
   * server info file are removed.
   *
   * <p>It takes the grace and one or two seconds more at most, and eight if something blocks the
   * event loop or the log.
   *
   * <p>It may be called at any time and any number of times; each call waits for the one stop. If a
   * handler calls it, it starts the stop and returns at once, since the stop waits for that
   * handler. If the calling thread is interrupted while it waits, it returns with the flag set, and
   * the stop goes on.
   */
  @Override
  public void close() {
    if (!endUnstarted()) {
      shutdown.request();
    }
    try {
      if (!isHandler(Thread.currentThread())) {
        terminated.await();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Whether it was never started; it can't be any more then. Waits for a start under way. */
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

  private boolean isHandler(Thread thread) throws InterruptedException {
    SocketTransport socket;
    StreamRegistry streams;
    lifecycle.lock();
    try {
      socket = transport;
      streams = registry;
    } finally {
      lifecycle.unlock();
    }
    if (socket == null || streams == null || terminated.getCount() == 0 || !thread.isVirtual()) {
      return false;
    }
    try {
      return CompletableFuture.supplyAsync(() -> streams.isHandler(thread), socket.loop())
          .get(ASK_TIMEOUT.toNanos(), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException | ExecutionException | TimeoutException e) {
      return false;
    }
  }

  // For the end of the process.

  Shutdown shutdown() {
    return shutdown;
  }
}
