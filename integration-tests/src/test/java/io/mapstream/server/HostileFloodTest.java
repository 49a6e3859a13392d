package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2FrameTypes;
import java.io.IOException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

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

  private static byte[] frame(int type, int flags, int stream, byte[] payload) {
    return RawConnection.encode(type, flags, stream, payload.length, payload);
  }

  @Test
  void endlessSettingsAreCutOff() throws IOException {
    try (RawConnection connection = server.connect()) {
      flood(connection.hello(), frame(Http2FrameTypes.SETTINGS, 0, 0, new byte[0]));
      new HostileScenario.Seen.Disconnected().on(connection, server.handler());
    }
  }

  @Test
  void endlessPingsAreCutOff() throws IOException {
    try (RawConnection connection = server.connect()) {
      flood(connection.hello(), frame(Http2FrameTypes.PING, 0, 0, new byte[8]));
      new HostileScenario.Seen.Disconnected().on(connection, server.handler());
    }
  }

  @Test
  void endlessWindowUpdatesChangeNothing() throws IOException {
    try (RawConnection connection = server.connect()) {
      connection.hello();
      flood(connection, frame(Http2FrameTypes.WINDOW_UPDATE, 0, 0, RawConnection.integer(1)));
      new HostileScenario.Seen.Serves(1).on(connection, server.handler());
    }
  }

  @Test
  void endlessEmptyDataChangesNothing() throws IOException {
    try (RawConnection connection = server.connect()) {
      connection.hello().open(1);
      flood(connection, frame(Http2FrameTypes.DATA, 0, 1, new byte[0]));
      new HostileScenario.Seen.Serves(3).on(connection, server.handler());
    }
  }

  @Test
  void endlessHeadersAreCutOff() throws IOException {
    try (RawConnection connection = server.connect()) {
      connection.hello().frame(Http2FrameTypes.HEADERS, 0, 1, RawConnection.headerBlock());
      byte[] more = {0, 1, 'x', 1, 'y'};
      flood(connection, frame(Http2FrameTypes.CONTINUATION, 0, 1, more));
      new HostileScenario.Seen.Disconnected().on(connection, server.handler());
    }
  }

  @Test
  void endlessEmptyContinuationsAreCutOff() throws IOException {
    try (RawConnection connection = server.connect()) {
      connection.hello().frame(Http2FrameTypes.HEADERS, 0, 1, RawConnection.headerBlock());
      flood(connection, frame(Http2FrameTypes.CONTINUATION, 0, 1, new byte[0]));
      new HostileScenario.Seen.Disconnected().on(connection, server.handler());
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
      new HostileScenario.Seen.Serves(stream).on(connection, server.handler());
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
      new HostileScenario.Seen.Reset(1, Http2Error.FLOW_CONTROL_ERROR)
          .on(connection, server.handler());
      new HostileScenario.Seen.Serves(3).on(connection, server.handler());
    }
  }
}
