package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grpc.Status;
import io.mapstream.proto.Codec;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A process whose standard error is a full pipe that is not read. */
class BlockedLogTest {

  /** Keeps both ends of the pipe open, and reads nothing. */
  private static List<String> withUnreadError(Path folder) {
    String script =
        """
        mkfifo pipe && exec 3<>pipe
        export MAPSTREAM_SOCKET_PATH="$PWD/s.sock" MAPSTREAM_SERVER_INFO_FILE="$PWD/info"
        exec "$@" 2>&3
        """;
    return List.of("sh", "-c", "cd '" + folder + "' && " + script, "sh");
  }

  @Test
  void theServerKeepsServingAndStops() throws Exception {
    Map<String, String> environment = Map.of("MAPSTREAM_SHUTDOWN_GRACE_SECONDS", "1");
    try (ChildProcess child =
        ChildProcess.startBy(
            BlockedLogTest::withUnreadError, ChildMain.class, "run", environment)) {
      Call call = child.open().send("fill", "fill-stderr");
      call.answer("fill");
      WireClient others = new WireClient(child.file("s.sock"));
      try {
        for (int i = 0; i < 400; i++) {
          Call refused = others.open().shakeHands();
          refused.send(Codec.handshake()).endsWith(Status.Code.INVALID_ARGUMENT);
        }
      } finally {
        others.close();
      }
      call.send("a", "echo").answer("a");

      call.send("hangs", "hang").results("hangs", 1);
      child.signal("TERM");
      assertEquals(0, child.exitCode());
      child.assertFilesGone();
    }
  }
}
