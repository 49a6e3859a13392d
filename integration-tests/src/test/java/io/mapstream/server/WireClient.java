package io.mapstream.server;

import com.google.protobuf.Empty;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import io.grpc.netty.shaded.io.netty.util.concurrent.DefaultThreadFactory;
import io.mapstream.proto.map.v1.MapGrpc;
import io.mapstream.server.hostile.Await;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/** One gRPC connection over a Unix socket, on the generated stubs. */
final class WireClient implements AutoCloseable {

  private static final EventLoopGroup LOOP =
      new MultiThreadIoEventLoopGroup(
          1, new DefaultThreadFactory("test-client", true), EpollIoHandler.newFactory());

  private final ManagedChannel channel;

  WireClient(Path socket) {
    channel =
        NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
            .channelType(EpollDomainSocketChannel.class)
            .eventLoopGroup(LOOP)
            .directExecutor()
            .overrideAuthority("localhost")
            .maxInboundMessageSize(Integer.MAX_VALUE)
            .usePlaintext()
            .build();
  }

  /** A {@code MapFn} stream that reads whatever comes. */
  Call open() {
    return Call.open(stub(), Integer.MAX_VALUE);
  }

  /** A stream that reads {@code responses}, and more only by {@link Call#request}. */
  Call openReading(int responses) {
    return Call.open(stub(), responses);
  }

  /** A stream that compresses what it sends. */
  Call openCompressed(String compression) {
    return Call.open(stub().withCompression(compression), Integer.MAX_VALUE);
  }

  private MapGrpc.MapStub stub() {
    return MapGrpc.newStub(channel);
  }

  boolean isReady() {
    return MapGrpc.newBlockingStub(channel)
        .withDeadlineAfter(Waits.LIMIT.toSeconds(), TimeUnit.SECONDS)
        .isReady(Empty.getDefaultInstance())
        .getReady();
  }

  /** Asks for readiness until that is refused, as it is once a stop has begun. */
  Status awaitRefusal() {
    AtomicReference<Status> refused = new AtomicReference<>();
    Await.until(
        "a refusal",
        () -> {
          try {
            return !isReady();
          } catch (StatusRuntimeException e) {
            refused.set(e.getStatus());
            return true;
          }
        },
        () -> "the server says that it is ready");
    return Objects.requireNonNull(refused.get(), "ready = false");
  }

  ManagedChannel channel() {
    return channel;
  }

  CallOptions limited() {
    return CallOptions.DEFAULT.withDeadlineAfter(Waits.LIMIT.toSeconds(), TimeUnit.SECONDS);
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }
}
