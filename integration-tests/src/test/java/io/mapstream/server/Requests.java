package io.mapstream.server;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import io.mapstream.proto.map.v1.MapRequest;
import io.mapstream.proto.map.v1.TransmissionStatus;

/** Requests of a client; for the handshake, see {@link io.mapstream.proto.Codec#handshake()}. */
final class Requests {

  static final Timestamp EVENT_TIME =
      Timestamp.newBuilder().setSeconds(1_700_000_000).setNanos(123_456_789).build();
  static final Timestamp WATERMARK = Timestamp.newBuilder().setSeconds(1_600_000_000).build();

  private Requests() {}

  static MapRequest datum(String id, String text) {
    return datum(id, body(text));
  }

  static MapRequest datum(String id, MapRequest.Request.Builder body) {
    return MapRequest.newBuilder().setId(id).setRequest(body).build();
  }

  static MapRequest.Request.Builder body(String text) {
    return MapRequest.Request.newBuilder()
        .setValue(ByteString.copyFromUtf8(text))
        .setEventTime(EVENT_TIME)
        .setWatermark(WATERMARK);
  }

  /** A datum of at least {@code size} bytes for the {@link ScriptedHandler}, its id as its key. */
  static MapRequest scripted(String id, String script, int size) {
    String line = script + "\n";
    return datum(id, body(line + "\0".repeat(Math.max(0, size - line.length()))).addKeys(id));
  }

  static MapRequest eot(String id) {
    return MapRequest.newBuilder()
        .setId(id)
        .setStatus(TransmissionStatus.newBuilder().setEot(true))
        .build();
  }
}
