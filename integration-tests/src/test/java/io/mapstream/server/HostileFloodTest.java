package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2FrameTypes;
import java.io.IOException;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Clients that do what is allowed, but far too often. */
@Tag("slow")
class HostileFloodTest {

  private static final int FLOOD = 200_000;
  private static final int BURST = 1000;
  private static final int STREAMS = 10_000;

  @RegisterExtension static final HostileServer server = new HostileServer();

  /**
   * Sends a frame many times and reads nothing; stops when the server has closed the connection.
   */
  private static void flood(RawConnection connection, byte[] frame) {
    byte[] burst = new byte[frame.length * BURST];
    for (int i = 0; i < BURST; i++) {
      System.arraycopy(frame, 0, burst, i * frame.length, frame.length);
    }
    for (int i = 0; i < FLOOD / BURST && !connection.isCutOff(); i++) {
      connection.bytes(burst);
    }
  }

  private static byte[] frame(int type, int stream, byte[] payload) {
    return RawConnection.encode(type, 0, stream, payload.length, payload);
  }

  private static Arguments cutOff(String name, Consumer<RawConnection> before, byte[] frame) {
    Consumer<RawConnection> end = RawConnection::awaitDisconnect;
    return argumentSet(name, before, frame, end);
  }

  private static Arguments ignored(String name, Consumer<RawConnection> before, byte[] frame) {
    Consumer<RawConnection> end = connection -> connection.awaitService(3);
    return argumentSet(name, before, frame, end);
  }

  static List<Arguments> floods() {
    byte[] nothing = {};
    byte[] header = {0, 1, 'x', 1, 'y'};
    Consumer<RawConnection> opened = connection -> connection.open(1);
    Consumer<RawConnection> inHeaders =
        connection -> connection.frame(Http2FrameTypes.HEADERS, 0, 1, RawConnection.headerBlock());
    return List.of(
        cutOff("settings", c -> {}, frame(Http2FrameTypes.SETTINGS, 0, nothing)),
        cutOff("pings", c -> {}, frame(Http2FrameTypes.PING, 0, new byte[8])),
        cutOff("headers", inHeaders, frame(Http2FrameTypes.CONTINUATION, 1, header)),
        cutOff("no headers", inHeaders, frame(Http2FrameTypes.CONTINUATION, 1, nothing)),
        ignored(
            "windows", c -> {}, frame(Http2FrameTypes.WINDOW_UPDATE, 0, RawConnection.integer(1))),
        ignored("empty data", opened, frame(Http2FrameTypes.DATA, 1, nothing)));
  }

  @ParameterizedTest
  @MethodSource("floods")
  void aFrameSentForEverIsCutOffOrIgnored(
      Consumer<RawConnection> before, byte[] frame, Consumer<RawConnection> end)
      throws IOException {
    try (RawConnection connection = server.connect().hello()) {
      before.accept(connection);
      flood(connection, frame);
      end.accept(connection);
    }
  }

  /** Each stream's handler waits for something, or is about to, when the reset arrives. */
  @Test
  void streamsResetInRapidSuccessionLeaveNothingBehind() throws IOException {
    try (RawConnection connection = server.connect()) {
      connection.hello();
      int stream = 1;
      for (int i = 0; i < STREAMS && !connection.isCutOff(); i++, stream += 2) {
        connection.open(stream).datum(stream, "reset-" + stream, "hold").reset(stream);
      }
      connection.awaitService(stream);
    }
  }

  @Test
  void streamsOpenAllAtOnceAreDroppedWithTheirConnection() throws IOException {
    ScriptedHandler handler = server.handler();
    int started = handler.started();
    try (RawConnection connection = server.connect()) {
      connection.hello();
      for (int stream = 1; stream < 2 * STREAMS; stream += 2) {
        connection.open(stream).datum(stream, "dropped-" + stream, "hold");
      }
      Waits.until(
          "all handlers run", () -> handler.running().size() == STREAMS, handler.running()::size);
      assertEquals(STREAMS, server.inWork());
    }
    Waits.until("no handlers", handler.running()::isEmpty, handler.running()::size);
    assertEquals(STREAMS, handler.started() - started);
  }

  @Test
  void connectionsOpenAllAtOnceAreDropped() throws IOException {
    RawConnection[] connections = new RawConnection[500];
    for (int i = 0; i < connections.length; i++) {
      connections[i] = server.connect().hello().open(1).datum(1, "connection-" + i, "hold");
    }
    Waits.until(
        "all handlers run",
        () -> server.handler().running().size() == connections.length,
        server.handler().running()::size);
    for (RawConnection connection : connections) {
      connection.close();
    }
  }

  /** More data than the window allows, when the server has stopped reading. */
  @Test
  void dataBeyondTheWindowIsRefused() throws IOException {
    try (RawConnection connection = server.connect()) {
      connection.hello().open(1);
      // A message that is not read to its end keeps the window closed.
      for (int i = 0; i < STREAMS; i++) {
        connection.datum(1, "full-" + i, "hold");
      }
      byte[] chunk = new byte[16 * 1024];
      for (int sent = 0; sent < (16 << 20) && !connection.isCutOff(); sent += chunk.length) {
        connection.frame(Http2FrameTypes.DATA, 0, 1, chunk);
      }
      connection.awaitReset(1, Http2Error.FLOW_CONTROL_ERROR).awaitService(3);
    }
  }
}
