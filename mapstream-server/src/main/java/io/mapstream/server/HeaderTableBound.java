package io.mapstream.server;

import io.grpc.netty.shaded.io.netty.channel.Channel;
import io.grpc.netty.shaded.io.netty.channel.ChannelHandlerContext;
import io.grpc.netty.shaded.io.netty.channel.ChannelInboundHandlerAdapter;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.Http2Exception;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.Http2HeadersEncoder;
import org.jspecify.annotations.Nullable;

/**
 * Limits the header table of a connection's encoder to HTTP/2's default size. A client may allow up
 * to 4 GiB (SETTINGS_HEADER_TABLE_SIZE), Netty's encoder uses what it is allowed, and gRPC has no
 * setting for it; a table smaller than allowed is always legal.
 */
final class HeaderTableBound extends ChannelInboundHandlerAdapter {

  /** In bytes; see RFC 9113, 6.5.2. */
  static final long LARGEST = 4096;

  private Http2HeadersEncoder.@Nullable Configuration encoder;

  /** Adds one to each connection that a server's channel accepts. */
  static final class Installer extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext context, Object connection) {
      ((Channel) connection).pipeline().addLast(new HeaderTableBound());
      context.fireChannelRead(connection);
    }
  }

  /** Checks the size after each read, since the client's settings may have arrived with it. */
  @Override
  public void channelRead(ChannelHandlerContext context, Object bytes) throws Http2Exception {
    context.fireChannelRead(bytes);
    if (encoder == null) {
      Http2ConnectionHandler http = context.pipeline().get(Http2ConnectionHandler.class);
      if (http == null) {
        return;
      }
      encoder = http.encoder().frameWriter().configuration().headersConfiguration();
    }
    if (encoder.maxHeaderTableSize() > LARGEST) {
      encoder.maxHeaderTableSize(LARGEST);
    }
  }
}
