package io.mapstream.proto;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.ByteString;
import io.mapstream.Datum;
import io.mapstream.Message;
import io.mapstream.Metadata;
import io.mapstream.NackOptions;
import io.mapstream.proto.map.v1.MapRequest;
import io.mapstream.proto.map.v1.MapResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CodecTest {

  private static final Instant TIME = Instant.parse("1969-12-31T23:59:59.5Z");

  private static final NackOptions ALL_OPTIONS =
      NackOptions.builder()
          .reason("later")
          .maxDeliveries(NackOptions.MAX_DELIVERIES_LIMIT)
          .delay(Duration.ofMillis(Long.MAX_VALUE))
          .put("a", "b")
          .build();

  @Test
  void everyFieldOfADatumIsSent() {
    Metadata user = Metadata.empty().with("u", "k", new byte[] {1});
    Metadata system = Metadata.empty().with("s", "k", new byte[] {2});
    MapRequest request =
        Codec.request(
            "7",
            Datum.builder()
                .keys("k1", "")
                .value(new byte[] {0, -1})
                .eventTime(TIME)
                .watermark(TIME.minusNanos(1))
                .header("h", "v")
                .userMetadata(user)
                .systemMetadata(system)
                .build());

    assertEquals("7", request.getId());
    MapRequest.Request body = request.getRequest();
    assertEquals(List.of("k1", ""), body.getKeysList());
    assertEquals(ByteString.copyFrom(new byte[] {0, -1}), body.getValue());
    assertEquals(-1, body.getEventTime().getSeconds());
    assertEquals(500_000_000, body.getEventTime().getNanos());
    assertEquals(499_999_999, body.getWatermark().getNanos());
    assertEquals(Map.of("h", "v"), body.getHeadersMap());
    assertEquals(user, Codec.metadata(body.getMetadata().getUserMetadataMap()));
    assertEquals(system, Codec.metadata(body.getMetadata().getSysMetadataMap()));
  }

  @Test
  void aDatumWithoutMetadataHasNoneOnTheWire() {
    Datum datum = Datum.builder().eventTime(TIME).watermark(TIME).build();

    assertFalse(Codec.request("1", datum).getRequest().hasMetadata());
  }

  @Test
  void nackOptionsComeBackAsTheyWere() {
    for (NackOptions options :
        List.of(
            ALL_OPTIONS,
            NackOptions.builder().build(),
            NackOptions.builder().reason("").maxDeliveries(0).delay(Duration.ZERO).build())) {
      assertEquals(options, Codec.nackOptions(Codec.nackOptions(options)));
    }
  }

  @Test
  void aNackWithAllItsOptionsIsAMessage() {
    var result =
        MapResponse.Result.newBuilder()
            .addKeys("k")
            .addTags(Message.NACK_TAG)
            .addTags("t")
            .setNackOptions(Codec.nackOptions(ALL_OPTIONS))
            .build();

    assertEquals(Message.toNack(ALL_OPTIONS).withKeys("k").withTags("t"), Codec.message(result));
  }

  @Test
  void whatNoMessageCanBeIsRefused() {
    var twoMarks =
        MapResponse.Result.newBuilder().addTags(Message.DROP_TAG).addTags(Message.FAIL_TAG).build();
    var delay = io.mapstream.proto.nackoptions.NackOptions.newBuilder().setDelay(-1).build();

    assertThrows(IllegalArgumentException.class, () -> Codec.message(twoMarks));
    assertThrows(IllegalArgumentException.class, () -> Codec.nackOptions(delay));
  }
}
