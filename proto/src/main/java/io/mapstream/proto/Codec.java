package io.mapstream.proto;

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

/**
 * Converts between the API's values and generated messages, by pure functions. Encoding shares
 * arrays, decoding copies them.
 *
 * <p>The server decodes requests and encodes results itself, without generated messages in between.
 * Everything else uses this class: clients, and the server for metadata and nack options.
 */
public final class Codec {

  private Codec() {}

  /** {@return the first request of a stream} */
  public static MapRequest handshake() {
    return handshake(true);
  }

  /**
   * Returns a handshake, valid or not.
   *
   * @param sot true for the one that the protocol requires
   * @return the request
   */
  public static MapRequest handshake(boolean sot) {
    return MapRequest.newBuilder().setHandshake(Handshake.newBuilder().setSot(sot)).build();
  }

  /**
   * Encodes a datum.
   *
   * @param id the id to send it under
   * @param datum the datum, of which all fields are sent
   * @return the request
   */
  public static MapRequest request(String id, Datum datum) {
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

  /**
   * Decodes a message as the server's handler emitted it.
   *
   * @param result one result of a response
   * @return the message
   * @throws IllegalArgumentException if it is not a valid message, for instance with two marks
   */
  public static Message message(MapResponse.Result result) {
    Message message =
        new Message(result.getValue().toByteArray(), result.getKeysList(), result.getTagsList());
    if (message.isNack() && result.hasNackOptions()) {
      // The platform ignores a value next to the mark, and a message can't have both.
      message =
          Message.toNack(nackOptions(result.getNackOptions()))
              .withKeys(result.getKeysList())
              .withTags(result.getTagsList());
    }
    return result.getMetadata().getUserMetadataCount() == 0
        ? message
        : message.withUserMetadata(metadata(result.getMetadata().getUserMetadataMap()));
  }

  /**
   * Encodes user or system metadata.
   *
   * @param metadata the groups
   * @return the groups by their names
   */
  public static Map<String, KeyValueGroup> groups(Metadata metadata) {
    Map<String, KeyValueGroup> groups = new HashMap<>();
    metadata
        .asMap()
        .forEach((name, values) -> {
          var group = KeyValueGroup.newBuilder();
          values.forEach(
              (key, bytes) -> group.putKeyValue(key, UnsafeByteOperations.unsafeWrap(bytes)));
          groups.put(name, group.build());
        });
    return groups;
  }

  /**
   * Decodes metadata.
   *
   * @param groups the groups by their names
   * @return the metadata
   */
  public static Metadata metadata(Map<String, KeyValueGroup> groups) {
    Map<String, Map<String, byte[]>> values = new HashMap<>();
    groups.forEach((name, group) -> {
      Map<String, byte[]> entries = new HashMap<>();
      group.getKeyValueMap().forEach((key, bytes) -> entries.put(key, bytes.toByteArray()));
      values.put(name, entries);
    });
    return Metadata.of(values);
  }

  /**
   * Encodes the options of a nack.
   *
   * @param options the options; absent ones stay absent
   * @return the options on the wire
   */
  public static io.mapstream.proto.nackoptions.NackOptions nackOptions(NackOptions options) {
    var wire = io.mapstream.proto.nackoptions.NackOptions.newBuilder();
    options.reason().ifPresent(wire::setReason);
    options.maxDeliveries().ifPresent(count -> wire.setMaxDeliveries((int) count));
    options.delay().map(Duration::toMillis).ifPresent(wire::setDelay);
    return wire.putAllNackMap(options.nackMap()).build();
  }

  /**
   * Decodes the options of a nack.
   *
   * @param wire the options on the wire
   * @return the options
   * @throws IllegalArgumentException if the delay exceeds {@link Long#MAX_VALUE} milliseconds
   */
  public static NackOptions nackOptions(io.mapstream.proto.nackoptions.NackOptions wire) {
    var options = NackOptions.builder().nackMap(wire.getNackMapMap());
    if (wire.hasReason()) {
      options.reason(wire.getReason());
    }
    if (wire.hasMaxDeliveries()) {
      options.maxDeliveries(Integer.toUnsignedLong(wire.getMaxDeliveries()));
    }
    if (wire.hasDelay()) {
      options.delay(Duration.ofMillis(wire.getDelay()));
    }
    return options.build();
  }
}
