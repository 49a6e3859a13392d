package io.mapstream.server.hostile;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import io.mapstream.proto.map.v1.Handshake;
import io.mapstream.proto.map.v1.MapRequest;

/** What an ordinary client sends. */
public final class Requests {

  private static final Timestamp SOME_TIME =
      Timestamp.newBuilder().setSeconds(1_700_000_000).build();

  private Requests() {}

  public static MapRequest handshake() {
    return MapRequest.newBuilder().setHandshake(Handshake.newBuilder().setSot(true)).build();
  }

  /** A datum for the {@link ScriptedHandler}, with its id as its key. */
  public static MapRequest datum(String id, String script) {
    return datum(id, script, 0);
  }

  /** A datum of at least {@code size} bytes. */
  public static MapRequest datum(String id, String script, int size) {
    ByteString line = ByteString.copyFromUtf8(script + "\n");
    ByteString filling = ByteString.copyFrom(new byte[Math.max(0, size - line.size())]);
    return MapRequest.newBuilder()
        .setId(id)
        .setRequest(
            MapRequest.Request.newBuilder()
                .addKeys(id)
                .setValue(line.concat(filling))
                .setEventTime(SOME_TIME)
                .setWatermark(SOME_TIME))
        .build();
  }
}
