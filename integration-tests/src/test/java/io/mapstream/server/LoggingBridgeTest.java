package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Which loggers are bridged, beside what the application has installed. */
class LoggingBridgeTest {

  /** SLF4J's lines name the logger before the text, those of java.util.logging the level. */
  private static List<String> logged(String installed) throws Exception {
    try (ChildProcess child = ChildProcess.start(LoggingMain.class, installed, Map.of())) {
      assertEquals(0, child.exitCode(), child.err());
      return child.err().lines().filter(line -> line.contains(" of ")).toList();
    }
  }

  @Test
  void onlyGrpcsLoggersAreBridgedAndOnce() throws Exception {
    assertEquals(
        List.of("[main] WARN io.grpc.netty.Some - of gRPC", "WARNING: of others"),
        logged("nothing"));
  }

  @Test
  void theApplicationsBridgeForAllTakesTheOthers() throws Exception {
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
  void linesOfTheEventLoopAreWrittenElsewhereAndCounted() throws Exception {
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

  @Test
  void aMessageAboveTheLimitIsToldByItsStreamAlone() throws Exception {
    assertEquals(
        List.of(
            "[main] WARN io.grpc.netty.shaded.io.grpc.netty.NettyServerStream - of another kind"),
        logged("a message above the limit"));
  }
}
