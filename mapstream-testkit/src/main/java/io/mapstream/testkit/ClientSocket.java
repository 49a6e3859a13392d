package io.mapstream.testkit;

import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.util.concurrent.DefaultThreadFactory;
import io.mapstream.server.InternalSocketKind;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;

/** The client's end of a Unix socket; the only class here that knows Netty. */
final class ClientSocket {

  private final EventLoopGroup loop;
  private final ManagedChannel channel;

  ClientSocket(Path path, InternalSocketKind kind, int maxMessageSize, OptionalInt window) {
    loop =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("mapstream-client-io", true), kind.ioHandler());
    NettyChannelBuilder builder =
        NettyChannelBuilder.forAddress(kind.address(path))
            .channelType(kind.clientChannel())
            .eventLoopGroup(loop)
            .usePlaintext()
            // The authority that gRPC derives from a path would be none.
            .overrideAuthority("localhost")
            // A retry of gRPC's own would hide a broken stream, and keeps what was sent.
            .disableRetry()
            // gRPC sets it for TCP, and Netty would warn of it.
            .withOption(ChannelOption.SO_KEEPALIVE, null)
            .maxInboundMessageSize(maxMessageSize);
    window.ifPresent(builder::flowControlWindow);
    channel = builder.build();
  }

  /** Connects at the first call, and again when the connection is gone. */
  ManagedChannel channel() {
    return channel;
  }

  /** Cuts the connection. Returns when that is done, or after some seconds. */
  void close() {
    channel.shutdownNow();
    try {
      channel.awaitTermination(2, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
  }
}
