package io.mapstream.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServerStreamTracer;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.ReflectiveChannelFactory;
import io.grpc.netty.shaded.io.netty.channel.ServerChannel;
import io.grpc.netty.shaded.io.netty.util.ResourceLeakDetector;
import io.grpc.netty.shaded.io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The server's Unix socket. Only this class, {@link InternalSocketKind}, {@link ReadSize} and
 * {@link HeaderTableBound} depend on Netty's transport.
 *
 * <p>One thread accepts connections, reads, writes and runs gRPC's callbacks: the event loop. The
 * data plane has one connection and one stream, so a second thread would have nothing to do, and
 * the state of all streams can belong to one thread.
 */
final class SocketTransport {

  /** How many of Linux's 108 bytes of {@code sun_path} the JDK allows; macOS has fewer. */
  private static final int LONGEST_PATH = 106;

  static final String NO_FOLDER =
      "the folder of socketPath does not exist; outside a pod, set MAPSTREAM_SOCKET_PATH or"
          + " socketPath of the builder";

  // Bits of a file's mode, see stat(2).
  private static final int FILE_TYPE = 0170000;
  private static final int SOCKET_TYPE = 0140000;

  private static final String LEAK_DETECTION = "io.grpc.netty.shaded.io.netty.leakDetection.level";

  private final Path path;
  private final InternalSocketKind kind;
  private final OwnFile file;
  private final EventLoopGroup loop;
  private final ReadSize readSize = new ReadSize();
  private @Nullable Server server;

  /**
   * Creates a transport that has opened nothing.
   *
   * @param onLoopEnd run when the event loop's thread ends, for whatever reason
   */
  SocketTransport(Path path, InternalSocketKind kind, Runnable onLoopEnd) {
    this.path = path;
    this.kind = kind;
    this.file = new OwnFile("socketPath", path);
    quietLeakDetector();
    this.loop = new MultiThreadIoEventLoopGroup(1, new LoopThreads(onLoopEnd), kind.ioHandler());
  }

  /** Creates a daemon thread: only the threads that wait for the server keep the process alive. */
  private static final class LoopThreads extends DefaultThreadFactory {
    private final Runnable onEnd;

    LoopThreads(Runnable onEnd) {
      super("mapstream-io", true);
      this.onEnd = onEnd;
    }

    @Override
    public Thread newThread(Runnable loop) {
      return super.newThread(() -> {
        try {
          loop.run();
        } finally {
          onEnd.run();
        }
      });
    }
  }

  /**
   * Turns off the sampling of buffers for leaks, which takes a stack trace for each sample, unless
   * the process asks for it. It detects faults in gRPC and Netty, and none of their buffers leave
   * them here.
   */
  private static void quietLeakDetector() {
    if (System.getProperty(LEAK_DETECTION) == null
        && ResourceLeakDetector.getLevel() == ResourceLeakDetector.Level.SIMPLE) {
      ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.DISABLED);
    }
  }

  /** Returns the event loop, which runs actions on the thread that runs gRPC's callbacks. */
  Executor loop() {
    return loop.next();
  }

  InternalSocketKind kind() {
    return kind;
  }

  /** Adapts the size of reads to the size of a request. Event loop only. */
  void sizeReads(int requestBytes) {
    readSize.follow(requestBytes);
  }

  /**
   * Accepts connections from now on. The socket is created under another name and moved, so that it
   * is at its path only when it accepts. Netty, which deletes the file with the socket's first name
   * when it closes, therefore leaves the file at the path to {@link #remove}.
   *
   * @throws IOException if the socket can't be created
   */
  void listen(
      ServerServiceDefinition service, ServerStreamTracer.Factory inbound, int maxMessageSize)
      throws IOException {
    Path firstName = file.temporary();
    Server listening =
        NettyServerBuilder.forAddress(kind.address(firstName))
            .channelFactory(this::channel)
            .bossEventLoopGroup(loop)
            .workerEventLoopGroup(loop)
            .directExecutor()
            .flowControlWindow(Tuning.RECEIVE_WINDOW)
            // gRPC sets this option, and Netty warns on each connection that a Unix socket has no
            // such option.
            .withChildOption(ChannelOption.SO_KEEPALIVE, null)
            .withChildOption(ChannelOption.RECVBUF_ALLOCATOR, readSize)
            .maxInboundMessageSize(hardLimit(maxMessageSize))
            .addStreamTracerFactory(new TransportStatus.Factory())
            // The kernel reports a peer that is gone; a timer would be set at each wait.
            .keepAliveTime(Long.MAX_VALUE, TimeUnit.NANOSECONDS)
            .permitKeepAliveWithoutCalls(true)
            .permitKeepAliveTime(0, TimeUnit.NANOSECONDS)
            .addStreamTracerFactory(inbound)
            .addService(service)
            .build();
    try {
      listening.start();
      server = listening;
      file.rename(firstName);
    } catch (IOException e) {
      throw file.failure("can't be created", e);
    }
  }

  private ServerChannel channel() {
    ServerChannel channel = new ReflectiveChannelFactory<>(kind.serverChannel()).newChannel();
    channel.pipeline().addFirst(new HeaderTableBound.Installer());
    return channel;
  }

  /**
   * Returns the limit for gRPC. gRPC resets a stream whose message exceeds it, without a status, so
   * it is higher than the server's: {@link WireMapping} refuses messages between the two. It is no
   * higher than what may have arrived unrequested before the size is checked.
   */
  private static int hardLimit(int maxMessageSize) {
    return (int) Math.min((long) maxMessageSize + Tuning.RECEIVE_WINDOW, Integer.MAX_VALUE);
  }

  /**
   * Removes the socket of a process that no longer exists; refuses to touch anything else.
   *
   * @throws BindException if a live server uses the path, something other than a socket is there,
   *     or the path is too long
   * @throws IOException if its folder does not exist, or the old socket can't be removed
   */
  void makeWay() throws IOException {
    if (length(path) > LONGEST_PATH || length(file.temporary()) > LONGEST_PATH) {
      throw new BindException(
          "socketPath is longer than "
              + LONGEST_PATH
              + " bytes, the limit for a Unix socket: "
              + path);
    }
    file.realPath(NO_FOLDER);
    if (!file.exists()) {
      return;
    }
    if (!isSocket()) {
      throw new BindException("socketPath exists and is not a socket; it was not changed: " + path);
    }
    if (answers()) {
      throw new BindException("a live server answers on socketPath " + path);
    }
    file.removeStale();
  }

  private static int length(Path path) {
    return path.toString().getBytes(UTF_8).length;
  }

  private boolean isSocket() throws IOException {
    if (!path.getFileSystem().supportedFileAttributeViews().contains("unix")) {
      return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
          .isOther();
    }
    int mode = (int) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
    return (mode & FILE_TYPE) == SOCKET_TYPE;
  }

  /**
   * Returns whether a server listens. Only a refused connection means that none does: a server
   * whose queue is full, or to which this user may not connect, is alive.
   */
  private boolean answers() {
    try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      probe.configureBlocking(false);
      probe.connect(UnixDomainSocketAddress.of(path));
      return true;
    } catch (ConnectException e) {
      return false;
    } catch (IOException e) {
      return true;
    }
  }

  /** Stops accepting connections and streams; open ones continue. */
  void stopAccepting(Duration limit) throws InterruptedException, IOException {
    if (server != null) {
      shutDown(server, limit);
    }
    remove();
  }

  /**
   * Shuts down on another thread, since gRPC waits for the event loop without a limit, and
   * something may block the loop.
   */
  private static void shutDown(Server server, Duration limit) throws InterruptedException {
    Thread shutdown = PlatformThread.start("mapstream-shutdown", server::shutdown);
    shutdown.join(limit);
  }

  /** Removes the socket file if it is this server's. */
  void remove() throws IOException {
    file.remove();
  }

  /**
   * Closes what is still open, including the event loop, and removes the socket file if it is this
   * server's.
   */
  void close(Duration limit) throws InterruptedException, IOException {
    if (server != null) {
      if (!server.isShutdown()) {
        shutDown(server, limit);
      }
      if (!server.awaitTermination(limit.toNanos(), TimeUnit.NANOSECONDS)) {
        server.shutdownNow();
        server.awaitTermination(limit.toNanos(), TimeUnit.NANOSECONDS);
      }
    }
    loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).await(2, TimeUnit.SECONDS);
    remove();
  }
}
