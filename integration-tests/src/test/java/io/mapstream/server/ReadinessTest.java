package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.mapstream.testkit.MapStreamClient;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What a client can learn before it sends data, and on other calls. */
@ParameterizedClass
@EnumSource(InternalSocketKind.class)
class ReadinessTest {

  @AutoClose private final TestServer server;

  ReadinessTest(InternalSocketKind kind) {
    server = new TestServer(kind);
  }

  @Test
  void serverIsReadyOnceItHasStarted() throws Exception {
    server.start((keys, datum, sink) -> {});
    MapStreamClient client = server.connect();

    assertTrue(client.readiness().isOk());
    Call.open(client);
    assertTrue(client.readiness().isOk());
  }

  @Test
  void serverThatStopsIsUnavailable() throws Exception {
    Gate gate = new Gate();
    server.start((keys, datum, sink) -> gate.pass());
    MapStreamClient client = server.connect();
    Call call = Call.open(client).send("1", "");
    gate.awaitHandlers();
    var closed = server.closing();

    assertEquals("UNAVAILABLE", TestServer.awaitRefusal(client).code());
    gate.open();
    assertEquals(1, call.answer("1").eots());
    call.endsWith(Status.Code.UNAVAILABLE);
    Waits.get(closed);
  }

  @Test
  void unknownMethodIsUnimplemented() throws Exception {
    server.start((keys, datum, sink) -> {});
    try (RawConnection unknown = new RawConnection(server.socket())) {
      unknown.hello().call(1, ":path", "/map.v1.Map/Unknown").halfClose(1).awaitEnd(1);

      assertEquals(
          "" + Status.Code.UNIMPLEMENTED.value(), unknown.received(1).header("grpc-status"));
      MapStreamClient client = server.connect();
      assertTrue(client.readiness().isOk());
      assertEquals(List.of(), Call.open(client).send("1", "").answer("1").texts());
    }
  }

  /** As soon as a reader sees the file, it is complete and the server accepts connections. */
  @Test
  void aReaderSeesEitherNoFileOrAllOfItFromAServerThatAccepts() throws Exception {
    server.build((keys, datum, sink) -> {});
    CountDownLatch watching = new CountDownLatch(1);
    Future<String> seen =
        Waits.computed(() -> {
          long deadline = System.nanoTime() + Waits.LIMIT.toNanos();
          while (System.nanoTime() < deadline) {
            try {
              String content = Files.readString(server.info());
              try (SocketChannel client =
                  SocketChannel.open(UnixDomainSocketAddress.of(server.socket()))) {
                assertTrue(client.isConnected());
              }
              return content;
            } catch (NoSuchFileException e) {
              assertFalse(e.getFile().isEmpty());
              watching.countDown();
            }
          }
          return "nothing";
        });
    Waits.await(watching);
    server.start();

    assertEquals(new ServerInfoFile(server.info()).content(), Waits.get(seen));
  }
}
