package io.mapstream.testkit;

import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.Channel;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.IoHandlerFactory;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.Epoll;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.nio.NioIoHandler;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import io.grpc.netty.shaded.io.netty.util.concurrent.DefaultThreadFactory;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;

/**
 * The client's end of a Unix socket: the only room here that knows Netty. Native epoll where the
 * platform has it, the JDK's Unix sockets elsewhere, as the server has it.
 */
final class ClientSocket {

  /** The kinds of Unix socket. */
  enum Kind {
    EPOLL {
      @Override
      IoHandlerFactory ioHandler() {
        return EpollIoHandler.newFactory();
      }

      @Override
      Class<? extends Channel> channel() {
        return EpollDomainSocketChannel.class;
      }

      @Override
      SocketAddress address(Path path) {
        return new DomainSocketAddress(path.toFile());
      }
    },
    JDK {
      @Override
      IoHandlerFactory ioHandler() {
        return NioIoHandler.newFactory();
      }

      @Override
      Class<? extends Channel> channel() {
        return NioDomainSocketChannel.class;
      }

      @Override
      SocketAddress address(Path path) {
        return UnixDomainSocketAddress.of(path);
      }
    };

    abstract IoHandlerFactory ioHandler();

    abstract Class<? extends Channel> channel();

    abstract SocketAddress address(Path path);

    static Kind best() {
      return Epoll.isAvailable() ? EPOLL : JDK;
    }
  }

  private final EventLoopGroup loop;
  private final ManagedChannel channel;

  ClientSocket(Path path, Kind kind, int maxMessageSize, OptionalInt window) {
    loop =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("mapstream-client-io", true), kind.ioHandler());
    NettyChannelBuilder builder =
        NettyChannelBuilder.forAddress(kind.address(path))
            .channelType(kind.channel())
            .eventLoopGroup(loop)
            .usePlaintext()
            // What gRPC derives from a path is no authority.
            .overrideAuthority("localhost")
            // A retry of gRPC's own would hide a broken stream, and keeps what was sent.
            .disableRetry()
            // gRPC sets it for TCP, and Netty would warn of it.
            .withOption(ChannelOption.SO_KEEPALIVE, null)
            .maxInboundMessageSize(maxMessageSize);
    window.ifPresent(builder::flowControlWindow);
    channel = builder.build();
  }

  /** What calls are made on; connects at the first, and again when the connection is gone. */
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
