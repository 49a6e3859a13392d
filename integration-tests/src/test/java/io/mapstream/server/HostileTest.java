package io.mapstream.server;

import static io.grpc.Status.Code.INVALID_ARGUMENT;
import static io.grpc.Status.Code.OK;
import static io.grpc.Status.Code.RESOURCE_EXHAUSTED;
import static io.grpc.Status.Code.UNIMPLEMENTED;
import static io.mapstream.server.RawConnection.encode;
import static io.mapstream.server.RawConnection.headerBlock;
import static io.mapstream.server.RawConnection.integer;
import static io.mapstream.server.RawConnection.message;
import static io.netty.handler.codec.http2.Http2Error.CANCEL;
import static io.netty.handler.codec.http2.Http2Error.COMPRESSION_ERROR;
import static io.netty.handler.codec.http2.Http2Error.FLOW_CONTROL_ERROR;
import static io.netty.handler.codec.http2.Http2Error.FRAME_SIZE_ERROR;
import static io.netty.handler.codec.http2.Http2Error.INTERNAL_ERROR;
import static io.netty.handler.codec.http2.Http2Error.PROTOCOL_ERROR;
import static io.netty.handler.codec.http2.Http2Error.STREAM_CLOSED;
import static io.netty.handler.codec.http2.Http2Flags.END_HEADERS;
import static io.netty.handler.codec.http2.Http2Flags.PADDED;
import static io.netty.handler.codec.http2.Http2FrameTypes.CONTINUATION;
import static io.netty.handler.codec.http2.Http2FrameTypes.DATA;
import static io.netty.handler.codec.http2.Http2FrameTypes.GO_AWAY;
import static io.netty.handler.codec.http2.Http2FrameTypes.HEADERS;
import static io.netty.handler.codec.http2.Http2FrameTypes.PING;
import static io.netty.handler.codec.http2.Http2FrameTypes.PUSH_PROMISE;
import static io.netty.handler.codec.http2.Http2FrameTypes.RST_STREAM;
import static io.netty.handler.codec.http2.Http2FrameTypes.SETTINGS;
import static io.netty.handler.codec.http2.Http2FrameTypes.WINDOW_UPDATE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import io.mapstream.proto.Codec;
import io.mapstream.proto.map.v1.MapRequest;
import io.mapstream.server.RawConnection.Setting;
import java.io.IOException;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Clients that misbehave, one after the other, against one server: what each does, and how the
 * server must react.
 */
class HostileTest {

  private static final byte[] GARBAGE = "no protobuf at all, and no HTTP either".getBytes(UTF_8);

  private static final int LIMIT = HostileServer.MAX_MESSAGE_SIZE;

  @RegisterExtension static final HostileServer server = new HostileServer();

  @ParameterizedTest
  @MethodSource({"prefaces", "frames", "headers", "messages", "compressed", "goodbyes"})
  void isAnsweredWithTheRightError(Consumer<RawConnection> scenario) throws IOException {
    try (RawConnection connection = server.connect()) {
      scenario.accept(connection);
    }
  }

  private static Arguments raw(String name, Consumer<RawConnection> scenario) {
    return argumentSet(name, scenario);
  }

  /** What happens after the client's preface. */
  private static Arguments scenario(String name, Consumer<RawConnection> scenario) {
    return raw(
        name,
        c -> {
          c.hello();
          scenario.accept(c);
        });
  }

  /** As above; then, a new stream on the same connection is served in full. */
  private static Arguments served(String name, Consumer<RawConnection> scenario) {
    return scenario(name, scenario.andThen(c -> c.awaitService(9)));
  }

  /** What happens to a running handler of stream 1, which must be stopped. */
  private static Arguments stopped(String name, Consumer<RawConnection> scenario) {
    return scenario(
        name,
        c -> {
          scenario.accept(hold(c, name));
          server.awaitStopped(name);
          if (!c.isClosed()) {
            c.awaitService(9);
          }
        });
  }

  private static RawConnection hold(RawConnection connection, String id) {
    int before = server.handler().started();
    connection.open(1).datum(1, id, "hold");
    Waits.until("the handler runs", () -> server.handler().started() > before, () -> "it does not");
    return connection;
  }

  /** Bytes that are not an HTTP/2 connection. */
  static List<Arguments> prefaces() {
    return List.of(
        raw("connects and leaves", c -> {}),
        raw(
            "speaks HTTP/1.1",
            c -> c.text("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").awaitDisconnect()),
        raw(
            "misspells the preface",
            c -> c.text("PRI * HTTP/3.0\r\n\r\nSM\r\n\r\n").awaitGoAway(PROTOCOL_ERROR)),
        raw("sends noise", c -> c.bytes(GARBAGE).awaitGoAway(PROTOCOL_ERROR)),
        raw("breaks off in the preface", c -> c.text("PRI * HTT")),
        raw(
            "starts with another frame than SETTINGS",
            c ->
                c.text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
                    .frame(PING, 0, 0, new byte[8])
                    .awaitGoAway(PROTOCOL_ERROR)));
  }

  /** Frames that HTTP/2 does not allow. */
  static List<Arguments> frames() {
    return List.of(
        scenario(
            "a PING of the wrong length",
            c -> c.frame(PING, 0, 0, new byte[7]).awaitGoAway(FRAME_SIZE_ERROR)),
        scenario(
            "SETTINGS of the wrong length",
            c -> c.frame(SETTINGS, 0, 0, new byte[5]).awaitGoAway(FRAME_SIZE_ERROR)),
        scenario(
            "a RST_STREAM of the wrong length",
            c -> c.open(1).frame(RST_STREAM, 0, 1, new byte[3]).awaitGoAway(FRAME_SIZE_ERROR)),
        served("a frame of unknown type", c -> c.frame(0x7F, 0xFF, 0, GARBAGE)),
        scenario("DATA on stream 0", c -> c.frame(DATA, 0, 0, GARBAGE).awaitGoAway(PROTOCOL_ERROR)),
        scenario(
            "HEADERS on stream 0",
            c -> c.frame(HEADERS, END_HEADERS, 0, headerBlock()).awaitGoAway(PROTOCOL_ERROR)),
        scenario(
            "HEADERS on a stream that is the server's to open",
            c -> c.call(2).awaitGoAway(PROTOCOL_ERROR)),
        served(
            "HEADERS on an older stream than the last",
            c -> c.call(5).call(3).awaitReset(3, STREAM_CLOSED)),
        scenario(
            "DATA on a stream that is not open",
            c -> c.frame(DATA, 0, 1, GARBAGE).awaitGoAway(PROTOCOL_ERROR)),
        scenario(
            "a reset of a stream that is not open", c -> c.reset(1).awaitGoAway(PROTOCOL_ERROR)),
        scenario(
            "a frame above the maximum",
            c ->
                c.open(1).frame(DATA, 0, 1, new byte[16 * 1024 + 1]).awaitGoAway(FRAME_SIZE_ERROR)),
        scenario(
            "more padding than frame",
            c ->
                c.open(1).frame(DATA, PADDED, 1, new byte[] {9, 0, 0}).awaitGoAway(PROTOCOL_ERROR)),
        scenario("half a frame", c -> c.open(1).bytes(encode(DATA, 0, 1, 100, new byte[50]))),
        scenario(
            "a window update of zero on the connection",
            c -> c.openWindow(0, 0).awaitGoAway(PROTOCOL_ERROR)),
        served(
            "a window update of zero on a stream",
            c -> c.open(1).openWindow(1, 0).awaitReset(1, PROTOCOL_ERROR)),
        scenario(
            "a window beyond 2^31 on the connection",
            c -> c.openWindow(0, Integer.MAX_VALUE).awaitGoAway(FLOW_CONTROL_ERROR)),
        served(
            "a window beyond 2^31 on a stream",
            c -> c.open(1).openWindow(1, Integer.MAX_VALUE).awaitReset(1, FLOW_CONTROL_ERROR)),
        scenario(
            "a WINDOW_UPDATE of the wrong length",
            c -> c.frame(WINDOW_UPDATE, 0, 0, new byte[3]).awaitGoAway(FRAME_SIZE_ERROR)),
        raw(
            "an initial window beyond 2^31",
            c ->
                c.hello(new Setting(RawConnection.INITIAL_WINDOW_SIZE, -1))
                    .awaitGoAway(FLOW_CONTROL_ERROR)),
        scenario(
            "a CONTINUATION without HEADERS",
            c -> c.frame(CONTINUATION, END_HEADERS, 1, headerBlock()).awaitGoAway(PROTOCOL_ERROR)),
        scenario(
            "a PUSH_PROMISE",
            c ->
                c.open(1)
                    .frame(PUSH_PROMISE, END_HEADERS, 1, integer(2))
                    .awaitGoAway(PROTOCOL_ERROR)),
        scenario(
            "headers that are not HPACK",
            c ->
                c.frame(HEADERS, END_HEADERS, 1, new byte[] {(byte) 0xFF, -1, -1})
                    .awaitGoAway(COMPRESSION_ERROR)),
        stopped(
            "DATA after the half-close",
            c -> c.halfClose(1).data(1, GARBAGE).awaitReset(1, STREAM_CLOSED)));
  }

  /** Headers that gRPC does not allow. */
  static List<Arguments> headers() {
    return List.of(
        served(
            "headers above the limit",
            c -> c.call(1, "x-long", "x".repeat(9000)).awaitHttp(1, 431)),
        served("a GET", c -> c.call(1, ":method", "GET").awaitHttp(1, 405)),
        served(
            "another content type", c -> c.call(1, "content-type", "text/html").awaitHttp(1, 415)),
        served("no path", c -> c.call(1, ":path", "").awaitReset(1, INTERNAL_ERROR)),
        served(
            "a path that does not start at the root",
            c -> c.call(1, ":path", "MapFn").awaitHttp(1, 404)),
        served(
            "another service",
            c ->
                c.call(1, ":path", "/map.v2.Map/MapFn")
                    .awaitStatus(1, UNIMPLEMENTED, "map.v2.Map/MapFn")),
        served(
            "an unknown compression",
            c -> c.call(1, "grpc-encoding", "zstd").awaitStatus(1, UNIMPLEMENTED, "zstd")),
        served(
            "a timeout that passes while a handler runs",
            c -> {
              c.call(1, "grpc-timeout", "8S")
                  .message(1, Codec.handshake())
                  .datum(1, "timeout", "hold");
              server.awaitStopped("timeout");
            }));
  }

  /** Bytes that are not a gRPC message, or not a message of the contract. */
  static List<Arguments> messages() {
    return List.of(
        served(
            "a message of 4 GiB",
            c -> c.open(1).data(1, message(0, -1, GARBAGE)).awaitReset(1, CANCEL)),
        served(
            "a message above the limit",
            c ->
                c.open(1)
                    .data(1, message(new byte[LIMIT + 1]))
                    .awaitStatus(1, RESOURCE_EXHAUSTED, "above the limit of " + LIMIT)),
        served(
            "a message far above the limit",
            c ->
                c.open(1)
                    .data(1, message(0, LIMIT + Tuning.RECEIVE_WINDOW + 1, GARBAGE))
                    .awaitReset(1, CANCEL)),
        served(
            "a flag that gRPC does not know",
            c -> c.open(1).data(1, message(2, 5, GARBAGE)).awaitReset(1, CANCEL)),
        served(
            "a compressed message without an encoding",
            c -> c.open(1).data(1, message(1, 5, GARBAGE)).awaitReset(1, CANCEL)),
        served(
            "half a message, then the half-close",
            c -> c.open(1).data(1, message(0, 100, GARBAGE), true).awaitReset(1, CANCEL)),
        scenario(
            "half a message, then silence, then gone",
            c -> c.open(1).data(1, message(0, 100, GARBAGE))),
        served(
            "garbage in place of the handshake",
            c -> c.call(1).data(1, message(GARBAGE)).awaitStatus(1, INVALID_ARGUMENT, "handshake")),
        served(
            "garbage in place of a datum",
            c ->
                c.open(1)
                    .data(1, message(GARBAGE))
                    .awaitStatus(1, INVALID_ARGUMENT, "MapRequest is not decodable")),
        served(
            "an empty message",
            c ->
                c.open(1)
                    .data(1, message(new byte[0]))
                    .awaitStatus(1, INVALID_ARGUMENT, "MapRequest.request is missing")),
        served(
            "a datum first",
            c ->
                c.call(1)
                    .datum(1, "first", "fan 1 1 8 0")
                    .awaitStatus(1, INVALID_ARGUMENT, "handshake")),
        served(
            "a datum first, with an id of 100 KiB",
            c ->
                c.call(1)
                    .datum(1, "x".repeat(100 << 10), "fan 1 1 8 0")
                    .awaitStatus(1, INVALID_ARGUMENT, "handshake")),
        served(
            "a handshake without sot",
            c ->
                c.call(1)
                    .message(1, Codec.handshake(false))
                    .awaitStatus(1, INVALID_ARGUMENT, "sot = false")),
        stopped(
            "a second handshake while a handler runs",
            c ->
                c.message(1, Codec.handshake())
                    .awaitStatus(1, INVALID_ARGUMENT, "second handshake")),
        served(
            "an EOT",
            c ->
                c.open(1)
                    .message(1, Requests.eot("eot"))
                    .awaitStatus(1, INVALID_ARGUMENT, "MapRequest.status")),
        served(
            "a datum without an id",
            c ->
                c.open(1)
                    .datum(1, "", "fan 1 1 8 0")
                    .awaitStatus(1, INVALID_ARGUMENT, "MapRequest.id is empty")),
        served(
            "no request, with an id of 100 KiB",
            c ->
                c.open(1)
                    .message(1, MapRequest.newBuilder().setId("x".repeat(100 << 10)).build())
                    .awaitStatus(1, INVALID_ARGUMENT, "request is missing")),
        served(
            "a datum without times",
            c ->
                c.open(1)
                    .message(
                        1,
                        Requests.datum(
                            "a", Requests.body("fan 1 1 8 0").clearEventTime().clearWatermark()))
                    .halfClose(1)
                    .awaitStatus(1, OK, "")),
        served(
            "a key that is not UTF-8",
            c ->
                c.open(1)
                    .data(1, message(new byte[] {0x0A, 3, 0x0A, 1, (byte) 0xFF}))
                    .awaitStatus(1, INVALID_ARGUMENT, "MapRequest is not decodable")),
        served(
            "a length inside a message that exceeds it",
            c ->
                c.open(1)
                    .data(1, message(new byte[] {0x0A, -1, -1, -1, -1, 7, 0x12, 127}))
                    .awaitStatus(1, INVALID_ARGUMENT, "MapRequest is not decodable")));
  }

  /** Compressed messages, as any gRPC client may send them. */
  static List<Arguments> compressed() {
    return List.of(
        served(
            "gzip",
            c ->
                c.call(1, "grpc-encoding", "gzip")
                    .gzipped(1, Codec.handshake().toByteArray())
                    .gzipped(1, Requests.scripted("zip", "fan 1 1 8 0", 0).toByteArray())
                    .gzipped(1, Requests.scripted("large", "fan 1 1 8 0", 20_000).toByteArray())
                    .halfClose(1)
                    .awaitStatus(1, OK, "")),
        served(
            "garbage for gzip",
            c ->
                c.call(1, "grpc-encoding", "gzip")
                    .data(1, message(1, GARBAGE.length, GARBAGE))
                    .awaitStatus(1, INVALID_ARGUMENT, "not decodable")),
        served(
            "a gzip bomb",
            c ->
                c.call(1, "grpc-encoding", "gzip")
                    .gzipped(1, Codec.handshake().toByteArray())
                    .gzipped(1, new byte[64 << 20])
                    .awaitStatus(1, RESOURCE_EXHAUSTED, "above the limit of " + LIMIT)));
  }

  /** Ends of streams and connections in every state. */
  static List<Arguments> goodbyes() {
    return List.of(
        scenario(
            "a reset before the headers end",
            c -> c.frame(HEADERS, 0, 1, headerBlock()).reset(1).awaitGoAway(PROTOCOL_ERROR)),
        served("a reset after the headers", c -> c.call(1).reset(1)),
        served("a reset after the handshake", c -> c.open(1).reset(1)),
        served(
            "a reset in the middle of a message",
            c -> c.open(1).data(1, message(0, 100, GARBAGE)).reset(1)),
        stopped("a reset while a handler runs", c -> c.reset(1)),
        stopped("a reset after the half-close", c -> c.halfClose(1).reset(1)),
        served(
            "a reset after the end", c -> c.open(1).halfClose(1).awaitStatus(1, OK, "").reset(1)),
        scenario(
            "only GOAWAY, after which open streams are still served",
            c -> {
              hold(c, "after goaway").frame(GO_AWAY, 0, 0, new byte[8]);
              server.handler().release();
              c.datum(1, "sent after goaway", "fan 1 1 8 0").halfClose(1).awaitStatus(1, OK, "");
            }),
        stopped("a disconnect while a handler runs", RawConnection::close),
        stopped("a disconnect after the half-close", c -> c.halfClose(1).close()),
        served(
            "a half-close in place of the handshake",
            c -> c.call(1).halfClose(1).awaitStatus(1, OK, "")),
        scenario(
            "GOAWAY while a handler runs, which still finishes",
            c -> {
              hold(c, "goaway").frame(GO_AWAY, 0, 0, new byte[8]).halfClose(1);
              server.handler().release();
              c.awaitStatus(1, OK, "");
            }));
  }
}
