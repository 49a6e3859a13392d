package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What a client can learn before it sends data, and on other calls. */
@ParameterizedClass
@EnumSource(InternalSocketKind.class)
class ReadinessTest {

  private final InternalSocketKind kind;

  ReadinessTest(InternalSocketKind kind) {
    this.kind = kind;
  }

  @Test
  void serverIsReadyOnceItHasStarted() throws Exception {
    try (TestServer server = TestServer.start(kind, (keys, datum, sink) -> {})) {
      WireClient client = server.connect();

      assertTrue(client.isReady());
      client.open().shakeHands();
      assertTrue(client.isReady());
    }
  }

  @Test
  void serverThatStopsIsUnavailable() throws Exception {
    Gate gate = new Gate();
    try (TestServer server = TestServer.start(kind, (keys, datum, sink) -> gate.pass())) {
      WireClient client = server.connect();
      Call call = client.open().shakeHands().send("1", "");
      gate.awaitHandlers();
      var closed = server.closing();

      assertEquals("UNAVAILABLE", client.awaitRefusal().code());
      gate.open();
      assertEquals(1, call.answer("1").eots());
      call.endsWith(Status.Code.UNAVAILABLE);
      Waits.get(closed);
    }
  }

  @Test
  void unknownMethodIsUnimplemented() throws Exception {
    try (TestServer server = TestServer.start(kind, (keys, datum, sink) -> {});
        RawConnection unknown = new RawConnection(server.socket())) {
      unknown
          .hello()
          .call(1, ":path", "/map.v1.Map/Unknown")
          .halfClose(1)
          .await("its end", it -> it.received(1).ended);

      assertEquals(
          "" + Status.Code.UNIMPLEMENTED.value(), unknown.received(1).header("grpc-status"));
      WireClient client = server.connect();
      assertTrue(client.isReady());
      assertEquals(List.of(), client.open().shakeHands().send("1", "").answer("1").texts());
    }
  }

  /** As soon as a reader sees the file, it is complete and the server accepts connections. */
  @Test
  void aReaderSeesEitherNoFileOrAllOfItFromAServerThatAccepts() throws Exception {
    try (TestServer server = TestServer.unstarted((keys, datum, sink) -> {}, options -> options)) {
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
      server.server().start(kind);

      assertEquals(new ServerInfoFile(server.info()).content(), Waits.get(seen));
    }
  }
}
