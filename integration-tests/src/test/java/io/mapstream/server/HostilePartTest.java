package io.mapstream.server;

import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Connections that send part of a large message and then nothing. */
class HostilePartTest {

  private static final int MESSAGE = 10 << 20;

  @AutoClose final ChildProcess server = new ChildProcess();

  /**
   * An eighth of the heap is 7.7 MiB.
   *
   * @param mebibytes size of the part that each connection sends; 3 fit into HTTP/2's window at
   *     once
   * @param refused the first connection that must be refused
   */
  @ParameterizedTest
  @CsvSource({"3, 2", "5, 1"})
  void partsOfMessagesAreBoundedAcrossAllConnections(int mebibytes, int refused) throws Exception {
    List<RawConnection> connections = new ArrayList<>();
    try {
      server.startScripted("-Xmx64m");
      byte[] part = RawConnection.message(0, MESSAGE, new byte[mebibytes << 20]);
      for (int i = 0; i < 40; i++) {
        RawConnection connection = new RawConnection(server.socket()).hello().open(1);
        connections.add(connection);
        connection.await("the handshake's echo", () -> !connection.received(1).responses.isEmpty());
        connection.data(1, part);
        if (i >= refused) {
          connection.awaitStatus(1, Status.Code.RESOURCE_EXHAUSTED, "hold more than the limit of ");
        }
      }
      ScriptStream stream = new ScriptStream(server.connect());
      stream.fan("a", 1, 10, 1_000);
      stream.finish();
      server.stopAndVerify();
    } finally {
      connections.forEach(RawConnection::close);
    }
  }
}
