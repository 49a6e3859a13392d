package io.mapstream.testkit;

import io.mapstream.Datum;
import io.mapstream.proto.map.v1.MapResponse;
import io.mapstream.server.InternalSocketKind;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Calls a running map-stream function over its Unix socket, as Numaflow's data plane does: it
 * checks the server info and the readiness, and then sends a handshake and datums with ids. The
 * function may be written with any SDK.
 *
 * {@snippet :
 * try (MapStreamClient client = MapStreamClient.connect(socket)) {
 *   Reply reply = client.send(datum);
 *   Message first = reply.next(); // as soon as it arrives
 *   Messages others = reply.remaining(); // up to the EOT
 * }
 * }
 *
 * <p>Any number of datums can be open at once: {@link #send} does not wait for results. A client
 * opens its first stream when it is needed; {@link #openStream()} opens more, and {@link #redrive}
 * sends the unanswered datums of a broken stream again, as the platform does.
 *
 * <p>All methods may be called from any thread. Every wait has a time limit.
 */
public final class MapStreamClient implements AutoCloseable {

  private final Path socketPath;
  private final Duration timeout;
  private final ClientSocket socket;
  private final @Nullable ServerInfo serverInfo;
  private final BiFunction<String, StreamStatus, Optional<Throwable>> failures;

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
   * Connects to the server on a socket, which need not exist yet: waits until the server reports
   * that it is ready, for at most 30 seconds. An interruption ends the wait.
   *
   * @param socketPath the Unix socket
   * @return a connected client
   * @throws InterruptedException if the thread was interrupted
   * @throws WaitTimeoutError if no server was ready in time
   */
  public static MapStreamClient connect(Path socketPath) throws InterruptedException {
    return builder(socketPath).connect();
  }

  /**
   * {@return a client builder with the default settings}
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
   * @return OK if it is ready; otherwise the status of the call, or {@code UNAVAILABLE} if the
   *     server answered {@code ready = false} or this client is closed
   * @throws InterruptedException if the thread was interrupted
   */
  public StreamStatus readiness() throws InterruptedException {
    return socket.readiness(timeout);
  }

  /** {@return the content of the server info file, if the client was set up to read it} */
  public Optional<ServerInfo> serverInfo() {
    return Optional.ofNullable(serverInfo);
  }

  /** {@return the Unix socket} */
  public Path socketPath() {
    return socketPath;
  }

  /**
   * Returns the client's first stream. The first call opens it and waits for the handshake.
   *
   * @return the stream; always the same one, even if it has ended
   * @throws InterruptedException if the thread was interrupted
   * @throws WaitTimeoutError if the handshake wasn't answered in time
   * @throws StreamBrokenException if the server ended the stream
   * @throws ProtocolFaultError if the server answered with something else
   * @throws IllegalStateException if the client is closed
   */
  public ClientStream stream() throws InterruptedException {
    return streams.first(this::openStream);
  }

  /**
   * Opens another stream. Waits and fails as {@link #stream()} does.
   *
   * @return a stream that reads responses as they arrive
   * @throws InterruptedException if the thread was interrupted
   */
  public ClientStream openStream() throws InterruptedException {
    return open(true);
  }

  /**
   * Opens a stream like {@link #openStream()} that reads only the handshake until {@link
   * ClientStream#read} or {@link ClientStream#resumeReading} is called.
   *
   * @return a stream whose reading is paused
   * @throws InterruptedException if the thread was interrupted
   */
  public ClientStream openPausedStream() throws InterruptedException {
    return open(false);
  }

  /**
   * Opens a stream for testing servers, which sends and reads nothing automatically. Does not wait.
   * {@link #close()} ends it.
   *
   * @return a stream without a handshake; the caller closes it
   * @throws IllegalStateException if the client is closed
   */
  public RawStream openRawStream() {
    streams.verifyOpen();
    return new RawStream(socket.channel(), timeout, null);
  }

  /**
   * {@return a stream like {@link #openRawStream()} that passes responses on instead of keeping
   * them}
   *
   * @param receiver called with each response, one at a time and without a lock, on one of gRPC's
   *     threads; while it blocks, this stream receives nothing. An exception that it throws cancels
   *     the stream.
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
   * @param datum the datum to send
   * @return the reply that receives its results
   * @throws InterruptedException if the thread was interrupted; the datum was not sent
   */
  public Reply send(Datum datum) throws InterruptedException {
    return stream().send(datum);
  }

  /**
   * Sends a datum under a given id on the {@linkplain #stream() first stream}. Waits and fails as
   * that method and {@link ClientStream#send(String, Datum)} do.
   *
   * @param id any text that is not empty; reuse an earlier one for a retry
   * @param datum the datum to send
   * @return the reply that receives its results
   * @throws InterruptedException if the thread was interrupted; the datum was not sent
   */
  public Reply send(String id, Datum datum) throws InterruptedException {
    return stream().send(id, datum);
  }

  /**
   * Does what the platform does after a broken stream: waits until the server is ready again, opens
   * a stream, and sends all datums without an EOT again, with the same ids and in the same order;
   * several with the same id are all sent. The server repeats results that had already arrived.
   *
   * @param broken a stream that has ended
   * @return the replies that receive the results now, all on one new stream; empty if nothing was
   *     unanswered
   * @throws InterruptedException if the thread was interrupted
   * @throws WaitTimeoutError if the server was not ready or did not accept a datum in time
   * @throws StreamBrokenException if the new stream also breaks
   * @throws ProtocolFaultError if the server violated the protocol
   * @throws IllegalArgumentException if the stream has not ended
   * @throws IllegalStateException if the client is closed
   */
  public List<Reply> redrive(ClientStream broken) throws InterruptedException {
    if (!Objects.requireNonNull(broken, "broken").hasEnded()) {
      throw new IllegalArgumentException("only a stream that has ended can be redriven: " + broken);
    }
    streams.verifyOpen();
    List<SentDatums.Sent> unanswered = broken.allUnanswered();
    if (unanswered.isEmpty()) {
      return List.of();
    }
    socket.awaitReady(Deadline.in(timeout));
    ClientStream fresh = openStream();
    List<Reply> replies = new ArrayList<>();
    for (SentDatums.Sent sent : unanswered) {
      replies.add(fresh.send(sent.id(), sent.datum()));
    }
    return List.copyOf(replies);
  }

  /**
   * Ends all streams, raw ones too, and closes the connection. Waits for that, for up to about 4
   * seconds. An interruption shortens the wait; the interrupt flag stays set. A second call does
   * nothing.
   *
   * @throws ProtocolFaultError if the server violated the protocol and that was not thrown before
   */
  @Override
  public void close() {
    List<Throwable> faults = streams.close(ClientStream::close);
    socket.close();
    Opened.throwFirst(faults);
  }

  /** Collects the settings of a client. Not thread-safe. */
  public static final class Builder {

    private final Path socketPath;
    private @Nullable Path serverInfoFile;
    private Duration timeout = Duration.ofSeconds(30);
    private int maxMessageSize = 64 * 1024 * 1024;
    private InternalSocketKind kind = InternalSocketKind.best();
    private BiFunction<String, StreamStatus, Optional<Throwable>> failures =
        (id, status) -> Optional.empty();

    private Builder(Path socketPath) {
      this.socketPath = socketPath;
    }

    /**
     * Makes the client first wait for the server info file, read it, and check it as the platform
     * does.
     *
     * @param file the path; no file is read unless this is set
     * @return this builder
     */
    public Builder serverInfoFile(Path file) {
      this.serverInfoFile = Objects.requireNonNull(file, "file");
      return this;
    }

    /**
     * Limits how long to wait for the server to be ready, for the echo of a handshake, for the
     * server to accept a datum, and for a {@link Reply} unless its method is given another limit.
     *
     * @param timeout more than zero; 30 seconds unless set
     * @return this builder
     * @throws IllegalArgumentException if it is zero or negative
     */
    public Builder timeout(Duration timeout) {
      this.timeout = Arguments.positive("timeout", timeout);
      return this;
    }

    /**
     * Sets the largest response that is accepted; a larger one ends the stream with
     * RESOURCE_EXHAUSTED.
     *
     * @param bytes encoded; 64 MiB unless set, as in the data plane
     * @return this builder
     * @throws IllegalArgumentException if it is less than 1
     */
    public Builder maxMessageSize(int bytes) {
      this.maxMessageSize = Arguments.atLeastOne("maxMessageSize", bytes);
      return this;
    }

    /** Sets the lookup for what the handler of an id threw, if it runs in this process. */
    Builder failures(BiFunction<String, StreamStatus, Optional<Throwable>> failures) {
      this.failures = failures;
      return this;
    }

    Builder kind(InternalSocketKind kind) {
      this.kind = kind;
      return this;
    }

    /**
     * Connects: waits for the server info file if one is set, then until the server reports that it
     * is ready. An interruption ends the wait.
     *
     * @return a connected client
     * @throws InterruptedException if the thread was interrupted
     * @throws WaitTimeoutError if the file did not appear or the server was not ready in time
     * @throws ProtocolFaultError if the platform would refuse the content of the file
     */
    public MapStreamClient connect() throws InterruptedException {
      Deadline deadline = Deadline.in(timeout);
      ServerInfo info = serverInfoFile == null ? null : ServerInfo.await(serverInfoFile, deadline);
      ClientSocket socket = new ClientSocket(socketPath, kind, maxMessageSize);
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
