package io.mapstream.testkit;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.MessageSink;
import io.mapstream.proto.Durations;
import io.mapstream.server.MapStreamServer;
import io.mapstream.server.MapStreamServerBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * A real {@link MapStreamServer} for a test, in the test's own process. Its socket and server info
 * file are in a temporary folder, so that concurrent tests do not interfere.
 *
 * {@snippet :
 * try (MapStreamTestServer server = MapStreamTestServer.start(handler)) {
 *   Messages messages = server.client().send(datum).remaining();
 * }
 * }
 *
 * <p>A handler's failure stops the server, as it does in a pod. Reading that datum's reply throws a
 * {@link HandlerFailedException}, as in a harness. If the test neither reads the reply nor calls
 * {@link #failure()} or {@link #awaitFailure(Duration)}, {@link #close()} throws an AssertionError.
 * All methods may be called from any thread.
 */
public final class MapStreamTestServer implements AutoCloseable {

  /** Shorter than in a pod, so that a test ends soon; the {@code options} can set another. */
  private static final Duration GRACE = Duration.ofSeconds(5);

  /** How long to wait for the next handler to return, after the interruption. */
  private static final Duration RETURN_TIMEOUT = Duration.ofSeconds(5);

  /** Wraps the handler and tracks its calls. */
  private static final class Calls implements MapStreamer {

    private final MapStreamer handler;

    /** By datum id; several streams may use the same ids. */
    private final Map<String, Queue<Throwable>> thrown = new ConcurrentHashMap<>();

    private final InternalGuard guard = new InternalGuard();

    /** Guarded by guard. */
    private int running;

    Calls(MapStreamer handler) {
      this.handler = Objects.requireNonNull(handler, "handler");
    }

    @Override
    public void handle(List<String> keys, Datum datum, MessageSink sink) throws Exception {
      guard.run(() -> running++);
      try {
        handler.handle(keys, datum, sink);
      } catch (Throwable t) {
        thrown.computeIfAbsent(datum.id(), id -> new ConcurrentLinkedQueue<>()).add(t);
        throw t;
      } finally {
        guard.update(() -> running--);
      }
    }

    /** Returns what the handler of an id threw, if the status has the beginning of its stack. */
    Optional<Throwable> thrown(String id, StreamStatus status) {
      return thrown.getOrDefault(id, new ConcurrentLinkedQueue<>()).stream()
          .filter(one ->
              status
                  .debugInfo()
                  .startsWith(
                      "%.750s"
                          .formatted(HandlerFailedException.text(one) + System.lineSeparator())))
          .findFirst();
    }

    /** Waits until no call is running, or until none has returned for some time. */
    void awaitReturn() throws InterruptedException {
      guard.awaitWhileChanging(RETURN_TIMEOUT, () -> running == 0);
    }
  }

  private final InternalTemporaryFolder folder;
  private final MapStreamServer server;
  private final Calls calls;

  private final Opened<MapStreamClient> clients = new Opened<>("the server");
  private final AtomicBoolean failureKnown = new AtomicBoolean();
  private final AtomicBoolean closed = new AtomicBoolean();

  private MapStreamTestServer(InternalTemporaryFolder folder, MapStreamServer server, Calls calls) {
    this.folder = folder;
    this.server = server;
    this.calls = calls;
  }

  /**
   * Starts a server with default settings.
   *
   * @param handler called for each datum
   * @return a running server
   * @throws IOException if the temporary folder or the socket can't be created
   */
  public static MapStreamTestServer start(MapStreamer handler) throws IOException {
    return start(handler, options -> {});
  }

  /**
   * Starts a server with the test's settings.
   *
   * @param handler called for each datum
   * @param options changes settings; socket, server info file and a grace period of 5 seconds are
   *     set already. This method throws what it throws; nothing is left behind then.
   * @return a running server
   * @throws IOException if the temporary folder or the socket can't be created
   */
  public static MapStreamTestServer start(
      MapStreamer handler, Consumer<MapStreamServerBuilder> options) throws IOException {
    Calls calls = new Calls(handler);
    Objects.requireNonNull(options, "options");
    InternalTemporaryFolder folder = InternalTemporaryFolder.create();
    try {
      MapStreamServerBuilder builder =
          MapStreamServer.builder(calls)
              .socketPath(folder.resolve("s"))
              .serverInfoFile(folder.resolve("info"))
              .shutdownGrace(GRACE);
      options.accept(builder);
      return new MapStreamTestServer(folder, builder.build().start(), calls);
    } catch (IOException | RuntimeException | Error e) {
      folder.delete();
      throw e;
    }
  }

  /**
   * Returns the test's client. The first call connects it, waiting for at most 30 seconds; {@link
   * #close()} closes it.
   *
   * @return a client that has read the server info file; always the same one
   * @throws InterruptedException if the thread was interrupted
   * @throws WaitTimeoutError if the server wasn't ready in time, for instance because it has
   *     stopped
   * @throws ProtocolFaultError if the platform would refuse the server info file
   * @throws IllegalStateException if {@link #close()} was called
   */
  public MapStreamClient client() throws InterruptedException {
    return clients.first(() -> connect(options -> {}));
  }

  /**
   * Connects another client, with the test's settings; {@link #close()} closes it.
   *
   * @param options changes settings; the server info file is set already
   * @return a connected client
   * @throws InterruptedException if the thread was interrupted
   * @throws WaitTimeoutError if the server wasn't ready in time
   * @throws ProtocolFaultError if the platform would refuse the server info file
   * @throws IllegalStateException if {@link #close()} was called
   */
  public MapStreamClient connect(Consumer<MapStreamClient.Builder> options)
      throws InterruptedException {
    Objects.requireNonNull(options, "options");
    clients.verifyOpen();
    MapStreamClient.Builder builder =
        MapStreamClient.builder(socketPath())
            .serverInfoFile(serverInfoFile())
            .failures(this::failureOf);
    options.accept(builder);
    MapStreamClient connected = builder.connect();
    try {
      clients.add(connected);
      return connected;
    } catch (IllegalStateException e) {
      connected.close();
      throw e;
    }
  }

  /** Returns what the handler of an id threw, and records that the test has asked for it. */
  private Optional<Throwable> failureOf(String id, StreamStatus status) {
    Optional<Throwable> failure = calls.thrown(id, status);
    failure.ifPresent(own -> failureKnown.set(true));
    return failure;
  }

  /** {@return the Unix socket that the server listens on} */
  public Path socketPath() {
    return server.options().socketPath();
  }

  /** {@return the file that announces the server} */
  public Path serverInfoFile() {
    return server.options().serverInfoFile();
  }

  /** {@return the server itself, for instance to close it while datums are open} */
  public MapStreamServer server() {
    return server;
  }

  /**
   * {@return what a handler threw, if that has stopped the server} Does not wait; an interrupt flag
   * stays set.
   */
  public Optional<Throwable> failure() {
    try {
      server.awaitTermination(Duration.ZERO);
      return Optional.empty();
    } catch (InterruptedException e) { // The flag is now clear, so that the next try succeeds.
      try {
        return failure();
      } finally {
        Thread.currentThread().interrupt();
      }
    } catch (ExecutionException e) {
      return Optional.of(known(e));
    }
  }

  private Throwable known(ExecutionException stopped) {
    failureKnown.set(true);
    return Objects.requireNonNull(stopped.getCause());
  }

  /**
   * Waits until a handler's failure has stopped the server. An interruption ends the wait.
   *
   * @param limit how long to wait at most
   * @return what the handler threw
   * @throws InterruptedException if the thread was interrupted
   * @throws IllegalArgumentException if the limit is negative
   * @throws WaitTimeoutError if the server is still running, or was stopped by something else
   */
  public Throwable awaitFailure(Duration limit) throws InterruptedException {
    Arguments.notNegative("limit", limit);
    try {
      throw new WaitTimeoutError(
          server.awaitTermination(limit)
              ? "the server was stopped by something other than a handler's failure"
              : "waited " + Durations.text(limit) + " for a handler's failure to stop the server");
    } catch (ExecutionException e) {
      return known(e);
    }
  }

  /**
   * Closes the clients, which interrupts the handlers of open datums, stops the server, and removes
   * the temporary folder. Returns when all handlers that have begun have returned, or after a few
   * seconds if they ignore the interruption. Waits even if the calling thread is interrupted; its
   * interrupt flag stays set. A second call does nothing.
   *
   * @throws AssertionError if a handler's failure stopped the server and the test did not ask for
   *     it; the cause is what the handler threw
   * @throws ProtocolFaultError if the server violated the protocol and that was not thrown before
   */
  @Override
  public void close() {
    if (closed.getAndSet(true)) {
      return;
    }
    boolean wasKnown = failureKnown.get();
    boolean interrupted = Thread.interrupted();
    List<Throwable> failures = clients.close(MapStreamClient::close);
    boolean waits = true;
    while (waits) {
      server.close(); // Returns early if the thread is interrupted.
      try {
        calls.awaitReturn();
        waits = false;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    try {
      folder.delete();
    } catch (UncheckedIOException e) {
      failures.add(e);
    }
    Throwable thrown = failure().orElse(null);
    if (thrown != null && !wasKnown) {
      failures.add(
          new AssertionError("the handler failed: " + HandlerFailedException.text(thrown), thrown));
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    Opened.throwFirst(failures);
  }
}
