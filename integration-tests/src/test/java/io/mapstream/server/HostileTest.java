package io.mapstream.server;

import static io.mapstream.server.HostileScenario.scenario;
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

import io.grpc.Status;
import io.mapstream.proto.Codec;
import io.mapstream.proto.map.v1.Handshake;
import io.mapstream.proto.map.v1.MapRequest;
import io.mapstream.proto.map.v1.TransmissionStatus;
import io.mapstream.server.HostileScenario.Seen.Disconnected;
import io.mapstream.server.HostileScenario.Seen.Ended;
import io.mapstream.server.HostileScenario.Seen.GoAway;
import io.mapstream.server.HostileScenario.Seen.Http;
import io.mapstream.server.HostileScenario.Seen.Reset;
import io.mapstream.server.HostileScenario.Seen.Serves;
import io.mapstream.server.HostileScenario.Seen.Stopped;
import io.mapstream.server.RawConnection.Setting;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Clients that misbehave, one after the other, against one server: what each does, and the required
 * reactions of the server, as data.
 */
class HostileTest {

  private static final byte[] GARBAGE = "no protobuf at all, and no HTTP either".getBytes(UTF_8);

  private static final int LIMIT = HostileServer.MAX_MESSAGE_SIZE;

  @RegisterExtension static final HostileServer server = new HostileServer();

  @ParameterizedTest
  @MethodSource({"prefaces", "frames", "headers", "messages", "compressed", "goodbyes"})
  void isAnsweredWithTheRightError(HostileScenario scenario) throws IOException {
    try (RawConnection connection = server.connect()) {
      scenario.sent().on(connection, server.handler());
      for (HostileScenario.Seen seen : scenario.seen()) {
        seen.on(connection, server.handler());
      }
    }
  }

  /** Bytes that are not an HTTP/2 connection. */
  static List<HostileScenario> prefaces() {
    return List.of(
        scenario("connects and leaves", (c, h) -> {}),
        scenario(
            "speaks HTTP/1.1",
            (c, h) -> c.text("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            new Disconnected()),
        scenario(
            "misspells the preface",
            (c, h) -> c.text("PRI * HTTP/3.0\r\n\r\nSM\r\n\r\n"),
            new GoAway(PROTOCOL_ERROR)),
        scenario("sends noise", (c, h) -> c.bytes(GARBAGE), new GoAway(PROTOCOL_ERROR)),
        scenario("breaks off in the preface", (c, h) -> c.text("PRI * HTT")),
        scenario(
            "starts with another frame than SETTINGS",
            (c, h) -> c.text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").frame(PING, 0, 0, new byte[8]),
            new GoAway(PROTOCOL_ERROR)));
  }

  /** Frames that HTTP/2 does not allow. */
  static List<HostileScenario> frames() {
    return List.of(
        scenario(
            "a PING of the wrong length",
            (c, h) -> c.hello().frame(PING, 0, 0, new byte[7]),
            new GoAway(FRAME_SIZE_ERROR)),
        scenario(
            "SETTINGS of the wrong length",
            (c, h) -> c.hello().frame(SETTINGS, 0, 0, new byte[5]),
            new GoAway(FRAME_SIZE_ERROR)),
        scenario(
            "a RST_STREAM of the wrong length",
            (c, h) -> c.hello().open(1).frame(RST_STREAM, 0, 1, new byte[3]),
            new GoAway(FRAME_SIZE_ERROR)),
        scenario(
            "a frame of unknown type",
            (c, h) -> c.hello().frame(0x7F, 0xFF, 0, GARBAGE),
            new Serves(1)),
        scenario(
            "DATA on stream 0",
            (c, h) -> c.hello().frame(DATA, 0, 0, GARBAGE),
            new GoAway(PROTOCOL_ERROR)),
        scenario(
            "HEADERS on stream 0",
            (c, h) -> c.hello().frame(HEADERS, END_HEADERS, 0, headerBlock()),
            new GoAway(PROTOCOL_ERROR)),
        scenario(
            "HEADERS on a stream that is the server's to open",
            (c, h) -> c.hello().call(2),
            new GoAway(PROTOCOL_ERROR)),
        scenario(
            "HEADERS on an older stream than the last",
            (c, h) -> c.hello().call(5).call(3),
            new Reset(3, STREAM_CLOSED),
            new Serves(7)),
        scenario(
            "DATA on a stream that is not open",
            (c, h) -> c.hello().frame(DATA, 0, 1, GARBAGE),
            new GoAway(PROTOCOL_ERROR)),
        scenario(
            "a reset of a stream that is not open",
            (c, h) -> c.hello().reset(1),
            new GoAway(PROTOCOL_ERROR)),
        scenario(
            "a frame above the maximum",
            (c, h) -> c.hello().open(1).frame(DATA, 0, 1, new byte[16 * 1024 + 1]),
            new GoAway(FRAME_SIZE_ERROR)),
        scenario(
            "more padding than frame",
            (c, h) -> c.hello().open(1).frame(DATA, PADDED, 1, new byte[] {9, 0, 0}),
            new GoAway(PROTOCOL_ERROR)),
        scenario(
            "half a frame",
            (c, h) -> c.hello().open(1).bytes(encode(DATA, 0, 1, 100, new byte[50]))),
        scenario(
            "a window update of zero on the connection",
            (c, h) -> c.hello().openWindow(0, 0),
            new GoAway(PROTOCOL_ERROR)),
        scenario(
            "a window update of zero on a stream",
            (c, h) -> c.hello().open(1).openWindow(1, 0),
            new Reset(1, PROTOCOL_ERROR),
            new Serves(3)),
        scenario(
            "a window beyond 2^31 on the connection",
            (c, h) -> c.hello().openWindow(0, Integer.MAX_VALUE),
            new GoAway(FLOW_CONTROL_ERROR)),
        scenario(
            "a window beyond 2^31 on a stream",
            (c, h) -> c.hello().open(1).openWindow(1, Integer.MAX_VALUE),
            new Reset(1, FLOW_CONTROL_ERROR),
            new Serves(3)),
        scenario(
            "a WINDOW_UPDATE of the wrong length",
            (c, h) -> c.hello().frame(WINDOW_UPDATE, 0, 0, new byte[3]),
            new GoAway(FRAME_SIZE_ERROR)),
        scenario(
            "an initial window beyond 2^31",
            (c, h) -> c.hello(new Setting(RawConnection.INITIAL_WINDOW_SIZE, -1)),
            new GoAway(FLOW_CONTROL_ERROR)),
        scenario(
            "a CONTINUATION without HEADERS",
            (c, h) -> c.hello().frame(CONTINUATION, END_HEADERS, 1, headerBlock()),
            new GoAway(PROTOCOL_ERROR)),
        scenario(
            "a PUSH_PROMISE",
            (c, h) -> c.hello().open(1).frame(PUSH_PROMISE, END_HEADERS, 1, integer(2)),
            new GoAway(PROTOCOL_ERROR)),
        scenario(
            "headers that are not HPACK",
            (c, h) -> c.hello().frame(HEADERS, END_HEADERS, 1, new byte[] {(byte) 0xFF, -1, -1}),
            new GoAway(COMPRESSION_ERROR)),
        scenario(
            "DATA after the half-close",
            (c, h) -> running(c, h, "early").halfClose(1).data(1, GARBAGE),
            new Reset(1, STREAM_CLOSED),
            new Stopped("early"),
            new Serves(3)));
  }

  /** Headers that gRPC does not allow. */
  static List<HostileScenario> headers() {
    return List.of(
        scenario(
            "headers above the limit",
            (c, h) -> c.hello().call(1, "x-long", "x".repeat(9000)),
            new Http(1, 431),
            new Serves(3)),
        scenario(
            "a GET",
            (c, h) -> c.hello().call(1, ":method", "GET"),
            new Http(1, 405),
            new Serves(3)),
        scenario(
            "another content type",
            (c, h) -> c.hello().call(1, "content-type", "text/html"),
            new Http(1, 415),
            new Serves(3)),
        scenario(
            "no path",
            (c, h) -> c.hello().call(1, ":path", ""),
            new Reset(1, INTERNAL_ERROR),
            new Serves(3)),
        scenario(
            "a path that does not start at the root",
            (c, h) -> c.hello().call(1, ":path", "MapFn"),
            new Http(1, 404),
            new Serves(3)),
        scenario(
            "another service",
            (c, h) -> c.hello().call(1, ":path", "/map.v2.Map/MapFn"),
            new Ended(1, Status.Code.UNIMPLEMENTED, "map.v2.Map/MapFn"),
            new Serves(3)),
        scenario(
            "an unknown compression",
            (c, h) -> c.hello().call(1, "grpc-encoding", "zstd"),
            new Ended(1, Status.Code.UNIMPLEMENTED, "zstd"),
            new Serves(3)),
        scenario(
            "a timeout that passes while a handler runs",
            (c, h) ->
                c.hello()
                    .call(1, "grpc-timeout", "8S")
                    .message(1, Codec.handshake())
                    .datum(1, "timeout", "hold"),
            new Stopped("timeout"),
            new Serves(3)));
  }

  /** Bytes that are not a gRPC message, or not a message of the contract. */
  static List<HostileScenario> messages() {
    return List.of(
        scenario(
            "a message of 4 GiB",
            (c, h) -> c.hello().open(1).data(1, message(0, -1, GARBAGE)),
            new Reset(1, CANCEL),
            new Serves(3)),
        scenario(
            "a message above the limit",
            (c, h) -> c.hello().open(1).data(1, message(new byte[LIMIT + 1])),
            new Ended(1, Status.Code.RESOURCE_EXHAUSTED, "above the limit of " + LIMIT),
            new Serves(3)),
        scenario(
            "a message far above the limit",
            (c, h) ->
                c.hello().open(1).data(1, message(0, LIMIT + Tuning.RECEIVE_WINDOW + 1, GARBAGE)),
            new Reset(1, CANCEL),
            new Serves(3)),
        scenario(
            "a flag that gRPC does not know",
            (c, h) -> c.hello().open(1).data(1, message(2, 5, GARBAGE)),
            new Reset(1, CANCEL),
            new Serves(3)),
        scenario(
            "a compressed message without an encoding",
            (c, h) -> c.hello().open(1).data(1, message(1, 5, GARBAGE)),
            new Reset(1, CANCEL),
            new Serves(3)),
        scenario(
            "half a message, then the half-close",
            (c, h) -> c.hello().open(1).data(1, message(0, 100, GARBAGE), true),
            new Reset(1, CANCEL),
            new Serves(3)),
        scenario(
            "half a message, then silence, then gone",
            (c, h) -> c.hello().open(1).data(1, message(0, 100, GARBAGE))),
        scenario(
            "garbage in place of the handshake",
            (c, h) -> c.hello().call(1).data(1, message(GARBAGE)),
            refused(1, "handshake"),
            new Serves(3)),
        scenario(
            "garbage in place of a datum",
            (c, h) -> c.hello().open(1).data(1, message(GARBAGE)),
            refused(1, "MapRequest is not decodable"),
            new Serves(3)),
        scenario(
            "an empty message",
            (c, h) -> c.hello().open(1).data(1, message(new byte[0])),
            refused(1, "MapRequest.request is missing"),
            new Serves(3)),
        scenario(
            "a datum first",
            (c, h) -> c.hello().call(1).datum(1, "first", "fan 1 1 8 0"),
            refused(1, "handshake"),
            new Serves(3)),
        scenario(
            "a datum first, with an id of 100 KiB",
            (c, h) -> c.hello().call(1).datum(1, "x".repeat(100 << 10), "fan 1 1 8 0"),
            refused(1, "handshake"),
            new Serves(3)),
        scenario(
            "a handshake without sot",
            (c, h) ->
                c.hello()
                    .call(1)
                    .message(1, request().setHandshake(Handshake.getDefaultInstance()).build()),
            refused(1, "sot = false"),
            new Serves(3)),
        scenario(
            "a second handshake while a handler runs",
            (c, h) -> running(c, h, "second").message(1, Codec.handshake()),
            refused(1, "second handshake"),
            new Stopped("second"),
            new Serves(3)),
        scenario(
            "an EOT",
            (c, h) ->
                c.hello()
                    .open(1)
                    .message(
                        1,
                        request()
                            .setId("eot")
                            .setStatus(TransmissionStatus.newBuilder().setEot(true))
                            .build()),
            refused(1, "MapRequest.status"),
            new Serves(3)),
        scenario(
            "a datum without an id",
            (c, h) -> c.hello().open(1).datum(1, "", "fan 1 1 8 0"),
            refused(1, "MapRequest.id is empty"),
            new Serves(3)),
        scenario(
            "no request, with an id of 100 KiB",
            (c, h) -> c.hello().open(1).message(1, request().setId("x".repeat(100 << 10)).build()),
            refused(1, "request is missing"),
            new Serves(3)),
        scenario(
            "a datum without times",
            (c, h) ->
                c.hello()
                    .open(1)
                    .message(
                        1,
                        Requests.datum(
                            "a", Requests.body("fan 1 1 8 0").clearEventTime().clearWatermark()))
                    .halfClose(1),
            new Ended(1, Status.Code.OK, ""),
            new Serves(3)),
        scenario(
            "a key that is not UTF-8",
            (c, h) ->
                c.hello().open(1).data(1, message(new byte[] {0x0A, 3, 0x0A, 1, (byte) 0xFF})),
            refused(1, "MapRequest is not decodable"),
            new Serves(3)),
        scenario(
            "a length inside a message that exceeds it",
            (c, h) ->
                c.hello().open(1).data(1, message(new byte[] {0x0A, -1, -1, -1, -1, 7, 0x12, 127})),
            refused(1, "MapRequest is not decodable"),
            new Serves(3)));
  }

  /** Compressed messages, as any gRPC client may send them. */
  static List<HostileScenario> compressed() {
    return List.of(
        scenario(
            "gzip",
            (c, h) ->
                c.hello()
                    .call(1, "grpc-encoding", "gzip")
                    .gzipped(1, Codec.handshake().toByteArray())
                    .gzipped(1, Requests.scripted("zip", "fan 1 1 8 0", 0).toByteArray())
                    .gzipped(1, Requests.scripted("large", "fan 1 1 8 0", 20_000).toByteArray())
                    .halfClose(1),
            new Ended(1, Status.Code.OK, ""),
            new Serves(3)),
        scenario(
            "garbage for gzip",
            (c, h) ->
                c.hello()
                    .call(1, "grpc-encoding", "gzip")
                    .data(1, message(1, GARBAGE.length, GARBAGE)),
            refused(1, "not decodable"),
            new Serves(3)),
        scenario(
            "a gzip bomb",
            (c, h) ->
                c.hello()
                    .call(1, "grpc-encoding", "gzip")
                    .gzipped(1, Codec.handshake().toByteArray())
                    .gzipped(1, new byte[64 << 20]),
            new Ended(1, Status.Code.RESOURCE_EXHAUSTED, "above the limit of " + LIMIT),
            new Serves(3)));
  }

  /** Ends of streams and connections in every state. */
  static List<HostileScenario> goodbyes() {
    return List.of(
        scenario(
            "a reset before the headers end",
            (c, h) -> c.hello().frame(HEADERS, 0, 1, headerBlock()).reset(1),
            new GoAway(PROTOCOL_ERROR)),
        scenario("a reset after the headers", (c, h) -> c.hello().call(1).reset(1), new Serves(3)),
        scenario(
            "a reset after the handshake", (c, h) -> c.hello().open(1).reset(1), new Serves(3)),
        scenario(
            "a reset in the middle of a message",
            (c, h) -> c.hello().open(1).data(1, message(0, 100, GARBAGE)).reset(1),
            new Serves(3)),
        scenario(
            "a reset while a handler runs",
            (c, h) -> running(c, h, "reset").reset(1),
            new Stopped("reset"),
            new Serves(3)),
        scenario(
            "a reset after the half-close",
            (c, h) -> running(c, h, "closed").halfClose(1).reset(1),
            new Stopped("closed"),
            new Serves(3)),
        scenario(
            "a reset after the end",
            (c, h) -> {
              c.hello().open(1).halfClose(1);
              new Ended(1, Status.Code.OK, "").on(c, h);
              c.reset(1);
            },
            new Serves(3)),
        scenario(
            "only GOAWAY, after which open streams are still served",
            (c, h) -> {
              running(c, h, "after goaway").frame(GO_AWAY, 0, 0, new byte[8]);
              h.release();
              c.datum(1, "sent after goaway", "fan 1 1 8 0").halfClose(1);
            },
            new Ended(1, Status.Code.OK, "")),
        scenario(
            "a disconnect while a handler runs",
            (c, h) -> leave(running(c, h, "left")),
            new Stopped("left")),
        scenario(
            "a disconnect after the half-close",
            (c, h) -> leave(running(c, h, "left after all").halfClose(1)),
            new Stopped("left after all")),
        scenario(
            "a half-close in place of the handshake",
            (c, h) -> c.hello().call(1).halfClose(1),
            new Ended(1, Status.Code.OK, ""),
            new Serves(3)),
        scenario(
            "GOAWAY while a handler runs, which still finishes",
            (c, h) -> {
              running(c, h, "goaway").frame(GO_AWAY, 0, 0, new byte[8]).halfClose(1);
              h.release();
            },
            new Ended(1, Status.Code.OK, "")));
  }

  private static RawConnection running(
      RawConnection connection, ScriptedHandler handler, String id) {
    int before = handler.started();
    connection.hello().open(1).datum(1, id, "hold");
    Waits.until("the handler runs", () -> handler.started() > before, () -> "it does not");
    return connection;
  }

  private static void leave(RawConnection connection) {
    try {
      connection.close();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static Ended refused(int stream, String text) {
    return new Ended(stream, Status.Code.INVALID_ARGUMENT, text);
  }

  private static MapRequest.Builder request() {
    return MapRequest.newBuilder();
  }
}
