package io.mapstream.server;

import io.grpc.netty.shaded.io.netty.channel.Channel;
import io.grpc.netty.shaded.io.netty.channel.IoHandlerFactory;
import io.grpc.netty.shaded.io.netty.channel.ServerChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.Epoll;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.nio.NioIoHandler;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;

/**
 * The kinds of Unix socket, for the server and for the test kit's client. Internal: not part of the
 * API, and may change in any release.
 */
public enum InternalSocketKind {
  /** Linux's native transport. */
  EPOLL {
    @Override
    public IoHandlerFactory ioHandler() {
      return EpollIoHandler.newFactory();
    }

    @Override
    public SocketAddress address(Path path) {
      return new DomainSocketAddress(path.toFile());
    }

    @Override
    public Class<? extends ServerChannel> serverChannel() {
      return EpollServerDomainSocketChannel.class;
    }

    @Override
    public Class<? extends Channel> clientChannel() {
      return EpollDomainSocketChannel.class;
    }
  },

  /** The JDK's Unix sockets. */
  JDK {
    @Override
    public IoHandlerFactory ioHandler() {
      return NioIoHandler.newFactory();
    }

    @Override
    public SocketAddress address(Path path) {
      return UnixDomainSocketAddress.of(path);
    }

    @Override
    public Class<? extends ServerChannel> serverChannel() {
      return NioServerDomainSocketChannel.class;
    }

    @Override
    public Class<? extends Channel> clientChannel() {
      return NioDomainSocketChannel.class;
    }
  };

  /** {@return the native kind if the platform has it, otherwise the JDK's} */
  public static InternalSocketKind best() {
    return Epoll.isAvailable() ? EPOLL : JDK;
  }

  /** {@return the I/O handler factory for an event loop of this kind} */
  public abstract IoHandlerFactory ioHandler();

  /**
   * Returns the address of a socket.
   *
   * @param path the socket's path
   * @return its address for this kind
   */
  public abstract SocketAddress address(Path path);

  /** {@return the channel class of a server} */
  public abstract Class<? extends ServerChannel> serverChannel();

  /** {@return the channel class of a client} */
  public abstract Class<? extends Channel> clientChannel();
}
