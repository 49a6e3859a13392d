package io.mapstream.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.google.protobuf.ByteString;
import io.mapstream.Datum;
import io.mapstream.Message;
import io.mapstream.Metadata;
import io.mapstream.NackOptions;
import io.mapstream.proto.Codec;
import io.mapstream.proto.map.v1.MapRequest;
import io.mapstream.proto.map.v1.MapResponse;
import io.mapstream.proto.metadata.KeyValueGroup;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** How fields of the API map to the wire, and vice versa. */
class FieldsTest {

  private static final Instant EVENT_TIME = Instant.ofEpochSecond(1_700_000_000, 123_456_789);
  private static final Instant WATERMARK = Instant.ofEpochSecond(1_600_000_000);

  @AutoClose private final TestServer server = new TestServer();

  /** A message as a handler emits it and as the generated classes read it. */
  record OnTheWire(String name, Message message, MapResponse.Result.Builder result) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static MapResponse.Result.Builder result(String value) {
    return MapResponse.Result.newBuilder().setValue(ByteString.copyFrom(value, UTF_8));
  }

  private static KeyValueGroup group(String key, String value) {
    return KeyValueGroup.newBuilder().putKeyValue(key, ByteString.copyFrom(value, UTF_8)).build();
  }

  static Stream<OnTheWire> messages() {
    String longKey = "k".repeat(100_000);
    return Stream.of(
        new OnTheWire("a value", Message.of("v"), result("v")),
        new OnTheWire("nothing at all", Message.of(new byte[0]), result("")),
        new OnTheWire(
            "keys and tags",
            new Message("v".getBytes(UTF_8), List.of("k1", "k2"), List.of("t1", "t2", "t3")),
            result("v").addKeys("k1").addKeys("k2").addTags("t1").addTags("t2").addTags("t3")),
        new OnTheWire(
            "empty keys and tags",
            Message.of("", List.of("", ""), List.of("")),
            result("").addKeys("").addKeys("").addTags("")),
        new OnTheWire(
            "keys and tags of any script",
            Message.of("ß").withKeys("地球", "🌍").withTags("É"),
            result("ß").addKeys("地球").addKeys("🌍").addTags("É")),
        new OnTheWire(
            "large keys",
            Message.of("v").withKeys(longKey, longKey),
            result("v").addKeys(longKey).addKeys(longKey)),
        new OnTheWire(
            "a large value", Message.of("v".repeat(3_000_000)), result("v".repeat(3_000_000))),
        new OnTheWire("drop", Message.toDrop(), result("").addTags("U+005C__DROP__")),
        new OnTheWire("nack", Message.toNack(), result("").addTags("U+005C__NACK__")),
        new OnTheWire(
            "nack with all options",
            Message.toNack(
                NackOptions.builder()
                    .reason("too early")
                    .maxDeliveries(NackOptions.MAX_DELIVERIES_LIMIT)
                    .delay(Duration.ofSeconds(90))
                    .put("queue", "slow")
                    .build()),
            result("")
                .addTags("U+005C__NACK__")
                .setNackOptions(
                    io.mapstream.proto.nackoptions.NackOptions.newBuilder()
                        .setReason("too early")
                        .setMaxDeliveries(-1)
                        .setDelay(90_000)
                        .putNackMap("queue", "slow"))),
        new OnTheWire(
            "nack with options that are zero, which is not absent",
            Message.toNack(
                NackOptions.builder().reason("").maxDeliveries(0).delay(Duration.ZERO).build()),
            result("")
                .addTags("U+005C__NACK__")
                .setNackOptions(
                    io.mapstream.proto.nackoptions.NackOptions.newBuilder()
                        .setReason("")
                        .setMaxDeliveries(0)
                        .setDelay(0))),
        new OnTheWire(
            "nack with empty options",
            Message.toNack(NackOptions.builder().build()),
            result("")
                .addTags("U+005C__NACK__")
                .setNackOptions(io.mapstream.proto.nackoptions.NackOptions.getDefaultInstance())),
        new OnTheWire("fail", Message.toFail(), result("").addTags("U+005C__FAIL__")),
        new OnTheWire(
            "user metadata",
            Message.of("v")
                .withUserMetadata(
                    Metadata.empty().with("g1", "k", "x").with("g2", "k", new byte[0])),
            result("v")
                .setMetadata(
                    io.mapstream.proto.metadata.Metadata.newBuilder()
                        .putUserMetadata("g1", group("k", "x"))
                        .putUserMetadata("g2", group("k", "")))));
  }

  @ParameterizedTest
  @MethodSource("messages")
  void emittedMessageArrivesField(OnTheWire expected) throws Exception {
    server.start((keys, datum, sink) -> sink.emit(expected.message()));
    assertEquals(
        List.of(expected.result().build()), server.open().send("1", "").answer("1").results());
  }

  private Datum receivedBy(MapRequest.Request.Builder body) throws Exception {
    BlockingQueue<Datum> received = new LinkedBlockingQueue<>();
    server.start((keys, datum, sink) -> {
      assertEquals(datum.keys(), keys);
      received.add(datum);
    });
    server.open().send(Requests.datum("1", body)).answer("1");
    return received.poll(Waits.LIMIT.toSeconds(), TimeUnit.SECONDS);
  }

  @Test
  void datumWithOnlyTimesIsEmpty() throws Exception {
    assertEquals(
        Datum.of(List.of(), new byte[0], EVENT_TIME, WATERMARK, Map.of()),
        receivedBy(Requests.body("")));
  }

  @Test
  void everyFieldOfARequestReachesTheHandler() throws Exception {
    assertEquals(
        Datum.builder()
            .keys("k1", "", "地球")
            .text("v")
            .eventTime(EVENT_TIME)
            .watermark(WATERMARK)
            .header("x", "y")
            .header("", "")
            .userMetadata(Metadata.empty().with("u", "k", "of the user"))
            .systemMetadata(Metadata.empty().with("tracing_udf", "traceparent", "00-1-2-01"))
            .build(),
        receivedBy(
            Requests.body("v")
                .addKeys("k1")
                .addKeys("")
                .addKeys("地球")
                .putHeaders("x", "y")
                .putHeaders("", "")
                .setMetadata(
                    io.mapstream.proto.metadata.Metadata.newBuilder()
                        .setPreviousVertex("in")
                        .putUserMetadata("u", group("k", "of the user"))
                        .putSysMetadata("tracing_udf", group("traceparent", "00-1-2-01")))));
  }

  @Test
  void aLargeRequestReachesTheHandlerWhole() throws Exception {
    String key = "k".repeat(200_000);
    Datum datum = receivedBy(Requests.body("v".repeat(5_000_000)).addKeys(key).addKeys("last"));

    assertEquals("v".repeat(5_000_000), datum.text());
    assertEquals(List.of(key, "last"), datum.keys());
  }

  @Test
  void aCompressedRequestReachesTheHandlerWhole() throws Exception {
    BlockingQueue<Datum> received = new LinkedBlockingQueue<>();
    server
        .with(options -> options.maxConcurrency(1))
        .start((keys, datum, sink) -> received.add(datum));
    try (RawConnection client = new RawConnection(server.socket())) {
      client
          .hello()
          .call(1, "grpc-encoding", "gzip")
          .gzipped(1, Codec.handshake().toByteArray())
          .gzipped(1, Requests.datum("1", "v".repeat(100)).toByteArray())
          .gzipped(1, Requests.datum("2", "v".repeat(100_000)).toByteArray())
          .halfClose(1)
          .awaitEnd(1);

      assertEquals("0", client.received(1).header("grpc-status"));
      assertEquals(100, received.remove().value().length);
      assertEquals(100_000, received.remove().value().length);
    }
  }

  @Test
  void systemMetadataIsNotSentBack() throws Exception {
    server.start((keys, datum, sink) -> {
      assertFalse(datum.systemMetadata().isEmpty());
      sink.emit(Message.of("v").withUserMetadata(datum.userMetadata()));
    });
    var metadata =
        io.mapstream.proto.metadata.Metadata.newBuilder()
            .setPreviousVertex("in")
            .putUserMetadata("u", group("k", "v"))
            .putSysMetadata("s", group("k", "v"));
    var results =
        server
            .open()
            .send(Requests.datum("1", Requests.body("").setMetadata(metadata)))
            .answer("1")
            .results();

    assertEquals(
        metadata.clearPreviousVertex().clearSysMetadata().build(), results.get(0).getMetadata());
  }
}
