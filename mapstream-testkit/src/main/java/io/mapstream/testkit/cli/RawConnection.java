package io.mapstream.testkit.cli;

import com.google.protobuf.Empty;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.nio.NioIoHandler;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.util.concurrent.DefaultThreadFactory;
import io.mapstream.proto.map.v1.MapGrpc;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * A connection for streams that break rules on purpose, which {@code MapStreamClient} doesn't. The
 * only room of the commands that knows Netty; the JDK's Unix sockets are fast enough for a check.
 */
final class RawConnection implements AutoCloseable {

  /** The answer to IsReady that is yes. */
  static final String READY = "ready = true";

  private final Duration patience;
  private final EventLoopGroup loop =
      new MultiThreadIoEventLoopGroup(
          1, new DefaultThreadFactory("mapstream-check-io", true), NioIoHandler.newFactory());
  private final ManagedChannel channel;

  RawConnection(Path socketPath, Duration patience) {
    this.patience = patience;
    this.channel =
        NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(socketPath))
            .channelType(NioDomainSocketChannel.class)
            .eventLoopGroup(loop)
            .usePlaintext()
            .overrideAuthority("localhost")
            .disableRetry()
            .maxInboundMessageSize(64 * 1024 * 1024)
            .build();
  }

  /**
   * Asks for readiness until the answer is yes, or for too long.
   *
   * @return the last answer in words, {@link #READY} if it is yes
   */
  String awaitReady() throws InterruptedException {
    long start = System.nanoTime();
    String answer = askReady();
    while (!answer.equals(READY) && System.nanoTime() - start < patience.toNanos()) {
      // A server that starts can only be asked again.
      TimeUnit.MILLISECONDS.sleep(20);
      answer = askReady();
    }
    return answer;
  }

  private String askReady() {
    // gRPC would wait for a second before it connects again.
    channel.resetConnectBackoff();
    try {
      boolean ready =
          MapGrpc.newBlockingStub(channel)
              .withDeadlineAfter(patience.toNanos(), TimeUnit.NANOSECONDS)
              .isReady(Empty.getDefaultInstance())
              .getReady();
      return "ready = " + ready;
    } catch (StatusRuntimeException e) {
      Status status = e.getStatus();
      String cause = status.getCause() == null ? "" : " (" + status.getCause().getMessage() + ")";
      return status.getCode() + ": " + status.getDescription() + cause;
    }
  }

  /** A stream on which nothing was sent. */
  RawStream open() {
    return new RawStream(channel, patience);
  }

  /** A stream whose handshake was sent, and that reads all that comes. */
  RawStream openWithHandshake() {
    return open().reading().send(RawStream.handshake(true));
  }

  @Override
  public void close() {
    channel.shutdownNow();
    try {
      channel.awaitTermination(2, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
  }
}
