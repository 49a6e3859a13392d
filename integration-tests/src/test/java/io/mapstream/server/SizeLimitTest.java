package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.mapstream.Message;
import io.mapstream.MessageTooLargeException;
import io.mapstream.proto.map.v1.MapResponse;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** No response above the limit is ever written, and no request above it is read. */
class SizeLimitTest {

  private static final InternalSocketKind KIND = InternalSocketKind.best();

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
    try (TestServer server =
        TestServer.start(
            KIND,
            (keys, datum, sink) -> {
              try {
                sink.emit(new byte[longest + 1]);
              } catch (MessageTooLargeException e) {
                refused.add(e);
              }
              sink.emit(new byte[longest]);
              sink.emit(Message.of("last"));
            },
            options -> options.maxMessageSize(limit))) {
      Call.Received received = server.open().send("1", "").answer("1");

      assertEquals(
          List.of(longest, 4),
          received.results().stream().map(r -> r.getValue().size()).toList(),
          "sizes");
      assertEquals(limit, received.largest(), "the longest value fills a response by itself");
      assertEquals(responseSize(longest + 1), refused.element().size());
      assertEquals(limit, refused.element().limit());
      String message = refused.element().getMessage();
      assertTrue(message.contains(" " + responseSize(longest + 1) + " bytes"), message);
      assertTrue(message.contains(" " + limit + " bytes"), message);
    }
  }

  /**
   * The client reads slowly, so that results accumulate; merged responses also keep to the limit.
   */
  @Test
  void resultsAreNeverMergedAboveTheLimit() throws Exception {
    int limit = 1_000;
    try (TestServer server =
        TestServer.start(
            KIND,
            (keys, datum, sink) -> {
              for (int i = 0; i < 5_000; i++) {
                sink.emit(new byte[i % 400]);
              }
            },
            options -> options.maxMessageSize(limit))) {
      Call call = server.connect().openReading(1).shakeHands().send("1", "");
      call.request(Integer.MAX_VALUE - 1);
      Call.Received received = call.answer("1");

      assertEquals(5_000, received.results().size());
      assertTrue(received.responses() < 5_000, "nothing was merged");
      assertTrue(received.largest() <= limit, () -> received.largest() + " bytes");
    }
  }

  private static void assertOnlyFailure(TestServer server, FailureKind kind) {
    Map<FailureKind, Long> failures = new EnumMap<>(server.server().metrics().failures());
    failures.values().removeIf(count -> count == 0);
    assertEquals(Map.of(kind, 1L), failures);
  }

  private static TestServer start(int limit) throws Exception {
    return TestServer.start(
        KIND,
        (keys, datum, sink) -> sink.emit(Message.of("served")),
        options -> options.maxMessageSize(limit));
  }

  @Test
  void aFirstRequestAboveTheLimitIsRefusedAsResourceExhausted() throws Exception {
    try (TestServer server = start(10_000)) {
      Call call = server.connect().open().send("1", "v".repeat(10_001));

      call.endsWith(Status.Code.RESOURCE_EXHAUSTED);
      assertOnlyFailure(server, FailureKind.REQUEST_TOO_LARGE);
    }
  }

  @Test
  void aLaterRequestAboveTheLimitEndsOnlyItsStreamAndIsReported() throws Exception {
    try (TestServer server = start(10_000)) {
      WireClient client = server.connect();
      Call other = client.open().shakeHands();
      Call call = client.open().shakeHands().send("large", "v".repeat(10_001));

      Status end = call.end();

      assertEquals(Status.Code.RESOURCE_EXHAUSTED, end.getCode());
      String said = String.valueOf(end.getDescription());
      assertTrue(
          said.matches(
              "a request of 10\\d{3} bytes is above the limit of 10000 bytes \\(maxMessageSize\\),"
                  + " id \"large\""),
          said);
      assertEquals(0, call.eots());
      assertOnlyFailure(server, FailureKind.REQUEST_TOO_LARGE);
      assertEquals(List.of("served"), other.send("1", "v".repeat(9_000)).answer("1").texts());
    }
  }

  /**
   * Far above the limit, gRPC resets the stream itself, without a status if the response's headers
   * have been sent (grpc-java issue 11245). The server still counts and reports it.
   */
  @Test
  void aRequestFarAboveTheLimitResetsItsStreamAndIsCounted() throws Exception {
    try (TestServer server = start(10_000)) {
      WireClient client = server.connect();
      Call other = client.open().shakeHands();
      Call call =
          client.open().shakeHands().send("large", "v".repeat(10_000 + Tuning.RECEIVE_WINDOW));

      call.endsWith(Status.Code.CANCELLED);

      assertEquals(0, call.eots());
      assertOnlyFailure(server, FailureKind.REQUEST_TOO_LARGE);
      assertEquals(List.of("served"), other.send("1", "v".repeat(9_000)).answer("1").texts());
    }
  }
}
