package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.mapstream.Message;
import io.mapstream.MessageTooLargeException;
import io.mapstream.proto.map.v1.MapResponse;
import io.mapstream.testkit.MapStreamClient;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** No response above the limit is ever written, and no request above it is read. */
class SizeLimitTest {

  @AutoClose private final TestServer server = new TestServer();

  /** The length of the longest value that fits with the id "1"; the rest is tags and lengths. */
  private static int longestValue(int limit) {
    int length = limit;
    while (responseSize(length) > limit) {
      length--;
    }
    return length;
  }

  private static int responseSize(int value) {
    return MapResponse.newBuilder()
        .setId("1")
        .addResults(MapResponse.Result.newBuilder().setValue(ByteString.copyFrom(new byte[value])))
        .build()
        .getSerializedSize();
  }

  @ParameterizedTest
  @ValueSource(ints = {100, 1_000, 1_030, 100_000, 3_000_000})
  void aResponseJustBelowTheLimitPassesAndOneAboveFailsInEmit(int limit) throws Exception {
    int longest = longestValue(limit);
    BlockingQueue<MessageTooLargeException> refused = new LinkedBlockingQueue<>();
    server
        .with(options -> options.maxMessageSize(limit))
        .start((keys, datum, sink) -> {
          try {
            sink.emit(new byte[longest + 1]);
          } catch (MessageTooLargeException e) {
            refused.add(e);
          }
          sink.emit(new byte[longest]);
          sink.emit(Message.of("last"));
        });
    Call.Received received = server.open().send("1", "").answer("1");

    assertEquals(
        List.of(longest, 4),
        received.results().stream().map(r -> r.getValue().size()).toList(),
        "sizes");
    assertEquals(limit, received.sizes.getMax(), "the longest value fills a response by itself");
    assertEquals(responseSize(longest + 1), refused.element().size());
    assertEquals(limit, refused.element().limit());
    String message = refused.element().getMessage();
    assertTrue(message.contains(" " + responseSize(longest + 1) + " bytes"), message);
    assertTrue(message.contains(" " + limit + " bytes"), message);
  }

  /**
   * The client reads slowly, so that results accumulate; merged responses also keep to the limit.
   */
  @Test
  void resultsAreNeverMergedAboveTheLimit() throws Exception {
    int limit = 1_000;
    server
        .with(options -> options.maxMessageSize(limit))
        .start((keys, datum, sink) -> {
          for (int i = 0; i < 5_000; i++) {
            sink.emit(new byte[i % 400]);
          }
        });
    Call call = server.openPaused().send("1", "");
    call.readAll();
    Call.Received received = call.answer("1");

    assertEquals(5_000, received.results().size());
    assertTrue(received.sizes.getCount() < 5_000, "nothing was merged");
    assertTrue(received.sizes.getMax() <= limit, () -> received.sizes.getMax() + " bytes");
  }

  private void start(int limit) throws Exception {
    server
        .with(options -> options.maxMessageSize(limit))
        .start((keys, datum, sink) -> sink.emit(Message.of("served")));
  }

  @Test
  void aFirstRequestAboveTheLimitIsRefusedAsResourceExhausted() throws Exception {
    start(10_000);
    Call call = new Call(server.connect()).send("1", "v".repeat(10_001));

    call.endsWith(Status.Code.RESOURCE_EXHAUSTED);
    assertEquals(Map.of(FailureKind.REQUEST_TOO_LARGE, 1L), server.failures());
  }

  @Test
  void aLaterRequestAboveTheLimitEndsOnlyItsStreamAndIsReported() throws Exception {
    start(10_000);
    MapStreamClient client = server.connect();
    Call other = Call.open(client);
    Call call = Call.open(client).send("large", "v".repeat(10_001));

    Status end = call.end();

    assertEquals(Status.Code.RESOURCE_EXHAUSTED, end.getCode());
    String said = String.valueOf(end.getDescription());
    assertTrue(
        said.matches(
            "a request of 10\\d{3} bytes is above the limit of 10000 bytes \\(maxMessageSize\\),"
                + " id \"large\""),
        said);
    assertEquals(0, call.eots());
    assertEquals(Map.of(FailureKind.REQUEST_TOO_LARGE, 1L), server.failures());
    assertEquals(List.of("served"), other.send("1", "v".repeat(9_000)).answer("1").texts());
  }

  /**
   * Far above the limit, gRPC resets the stream itself, without a status if the response's headers
   * have been sent (grpc-java issue 11245). The server still counts and reports it.
   */
  @Test
  void aRequestFarAboveTheLimitResetsItsStreamAndIsCounted() throws Exception {
    start(10_000);
    MapStreamClient client = server.connect();
    Call other = Call.open(client);
    Call call = Call.open(client).send("large", "v".repeat(10_000 + Tuning.RECEIVE_WINDOW));

    call.endsWith(Status.Code.CANCELLED);

    assertEquals(0, call.eots());
    assertEquals(Map.of(FailureKind.REQUEST_TOO_LARGE, 1L), server.failures());
    assertEquals(List.of("served"), other.send("1", "v".repeat(9_000)).answer("1").texts());
  }
}
