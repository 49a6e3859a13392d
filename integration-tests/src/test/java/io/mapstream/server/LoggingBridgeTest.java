package io.mapstream.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Which loggers are bridged, in addition to what the application has installed. */
class LoggingBridgeTest {

  @AutoClose private final ChildProcess child = new ChildProcess();

  /** Lines of SLF4J have the logger before the text, those of java.util.logging the level. */
  private List<String> logged(String installed) throws Exception {
    child.start(LoggingMain.class, installed);
    assertEquals(0, child.exitCode(), child.err());
    return child.err().lines().filter(line -> line.contains(" of ")).toList();
  }

  @Test
  void onlyGrpcsLoggersAreBridgedAndOnce() throws Exception {
    assertEquals(
        List.of("[main] WARN io.grpc.netty.Some - of gRPC", "WARNING: of others"),
        logged("nothing"));
  }

  @Test
  void theApplicationsBridgeForAllHandlesTheOtherLoggers() throws Exception {
    assertEquals(
        List.of(
            "[main] WARN io.grpc.netty.Some - of gRPC",
            "[main] WARN com.example.Other - of others"),
        logged("a bridge for all"));
  }

  @Test
  void theApplicationsBridgeForGrpcIsReplaced() throws Exception {
    assertEquals(
        List.of("[main] WARN io.grpc.netty.Some - of gRPC", "WARNING: of others"),
        logged("a bridge for gRPC"));
  }

  @Test
  void linesOfTheEventLoopAreWrittenByAnotherThreadAndCounted() throws Exception {
    assertEquals(
        List.of(
            "[mapstream-log] WARN io.grpc.netty.Some - flood of 0",
            "[mapstream-log] WARN io.grpc.netty.Some - 30 more in 10 s, the last: flood of 30"),
        logged("a flood on the event loop"));
  }

  @Test
  void framesWithPayloadAreNotLogged() throws Exception {
    assertEquals(
        List.of(
            "[main] DEBUG io.grpc.netty.Some - of gRPC",
            "[main] INFO io.grpc.netty.shaded.io.grpc.netty.NettyServerHandler - of its own"),
        logged("everything"));
  }

  /** Otherwise Netty itself would log them by SLF4J, on the event loop. */
  @Test
  void aServerThatLogsEverythingLogsNoPayload() throws Exception {
    child
        .java(
            "-Dorg.slf4j.simpleLogger.log.io.grpc=trace",
            "-Dorg.slf4j.simpleLogger.log.io.grpc.netty.shaded=trace")
        .start("run");
    child.open().send("1", "echo secret").answer("1");
    child.stop();

    String secret = HexFormat.of().formatHex("secret".getBytes(UTF_8));
    assertFalse(child.err().contains(secret), child.err());
    assertFalse(child.err().contains("NettyServerHandler"), child.err());
  }

  @Test
  void aMessageAboveTheLimitIsReportedOnlyByItsStream() throws Exception {
    assertEquals(
        List.of(
            "[main] WARN io.grpc.netty.shaded.io.grpc.netty.NettyServerStream - of another kind"),
        logged("a message above the limit"));
  }
}
