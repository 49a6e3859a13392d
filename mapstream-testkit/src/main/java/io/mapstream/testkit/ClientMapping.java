package io.mapstream.testkit;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import com.google.protobuf.UnsafeByteOperations;
import io.mapstream.Datum;
import io.mapstream.Message;
import io.mapstream.Metadata;
import io.mapstream.NackOptions;
import io.mapstream.proto.map.v1.Handshake;
import io.mapstream.proto.map.v1.MapRequest;
import io.mapstream.proto.map.v1.MapResponse;
import io.mapstream.proto.metadata.KeyValueGroup;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/** The API's values to the wire and back, from the client's side, as pure functions. */
final class ClientMapping {

  private ClientMapping() {}

  static MapRequest handshake() {
    return MapRequest.newBuilder().setHandshake(Handshake.newBuilder().setSot(true)).build();
  }

  static MapRequest request(String id, Datum datum) {
    var request =
        MapRequest.Request.newBuilder()
            .addAllKeys(datum.keys())
            .setValue(UnsafeByteOperations.unsafeWrap(datum.value()))
            .setEventTime(timestamp(datum.eventTime()))
            .setWatermark(timestamp(datum.watermark()))
            .putAllHeaders(datum.headers());
    if (!datum.userMetadata().isEmpty() || !datum.systemMetadata().isEmpty()) {
      request.setMetadata(
          io.mapstream.proto.metadata.Metadata.newBuilder()
              .putAllUserMetadata(groups(datum.userMetadata()))
              .putAllSysMetadata(groups(datum.systemMetadata())));
    }
    return MapRequest.newBuilder().setId(id).setRequest(request).build();
  }

  private static Timestamp timestamp(Instant time) {
    return Timestamp.newBuilder()
        .setSeconds(time.getEpochSecond())
        .setNanos(time.getNano())
        .build();
  }

  private static Map<String, KeyValueGroup> groups(Metadata metadata) {
    Map<String, KeyValueGroup> groups = new HashMap<>();
    metadata
        .asMap()
        .forEach((name, values) -> {
          var group = KeyValueGroup.newBuilder();
          values.forEach((key, bytes) -> group.putKeyValue(key, ByteString.copyFrom(bytes)));
          groups.put(name, group.build());
        });
    return groups;
  }

  /**
   * A message as the server's handler made it.
   *
   * @throws IllegalArgumentException if no message can be like that: it has two marks
   */
  static Message message(MapResponse.Result result) {
    Message message =
        new Message(result.getValue().toByteArray(), result.getKeysList(), result.getTagsList());
    if (message.isNack() && result.hasNackOptions()) {
      // A value beside the mark is of no use to the platform, and a message has no place for both.
      message =
          Message.toNack(nackOptions(result.getNackOptions()))
              .withKeys(result.getKeysList())
              .withTags(result.getTagsList());
    }
    if (result.getMetadata().getUserMetadataCount() == 0) {
      return message;
    }
    return message.withUserMetadata(metadata(result.getMetadata().getUserMetadataMap()));
  }

  private static NackOptions nackOptions(io.mapstream.proto.nackoptions.NackOptions options) {
    var builder = NackOptions.builder().nackMap(options.getNackMapMap());
    if (options.hasReason()) {
      builder.reason(options.getReason());
    }
    if (options.hasMaxDeliveries()) {
      builder.maxDeliveries(Integer.toUnsignedLong(options.getMaxDeliveries()));
    }
    if (options.hasDelay()) {
      builder.delay(Duration.ofMillis(options.getDelay()));
    }
    return builder.build();
  }

  private static Metadata metadata(Map<String, KeyValueGroup> groups) {
    Map<String, Map<String, byte[]>> values = new HashMap<>();
    groups.forEach((name, group) -> {
      Map<String, byte[]> entries = new HashMap<>();
      group.getKeyValueMap().forEach((key, bytes) -> entries.put(key, bytes.toByteArray()));
      values.put(name, entries);
    });
    return Metadata.of(values);
  }
}
