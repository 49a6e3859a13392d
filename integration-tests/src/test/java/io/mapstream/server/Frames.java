package io.mapstream.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import io.mapstream.proto.map.v1.Handshake;
import io.mapstream.proto.map.v1.MapRequest;
import io.mapstream.proto.map.v1.TransmissionStatus;

/** What a client sends. */
final class Frames {

  static final Timestamp EVENT_TIME =
      Timestamp.newBuilder().setSeconds(1_700_000_000).setNanos(123_456_789).build();
  static final Timestamp WATERMARK = Timestamp.newBuilder().setSeconds(1_600_000_000).build();

  private Frames() {}

  static MapRequest handshake() {
    return handshake(true);
  }

  static MapRequest handshake(boolean sot) {
    return MapRequest.newBuilder().setHandshake(Handshake.newBuilder().setSot(sot)).build();
  }

  static MapRequest datum(String id, String text) {
    return datum(id, body(text));
  }

  static MapRequest datum(String id, MapRequest.Request.Builder body) {
    return MapRequest.newBuilder().setId(id).setRequest(body).build();
  }

  static MapRequest.Request.Builder body(String text) {
    return MapRequest.Request.newBuilder()
        .setValue(ByteString.copyFrom(text, UTF_8))
        .setEventTime(EVENT_TIME)
        .setWatermark(WATERMARK);
  }

  static MapRequest eot(String id) {
    return MapRequest.newBuilder()
        .setId(id)
        .setStatus(TransmissionStatus.newBuilder().setEot(true))
        .build();
  }
}
