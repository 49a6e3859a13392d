package io.mapstream.testkit;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.mapstream.Message;
import io.mapstream.Metadata;
import io.mapstream.NackOptions;
import io.mapstream.proto.map.v1.MapResponse;
import io.mapstream.proto.metadata.KeyValueGroup;
import java.time.Duration;

/**
 * How long the response is in which a server sends one message on its own: what its limit counts.
 * The size is asked of the generated classes, and nothing is encoded for it.
 */
final class ResponseSize {

  private ResponseSize() {}

  static long of(String id, Message message) {
    var result =
        MapResponse.Result.newBuilder()
            .addAllKeys(message.keys())
            .setValue(wrapped(message.value()))
            .addAllTags(message.tags());
    if (!message.userMetadata().isEmpty()) {
      result.setMetadata(userMetadata(message.userMetadata()));
    }
    message.nackOptions().map(ResponseSize::nackOptions).ifPresent(result::setNackOptions);
    var response = MapResponse.newBuilder().setId(id).addResults(result).build();
    // A size above the limit of an int comes out negative, and is right when read as unsigned.
    return Integer.toUnsignedLong(response.getSerializedSize());
  }

  private static io.mapstream.proto.metadata.Metadata userMetadata(Metadata metadata) {
    var groups = io.mapstream.proto.metadata.Metadata.newBuilder();
    metadata
        .asMap()
        .forEach((group, entries) -> {
          var values = KeyValueGroup.newBuilder();
          entries.forEach((key, bytes) -> values.putKeyValue(key, wrapped(bytes)));
          groups.putUserMetadata(group, values.build());
        });
    return groups.build();
  }

  private static io.mapstream.proto.nackoptions.NackOptions nackOptions(NackOptions options) {
    var given = io.mapstream.proto.nackoptions.NackOptions.newBuilder();
    options.reason().ifPresent(given::setReason);
    options.maxDeliveries().ifPresent(count -> given.setMaxDeliveries((int) count));
    options.delay().map(Duration::toMillis).ifPresent(given::setDelay);
    return given.putAllNackMap(options.nackMap()).build();
  }

  /** Not a copy: only the length is asked for, and the bytes may be many. */
  private static ByteString wrapped(byte[] bytes) {
    return UnsafeByteOperations.unsafeWrap(bytes);
  }
}
