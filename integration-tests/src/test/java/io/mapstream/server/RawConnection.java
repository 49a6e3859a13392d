package io.mapstream.server;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.grpc.Status;
import io.mapstream.proto.Codec;
import io.mapstream.proto.map.v1.MapRequest;
import io.mapstream.proto.map.v1.MapResponse;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Flags;
import io.netty.handler.codec.http2.Http2FrameTypes;
import io.netty.handler.codec.http2.Http2Headers;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.zip.GZIPOutputStream;

/**
 * One HTTP/2 connection, byte by byte: it sends only what a test asks for, answers no settings or
 * pings, and opens no window. What it receives is parsed and kept. For one thread only.
 */
final class RawConnection implements AutoCloseable {

  static final short INITIAL_WINDOW_SIZE = 4;

  /** The first five bytes of a gRPC message are a flag and its length. */
  static final int MESSAGE_PREFIX = 5;

  private static final int FRAME_HEADER = 9;
  private static final int LARGEST_FRAME = 16 * 1024;
  private static final int LONGEST_MESSAGE = 2000;

  /** What a stream has received. */
  static final class Received {
    final List<Http2Headers> headers = new ArrayList<>();
    final List<MapResponse> responses = new ArrayList<>();
    private ByteBuffer partial = ByteBuffer.allocate(0);
    long bytes;
    boolean ended;
    Http2Error reset;

    private void data(byte[] payload) {
      bytes += payload.length;
      ByteBuffer all = ByteBuffer.allocate(partial.remaining() + payload.length);
      all.put(partial).put(payload).flip();
      while (all.remaining() >= MESSAGE_PREFIX) {
        int size = all.getInt(all.position() + 1);
        if (all.remaining() < MESSAGE_PREFIX + size) {
          break;
        }
        byte[] message = new byte[size];
        all.position(all.position() + MESSAGE_PREFIX).get(message);
        try {
          responses.add(MapResponse.parseFrom(message));
        } catch (IOException e) {
          throw new AssertionError("the server sent garbage", e);
        }
      }
      partial = all;
    }

    /** The value of a header or trailer, or null. */
    String header(String name) {
      for (Http2Headers block : headers) {
        CharSequence value = block.get(name);
        if (value != null) {
          return value.toString();
        }
      }
      return null;
    }

    private boolean has(String name, int value) {
      return String.valueOf(value).equals(header(name));
    }

    @Override
    public String toString() {
      return "%s, %d responses%s%s"
          .formatted(
              headers,
              responses.size(),
              ended ? ", ended" : "",
              reset == null ? "" : ", reset " + reset);
    }
  }

  private final SocketChannel channel;
  private final Selector selector;
  private final DefaultHttp2HeadersDecoder headersDecoder =
      new DefaultHttp2HeadersDecoder(false, 1 << 20);
  private final Map<Integer, Received> streams = new TreeMap<>();
  private final ByteArrayOutputStream headerBlock = new ByteArrayOutputStream();
  private ByteBuffer unparsed = ByteBuffer.allocate(1 << 16).flip();
  private Http2Error goAway;
  private String goAwayText = "";
  private boolean cutOff;
  private boolean disconnected;

  RawConnection(Path socket) throws IOException {
    channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
    channel.configureBlocking(false);
    selector = Selector.open();
    channel.register(selector, 0);
  }

  // What is sent.

  /** Bytes as they are. A server that has closed the connection is not an error here. */
  RawConnection bytes(byte[] bytes) {
    ByteBuffer left = ByteBuffer.wrap(bytes);
    long deadline = System.nanoTime() + Waits.LIMIT.toNanos();
    try {
      while (left.hasRemaining()) {
        if (channel.write(left) == 0) {
          select(SelectionKey.OP_WRITE, deadline, "the server reads nothing more");
        }
      }
    } catch (IOException e) {
      cutOff = true;
    }
    return this;
  }

  RawConnection text(String text) {
    return bytes(text.getBytes(US_ASCII));
  }

  /** The client's preface, with these settings. */
  RawConnection hello(Setting... settings) {
    text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    return settings(settings);
  }

  /** Allows the server the largest possible header table, and can decode it. */
  RawConnection helloWithHugeHeaderTable() throws Http2Exception {
    headersDecoder.configuration().maxHeaderTableSize(Http2CodecUtil.MAX_HEADER_TABLE_SIZE);
    return hello(new Setting((short) Http2CodecUtil.SETTINGS_HEADER_TABLE_SIZE, -1));
  }

  record Setting(short id, int value) {}

  RawConnection settings(Setting... settings) {
    ByteBuffer payload = ByteBuffer.allocate(6 * settings.length);
    for (Setting setting : settings) {
      payload.putShort(setting.id()).putInt(setting.value());
    }
    return frame(Http2FrameTypes.SETTINGS, 0, 0, payload.array());
  }

  RawConnection frame(int type, int flags, int stream, byte[] payload) {
    return bytes(encode(type, flags, stream, payload.length, payload));
  }

  /** A frame whose header states a length that is not the payload's. */
  static byte[] encode(int type, int flags, int stream, int length, byte[] payload) {
    return ByteBuffer.allocate(FRAME_HEADER + payload.length)
        .put((byte) (length >> 16))
        .putShort((short) length)
        .put((byte) type)
        .put((byte) flags)
        .putInt(stream)
        .put(payload)
        .array();
  }

  /** A call of MapFn, with more headers or others instead. */
  RawConnection call(int stream, String... headers) {
    return frame(Http2FrameTypes.HEADERS, Http2Flags.END_HEADERS, stream, headerBlock(headers));
  }

  static byte[] headerBlock(String... headers) {
    Map<String, String> all = new TreeMap<>();
    all.put(":method", "POST");
    all.put(":scheme", "http");
    all.put(":path", "/map.v1.Map/MapFn");
    all.put(":authority", "localhost");
    all.put("content-type", "application/grpc");
    all.put("te", "trailers");
    for (int i = 0; i < headers.length; i += 2) {
      all.put(headers[i], headers[i + 1]);
    }
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    all.forEach((name, value) -> {
      block.write(0); // literal, not indexed, with a new name
      string(block, name);
      string(block, value);
    });
    return block.toByteArray();
  }

  private static void string(ByteArrayOutputStream block, String text) {
    int left = text.length() - 0x7F;
    if (left < 0) {
      block.write(text.length());
    } else {
      block.write(0x7F);
      for (; left >= 0x80; left >>>= 7) {
        block.write(left | 0x80);
      }
      block.write(left);
    }
    block.writeBytes(text.getBytes(US_ASCII));
  }

  RawConnection data(int stream, byte[] bytes) {
    return data(stream, bytes, false);
  }

  RawConnection data(int stream, byte[] bytes, boolean end) {
    int from = 0;
    do {
      int size = Math.min(LARGEST_FRAME, bytes.length - from);
      boolean last = end && from + size == bytes.length;
      byte[] payload = Arrays.copyOfRange(bytes, from, from + size);
      frame(Http2FrameTypes.DATA, last ? Http2Flags.END_STREAM : 0, stream, payload);
      from += size;
    } while (from < bytes.length);
    return this;
  }

  /** A whole gRPC message. */
  static byte[] message(byte[] body) {
    return message(0, body.length, body);
  }

  static byte[] message(int flag, int length, byte[] body) {
    return ByteBuffer.allocate(MESSAGE_PREFIX + body.length)
        .put((byte) flag)
        .putInt(length)
        .put(body)
        .array();
  }

  /** A compressed message. */
  RawConnection gzipped(int stream, byte[] body) {
    var zipped = new ByteArrayOutputStream();
    try (var gzip = new GZIPOutputStream(zipped)) {
      gzip.write(body);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return data(stream, message(1, zipped.size(), zipped.toByteArray()));
  }

  RawConnection message(int stream, MapRequest request) {
    return data(stream, message(request.toByteArray()));
  }

  /** A call with its handshake. */
  RawConnection open(int stream) {
    return call(stream).message(stream, Codec.handshake());
  }

  RawConnection datum(int stream, String id, String script) {
    return message(stream, Requests.scripted(id, script, 0));
  }

  RawConnection halfClose(int stream) {
    return data(stream, new byte[0], true);
  }

  RawConnection reset(int stream) {
    return frame(Http2FrameTypes.RST_STREAM, 0, stream, integer((int) Http2Error.CANCEL.code()));
  }

  RawConnection openWindow(int stream, int bytes) {
    return frame(Http2FrameTypes.WINDOW_UPDATE, 0, stream, integer(bytes));
  }

  static byte[] integer(int value) {
    return ByteBuffer.allocate(Integer.BYTES).putInt(value).array();
  }

  // What is received.

  /** What this stream has received so far. */
  Received received(int stream) {
    return streams.computeIfAbsent(stream, any -> new Received());
  }

  /** Whether the server reads nothing more; earlier data from it may still be unread. */
  boolean isCutOff() {
    return cutOff;
  }

  /** Whether the test has closed it. */
  boolean isClosed() {
    return !channel.isOpen();
  }

  /** Reads until {@code state} holds; fails with all that was received if that takes too long. */
  RawConnection await(String expected, BooleanSupplier state) {
    long deadline = System.nanoTime() + Waits.LIMIT.toNanos();
    while (!state.getAsBoolean()) {
      if (disconnected) {
        throw new AssertionError("disconnected before: " + expected + "; seen: " + this);
      }
      read(deadline, expected);
    }
    return this;
  }

  /** The connection ends. */
  RawConnection awaitDisconnect() {
    return await("the connection's end", () -> disconnected);
  }

  /** The connection ends with an error code. */
  RawConnection awaitGoAway(Http2Error error) {
    return await("GOAWAY " + error, () -> goAway == error).awaitDisconnect();
  }

  /** One stream ends by a reset; the connection continues. */
  RawConnection awaitReset(int stream, Http2Error error) {
    return await("reset " + error, () -> received(stream).reset == error);
  }

  /** One stream is answered with an HTTP status; the connection continues. */
  RawConnection awaitHttp(int stream, int status) {
    return await("status " + status, () -> received(stream).has(":status", status));
  }

  RawConnection awaitEnd(int stream) {
    return await("the end of stream " + stream, () -> received(stream).ended);
  }

  /** One stream ends with a status that fits into a client's headers; the connection continues. */
  RawConnection awaitStatus(int stream, Status.Code code, String text) {
    Received its = received(stream);
    await(
        code + " " + text,
        () ->
            its.has("grpc-status", code.value())
                && String.valueOf(its.header("grpc-message")).contains(text));
    awaitEnd(stream);
    String message = its.header("grpc-message");
    if (message != null && message.length() > LONGEST_MESSAGE) {
      throw new AssertionError("a status of %d characters".formatted(message.length()));
    }
    return this;
  }

  /** A new stream is served in full. */
  RawConnection awaitService(int stream) {
    Ledger ledger = new Ledger();
    ledger.expect("after", 1, 3);
    open(stream).datum(stream, "after", "fan 1 3 8 0").halfClose(stream).awaitEnd(stream);
    ledger.verifyComplete(received(stream).responses);
    return this;
  }

  private void read(long deadline, String expected) {
    try {
      unparsed.compact();
      if (!unparsed.hasRemaining()) {
        unparsed = ByteBuffer.allocate(2 * unparsed.capacity()).put(unparsed.flip());
      }
      int count = channel.read(unparsed);
      unparsed.flip();
      if (count < 0) {
        disconnected = true;
      } else if (count == 0) {
        select(SelectionKey.OP_READ, deadline, expected);
      }
    } catch (IOException e) {
      unparsed.flip();
      disconnected = true;
    }
    parse();
  }

  private void select(int operation, long deadline, String expected) throws IOException {
    channel.keyFor(selector).interestOps(operation);
    long millis = (deadline - System.nanoTime()) / 1_000_000;
    if (millis <= 0) {
      throw new AssertionError("not in time: " + expected + "; seen: " + this);
    }
    selector.select(millis);
    selector.selectedKeys().clear();
  }

  private void parse() {
    while (unparsed.remaining() >= FRAME_HEADER) {
      int at = unparsed.position();
      int length = ((unparsed.get(at) & 0xFF) << 16) | (unparsed.getShort(at + 1) & 0xFFFF);
      if (unparsed.remaining() < FRAME_HEADER + length) {
        return;
      }
      byte type = unparsed.get(at + 3);
      byte flags = unparsed.get(at + 4);
      int stream = unparsed.getInt(at + 5);
      byte[] payload = new byte[length];
      unparsed.position(at + FRAME_HEADER).get(payload);
      receive(type, flags, stream, payload);
    }
  }

  private void receive(byte type, byte flags, int stream, byte[] payload) {
    switch (type) {
      case Http2FrameTypes.DATA -> received(stream).data(payload);
      case Http2FrameTypes.HEADERS, Http2FrameTypes.CONTINUATION -> {
        headerBlock.writeBytes(payload);
        if ((flags & Http2Flags.END_HEADERS) != 0) {
          received(stream).headers.add(decode(stream));
        }
      }
      case Http2FrameTypes.RST_STREAM -> {
        if (received(stream).reset == null) {
          received(stream).reset = Http2Error.valueOf(ByteBuffer.wrap(payload).getInt());
        }
      }
      case Http2FrameTypes.GO_AWAY -> {
        goAway = Http2Error.valueOf(ByteBuffer.wrap(payload).getInt(4));
        goAwayText = new String(payload, 8, payload.length - 8, UTF_8);
      }
      default -> {
        // Settings, pings, windows and priorities don't matter here.
      }
    }
    boolean mayEnd = type == Http2FrameTypes.DATA || type == Http2FrameTypes.HEADERS;
    if (mayEnd && (flags & Http2Flags.END_STREAM) != 0) {
      received(stream).ended = true;
    }
  }

  private Http2Headers decode(int stream) {
    ByteBuf block = Unpooled.wrappedBuffer(headerBlock.toByteArray());
    headerBlock.reset();
    try {
      return headersDecoder.decodeHeaders(stream, block);
    } catch (Http2Exception e) {
      throw new AssertionError("the server's headers are not decodable", e);
    } finally {
      block.release();
    }
  }

  @Override
  public void close() {
    try (channel) {
      selector.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String toString() {
    return "streams %s%s%s"
        .formatted(
            streams,
            goAway == null ? "" : ", GOAWAY " + goAway + " " + goAwayText,
            disconnected ? ", disconnected" : "");
  }
}
