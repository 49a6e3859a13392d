package io.mapstream.server;

import io.grpc.Status;
import io.mapstream.proto.Codec;
import io.mapstream.testkit.MapStreamClient;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** A process whose standard error is a full pipe that is not read. */
class BlockedLogTest {

  @AutoClose private final ChildProcess child = new ChildProcess();

  @Test
  void theServerKeepsServingAndStops() throws Exception {
    // The shell keeps both ends of the pipe open, and reads nothing.
    child
        .env("MAPSTREAM_SHUTDOWN_GRACE_SECONDS", "1")
        .byShell("mkfifo pipe && exec 3<>pipe && exec \"$@\" 2>&3")
        .start("run");
    Call call = child.open().send("fill", "fill-stderr");
    call.answer("fill");
    MapStreamClient others = child.connect();
    for (int i = 0; i < 400; i++) {
      Call.open(others).send(Codec.handshake()).endsWith(Status.Code.INVALID_ARGUMENT);
    }
    call.send("a", "echo").answer("a");

    call.send("hangs", "hang").results("hangs", 1);
    child.stop();
    child.assertFilesGone();
  }
}
