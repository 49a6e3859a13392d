package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Connections that send part of a large message and then nothing. */
class HostilePartTest {

  private static final int MESSAGE = 10 << 20;

  /**
   * An eighth of the heap is 7.7 MiB.
   *
   * @param mebibytes size of the part that each connection sends; 3 fit into HTTP/2's window at
   *     once
   * @param refused the first connection that must be refused
   */
  @ParameterizedTest
  @CsvSource({"3, 2", "5, 1"})
  void partsOfMessagesAreBoundedAcrossAllConnections(
      int mebibytes, int refused, @TempDir Path folder) throws Exception {
    List<RawConnection> connections = new ArrayList<>();
    try (ChildProcess server = ChildProcess.scripted(folder, Map.of(), "-Xmx64m");
        WireClient client = new WireClient(server.socket())) {
      byte[] part = RawConnection.message(0, MESSAGE, new byte[mebibytes << 20]);
      for (int i = 0; i < 40; i++) {
        RawConnection connection = new RawConnection(server.socket()).hello().open(1);
        connections.add(connection);
        connection.await("the handshake's echo", it -> !it.received(1).responses.isEmpty());
        connection.data(1, part);
        if (i >= refused) {
          connection.await("a refusal", it -> it.received(1).header("grpc-status") != null);
          assertEquals(
              "" + Status.Code.RESOURCE_EXHAUSTED.value(),
              connection.received(1).header("grpc-status"));
          String message = connection.received(1).header("grpc-message");
          assertTrue(message.contains("hold more than the limit of "), message);
        }
      }
      ScriptStream stream = ScriptStream.open(client);
      stream.fan("a", 1, 10, 1_000);
      stream.finish();
      server.stopAndVerify();
    } finally {
      for (RawConnection connection : connections) {
        connection.close();
      }
    }
  }
}
