package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grpc.netty.shaded.io.netty.buffer.ByteBuf;
import io.grpc.netty.shaded.io.netty.buffer.Unpooled;
import io.grpc.netty.shaded.io.netty.channel.ChannelHandler;
import io.grpc.netty.shaded.io.netty.channel.embedded.EmbeddedChannel;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.Http2ConnectionHandlerBuilder;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.Http2EventAdapter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HeaderTableBoundTest {

  private static ByteBuf prefaceWith(long headerTableSize) {
    return Unpooled.buffer()
        .writeBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII))
        .writeMedium(6)
        .writeByte(4) // SETTINGS
        .writeByte(0)
        .writeInt(0)
        .writeShort(1) // SETTINGS_HEADER_TABLE_SIZE
        .writeInt((int) headerTableSize);
  }

  private static Http2ConnectionHandler http() {
    return new Http2ConnectionHandlerBuilder()
        .server(true)
        .frameListener(new Http2EventAdapter() {})
        .build();
  }

  private static long tableSize(long allowed, List<ChannelHandler> before) {
    Http2ConnectionHandler http = http();
    EmbeddedChannel channel =
        new EmbeddedChannel(
            Stream.concat(before.stream(), Stream.of(http)).toArray(ChannelHandler[]::new));
    channel.writeInbound(prefaceWith(allowed));
    long size =
        http.encoder().frameWriter().configuration().headersConfiguration().maxHeaderTableSize();
    channel.finishAndReleaseAll();
    return size;
  }

  /** The first row is a control: Netty without the bound. */
  @ParameterizedTest
  @CsvSource({
    "4294967295, false, 4294967295",
    "4294967295, true, 4096",
    "4096, true, 4096",
    "100, true, 100",
    "0, true, 0"
  })
  void theEncodersTableIsNoLargerThanTheDefault(long allowed, boolean bound, long expected) {
    assertEquals(expected, tableSize(allowed, bound ? List.of(new HeaderTableBound()) : List.of()));
  }
}
