package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Empty;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What a client hears before it sends data, and beside it. */
@ParameterizedClass
@EnumSource(SocketTransport.Kind.class)
class ReadinessTest {

  private final SocketTransport.Kind kind;

  ReadinessTest(SocketTransport.Kind kind) {
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
    CountDownLatch started = new CountDownLatch(1);
    CountDownLatch gate = new CountDownLatch(1);
    try (TestServer server =
        TestServer.start(
            kind,
            (keys, datum, sink) -> {
              started.countDown();
              Waits.await(gate);
            })) {
      WireClient client = server.connect();
      Call call = client.open().shakeHands().send("1", "");
      Waits.await(started);
      var closed = Waits.inBackground(server.server()::close);

      StatusRuntimeException refused;
      do { // until the stop has begun
        refused = null;
        try {
          assertTrue(client.isReady());
        } catch (StatusRuntimeException e) {
          refused = e;
        }
      } while (refused == null);

      assertEquals(Status.Code.UNAVAILABLE, refused.getStatus().getCode(), refused::toString);
      gate.countDown();
      assertEquals(1, call.answer("1").eots());
      call.endsWith(Status.Code.UNAVAILABLE);
      Waits.get(closed);
    }
  }

  @Test
  void unknownMethodIsUnimplemented() throws Exception {
    var unknown =
        MethodDescriptor.<Empty, Empty>newBuilder()
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName("map.v1.Map/Unknown")
            .setRequestMarshaller(ProtoUtils.marshaller(Empty.getDefaultInstance()))
            .setResponseMarshaller(ProtoUtils.marshaller(Empty.getDefaultInstance()))
            .build();
    try (TestServer server = TestServer.start(kind, (keys, datum, sink) -> {})) {
      WireClient client = server.connect();

      StatusRuntimeException refused =
          assertThrows(
              StatusRuntimeException.class,
              () ->
                  ClientCalls.blockingUnaryCall(
                      client.channel(), unknown, client.limited(), Empty.getDefaultInstance()));

      assertEquals(Status.Code.UNIMPLEMENTED, refused.getStatus().getCode());
      assertTrue(client.isReady());
      assertEquals(List.of(), client.open().shakeHands().send("1", "").answer("1").texts());
    }
  }
}
