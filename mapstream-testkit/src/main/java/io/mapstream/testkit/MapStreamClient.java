package io.mapstream.testkit;

import io.mapstream.Datum;
import io.mapstream.proto.map.v1.MapResponse;
import io.mapstream.server.InternalSocketKind;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Calls a running map-stream function as Numaflow's data plane does: over its Unix socket, after
 * its server info and its readiness, first a handshake and then datums under ids. The function may
 * be written with any SDK.
 *
 * {@snippet :
 * try (MapStreamClient client = MapStreamClient.connect(socket)) {
 *   Reply reply = client.send(datum);
 *   Message first = reply.next(); // as soon as it is here
 *   Messages others = reply.remaining(); // up to the EOT
 * }
 * }
 *
 * <p>Any number of datums can be open at once: {@link #send} does not wait for results. A client
 * has one stream at first, made when it is needed; {@link #openStream()} makes more, and {@link
 * #redrive} sends again what a broken one left unanswered, as the platform does.
 *
 * <p>All methods may be called from any thread. Every wait has a limit.
 */
public final class MapStreamClient implements AutoCloseable {

  private final Path socketPath;
  private final Duration timeout;
  private final ClientSocket socket;
  private final @Nullable ServerInfo serverInfo;
  private final Function<String, Optional<Throwable>> failures;

  private final Opened<ClientStream> streams = new Opened<>("the client");
  private final AtomicInteger opened = new AtomicInteger();

  private MapStreamClient(Builder builder, ClientSocket socket, @Nullable ServerInfo serverInfo) {
    this.socketPath = builder.socketPath;
    this.timeout = builder.timeout;
    this.failures = builder.failures;
    this.socket = socket;
    this.serverInfo = serverInfo;
  }

  /**
   * Connects to the server on a socket, which need not be there yet: waits until the server says
   * that it is ready, for at most 30 seconds. An interruption ends the wait.
   *
   * @param socketPath the Unix socket
   * @return a client that is connected
   * @throws InterruptedException if the thread was interrupted
   * @throws WaitTimeoutError if no server was ready in time
   */
  public static MapStreamClient connect(Path socketPath) throws InterruptedException {
    return builder(socketPath).connect();
  }

  /**
   * {@return a builder of a client, with nothing set}
   *
   * @param socketPath the Unix socket
   */
  public static Builder builder(Path socketPath) {
    return new Builder(Objects.requireNonNull(socketPath, "socketPath"));
  }

  /**
   * Asks the server once whether it is ready, and waits for the answer for at most five seconds. An
   * interruption ends the wait.
   *
   * @return OK if it is ready, otherwise why not: the status of the call, or {@code UNAVAILABLE}
   *     with the server's {@code ready = false}
   * @throws InterruptedException if the thread was interrupted
   */
  public StreamStatus readiness() throws InterruptedException {
    return socket.readiness();
  }

  /** {@return what the server info file said, if the client was told to read it} */
  public Optional<ServerInfo> serverInfo() {
    return Optional.ofNullable(serverInfo);
  }

  /** {@return the Unix socket} */
  public Path socketPath() {
    return socketPath;
  }

  /**
   * The client's first stream; opened by the first call, which waits for the handshake.
   *
   * @return the stream, always the same one, whether or not it has ended
   * @throws InterruptedException if the thread was interrupted
   * @throws WaitTimeoutError if the handshake wasn't answered in time
   * @throws StreamBrokenException if the server ended the stream
   * @throws ProtocolFaultError if it answered with something else
   * @throws IllegalStateException if the client is closed
   */
  public ClientStream stream() throws InterruptedException {
    return streams.first(this::openStream);
  }

  /**
   * Opens a stream beside those that are there. Waits and fails as {@link #stream()} does.
   *
   * @return a stream that reads as responses come
   * @throws InterruptedException if the thread was interrupted
   */
  public ClientStream openStream() throws InterruptedException {
    return open(true);
  }

  /**
   * Opens a stream that reads nothing but the handshake until it is told to, by {@link
   * ClientStream#read} or {@link ClientStream#resumeReading}. Else like {@link #openStream()}.
   *
   * @return a stream whose reading is paused
   * @throws InterruptedException if the thread was interrupted
   */
  public ClientStream openPausedStream() throws InterruptedException {
    return open(false);
  }

  /**
   * Opens a stream for a test of a server, on which nothing is sent or read by itself.
   *
   * @return a stream without a handshake; the caller closes it
   * @throws IllegalStateException if the client is closed
   */
  public RawStream openRawStream() {
    streams.verifyOpen();
    return new RawStream(socket.channel(), timeout, null);
  }

  /**
   * Opens a stream like {@link #openRawStream()} that keeps no responses.
   *
   * @param receiver called with each response, one at a time and without a lock, on the client's
   *     event loop: it must not wait
   * @return a stream without a handshake; the caller closes it
   * @throws IllegalStateException if the client is closed
   */
  public RawStream openRawStream(Consumer<MapResponse> receiver) {
    streams.verifyOpen();
    return new RawStream(socket.channel(), timeout, Objects.requireNonNull(receiver, "receiver"));
  }

  private ClientStream open(boolean reading) throws InterruptedException {
    String name = "stream " + opened.incrementAndGet() + " on " + socketPath;
    ClientStream stream = new ClientStream(socket.channel(), name, reading, timeout, failures);
    streams.removeIf(ClientStream::isForgettable);
    streams.add(stream);
    try {
      stream.open();
      return stream;
    } catch (InterruptedException | RuntimeException | AssertionError e) {
      stream.cancel();
      throw e;
    }
  }

  /**
   * Sends a datum on the {@linkplain #stream() first stream}. Waits and fails as that method and
   * {@link ClientStream#send(Datum)} do.
   *
   * @param datum what to send
   * @return where its results arrive
   * @throws InterruptedException if the thread was interrupted; the datum was not sent
   * @throws IllegalStateException if the client is closed, or the stream was half-closed
   */
  public Reply send(Datum datum) throws InterruptedException {
    return stream().send(datum);
  }

  /**
   * Sends a datum under a given id on the {@linkplain #stream() first stream}. Waits and fails as
   * that method and {@link ClientStream#send(String, Datum)} do.
   *
   * @param id any text but the empty one; one that was used before for a retry
   * @param datum what to send
   * @return where its results arrive
   * @throws InterruptedException if the thread was interrupted; the datum was not sent
   * @throws IllegalStateException if the client is closed, or the stream was half-closed
   * @throws IllegalArgumentException if the id is empty
   */
  public Reply send(String id, Datum datum) throws InterruptedException {
    return stream().send(id, datum);
  }

  /**
   * Does what the platform does after a broken stream: waits until the server is ready again, opens
   * a stream, and sends all datums without an EOT again, under the same ids and in the same order.
   * Results that had arrived before are repeated by the server.
   *
   * @param broken a stream that has ended
   * @return where the results arrive now, on a stream of their own; empty if nothing was unanswered
   * @throws InterruptedException if the thread was interrupted
   * @throws WaitTimeoutError if the server wasn't ready, or took nothing, for too long
   * @throws StreamBrokenException if the new stream has broken, too
   * @throws ProtocolFaultError if the server has broken the protocol
   * @throws IllegalArgumentException if the stream has not ended
   * @throws IllegalStateException if the client is closed
   */
  public List<Reply> redrive(ClientStream broken) throws InterruptedException {
    if (!broken.hasEnded()) {
      throw new IllegalArgumentException("only a stream that has ended is redriven: " + broken);
    }
    streams.verifyOpen();
    Map<String, Datum> unanswered = broken.unanswered();
    if (unanswered.isEmpty()) {
      return List.of();
    }
    socket.awaitReady(Deadline.in(timeout));
    ClientStream fresh = openStream();
    List<Reply> replies = new ArrayList<>();
    for (Map.Entry<String, Datum> sent : unanswered.entrySet()) {
      replies.add(fresh.send(sent.getKey(), sent.getValue()));
    }
    return List.copyOf(replies);
  }

  /**
   * Cancels all streams and cuts the connection. Does nothing the second time.
   *
   * @throws ProtocolFaultError if the server has broken the protocol and nothing has thrown that
   *     yet
   */
  @Override
  public void close() {
    List<Throwable> faults = streams.close(ClientStream::close);
    socket.close();
    Opened.throwFirst(faults);
  }

  /** Collects the settings of a client. Not safe for use by several threads. */
  public static final class Builder {

    private final Path socketPath;
    private @Nullable Path serverInfoFile;
    private Duration timeout = Duration.ofSeconds(30);
    private int maxMessageSize = 64 * 1024 * 1024;
    private OptionalInt window = OptionalInt.empty();
    private InternalSocketKind kind = InternalSocketKind.best();
    private Function<String, Optional<Throwable>> failures = id -> Optional.empty();

    private Builder(Path socketPath) {
      this.socketPath = socketPath;
    }

    /**
     * Has the client wait for the server info file before anything else, read it, and check it as
     * the platform does.
     *
     * @param file the path; not read unless this is set
     * @return this builder
     */
    public Builder serverInfoFile(Path file) {
      this.serverInfoFile = Objects.requireNonNull(file, "file");
      return this;
    }

    /**
     * Limits how long to wait for the server to be there and ready, for the echo of a handshake,
     * for a datum to be taken, and for a {@link Reply} where its call is given no other limit.
     *
     * @param limit 30 seconds unless set
     * @return this builder
     * @throws IllegalArgumentException if it is negative
     */
    public Builder timeout(Duration limit) {
      this.timeout = Deadline.notNegative("timeout", limit);
      return this;
    }

    /**
     * Sets the largest response that is taken; a larger one breaks the stream with
     * RESOURCE_EXHAUSTED.
     *
     * @param bytes encoded; 64 MiB unless set, as in the data plane
     * @return this builder
     * @throws IllegalArgumentException if it is less than 1
     */
    public Builder maxMessageSize(int bytes) {
      if (bytes < 1) {
        throw new IllegalArgumentException("maxMessageSize must be at least 1 but was " + bytes);
      }
      this.maxMessageSize = bytes;
      return this;
    }

    /**
     * Sets how many bytes the server may send ahead of what is read. With a small window a handler
     * blocks early in {@code emit} when the client is slow, with a large one late.
     *
     * @param bytes HTTP/2's window per stream; 1 MiB at first unless set, and more as gRPC finds
     *     fit
     * @return this builder
     * @throws IllegalArgumentException if it is less than 1
     */
    public Builder flowControlWindow(int bytes) {
      if (bytes < 1) {
        throw new IllegalArgumentException("flowControlWindow must be at least 1 but was " + bytes);
      }
      this.window = OptionalInt.of(bytes);
      return this;
    }

    /** Tells what the handler of an id has thrown, where it runs in this process. */
    Builder failures(Function<String, Optional<Throwable>> failures) {
      this.failures = failures;
      return this;
    }

    Builder kind(InternalSocketKind kind) {
      this.kind = kind;
      return this;
    }

    /**
     * Connects: waits for the server info file if that is set, then until the server says that it
     * is ready. An interruption ends the wait.
     *
     * @return a client that is connected
     * @throws InterruptedException if the thread was interrupted
     * @throws WaitTimeoutError if the file or a ready server wasn't there in time
     * @throws ProtocolFaultError if the platform would refuse what the file says
     */
    public MapStreamClient connect() throws InterruptedException {
      Deadline deadline = Deadline.in(timeout);
      ServerInfo info = serverInfoFile == null ? null : ServerInfo.await(serverInfoFile, deadline);
      ClientSocket socket = new ClientSocket(socketPath, kind, maxMessageSize, window);
      MapStreamClient client = new MapStreamClient(this, socket, info);
      try {
        socket.awaitReady(deadline);
        return client;
      } catch (InterruptedException | RuntimeException | AssertionError e) {
        client.close();
        throw e;
      }
    }
  }
}
