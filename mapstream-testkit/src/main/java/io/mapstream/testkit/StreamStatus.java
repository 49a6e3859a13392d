package io.mapstream.testkit;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.DebugInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.io.Serializable;
import java.util.Objects;
import java.util.StringJoiner;

/**
 * How a stream ended.
 *
 * @param code the name of the gRPC status code, such as {@code OK}, {@code INTERNAL} or {@code
 *     UNAVAILABLE}
 * @param message the other side's description, often empty
 * @param debugInfo the detail of the {@code google.rpc.DebugInfo} sent with the status, in which a
 *     server puts a handler's stack trace; empty if there is none
 */
public record StreamStatus(String code, String message, String debugInfo) implements Serializable {

  /** Creates a status. */
  public StreamStatus {
    Objects.requireNonNull(code, "code");
    Objects.requireNonNull(message, "message");
    Objects.requireNonNull(debugInfo, "debugInfo");
  }

  static StreamStatus of(Status status, Metadata trailers) {
    String message = status.getDescription() == null ? "" : status.getDescription();
    // Only a status created on this side has a cause, which has more detail.
    if (status.getCause() != null) {
      message = message + " (" + status.getCause() + ")";
    }
    return new StreamStatus(status.getCode().name(), message, debugInfoIn(status, trailers));
  }

  private static String debugInfoIn(Status status, Metadata trailers) {
    try {
      StringJoiner texts = new StringJoiner("\n");
      for (Any detail : StatusProto.fromStatusAndTrailers(status, trailers).getDetailsList()) {
        if (detail.is(DebugInfo.class)) {
          texts.add(detail.unpack(DebugInfo.class).getDetail());
        }
      }
      return texts.toString();
    } catch (IllegalArgumentException | InvalidProtocolBufferException e) {
      return "unreadable grpc-status-details-bin: " + e.getMessage();
    }
  }

  /**
   * {@return whether the status is OK: the stream ended after a half-close, with everything
   * answered}
   */
  public boolean isOk() {
    return code.equals("OK");
  }

  /** {@return the code and the message, without the debug info, which is long} */
  @Override
  public String toString() {
    return message.isEmpty() ? code : code + ": " + message;
  }
}
