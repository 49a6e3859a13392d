package io.mapstream.server;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.rpc.Code;
import com.google.rpc.DebugInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.io.PrintWriter;
import java.io.StringWriter;

/**
 * What a handler threw, and how the platform is told of it.
 *
 * @param datumId the datum it was called with
 * @param cause what it threw
 * @param container the platform's name for this container
 */
record HandlerFailure(String datumId, Throwable cause, String container) {

  /**
   * Bytes of the message and of the stack that are sent; the log has all of both. Clients limit the
   * size of a trailer block (8 KiB by gRPC's default), percent-encoding can triple a message, and
   * base64 makes a third more of the details.
   */
  static final int SENT_MESSAGE = 500;

  private static final int SENT_STACK = 3000;

  /** {@code UDF_EXECUTION_ERROR(<container>): <message>}, as the platform's other SDKs word it. */
  String message() {
    String text = isPrintable() ? cause.getMessage() : null;
    return "UDF_EXECUTION_ERROR("
        + container
        + "): "
        + (text == null ? cause.getClass().getName() : text);
  }

  /** The stack trace, with causes. */
  String stack() {
    return stackOf(printable());
  }

  /**
   * What the handler threw, unless that throws in its turn when it is asked for its message or for
   * its stack: then an exception that can be logged in its place.
   */
  Throwable printable() {
    return isPrintable()
        ? cause
        : new IllegalStateException(cause.getClass().getName() + ", which can't be printed");
  }

  @SuppressWarnings("CatchingUnchecked")
  private boolean isPrintable() {
    try {
      stackOf(cause);
      return true;
    } catch (Throwable t) {
      return false;
    }
  }

  private static String stackOf(Throwable throwable) {
    StringWriter text = new StringWriter();
    throwable.printStackTrace(new PrintWriter(text));
    return text.toString();
  }

  /**
   * INTERNAL, with a {@code google.rpc.DebugInfo} in the trailer {@code grpc-status-details-bin}.
   * Where that can't be made, for want of memory or of a class, the status goes without it: what
   * stood in the way is suppressed on the {@link #cause}.
   */
  @SuppressWarnings("CatchingUnchecked")
  StatusRuntimeException toStatus() {
    String message = beginning(message(), SENT_MESSAGE);
    try {
      return detailed(message);
    } catch (Throwable t) {
      suppress(t);
      return Status.INTERNAL.withDescription(message).asRuntimeException();
    }
  }

  private StatusRuntimeException detailed(String message) {
    return StatusProto.toStatusRuntimeException(
        com.google.rpc.Status.newBuilder()
            .setCode(Code.INTERNAL_VALUE)
            .setMessage(message)
            .addDetails(
                Any.pack(DebugInfo.newBuilder().setDetail(beginning(stack(), SENT_STACK)).build()))
            .build());
  }

  /** Keeps another throwable with the cause. Identity is meant: none can be kept on itself. */
  @SuppressWarnings("ReferenceEquality")
  void suppress(Throwable other) {
    if (other != cause) {
      cause.addSuppressed(other);
    }
  }

  /** At most {@code limit} bytes of UTF-8. */
  static String beginning(String text, int limit) {
    ByteString bytes = ByteString.copyFromUtf8(text);
    if (bytes.size() <= limit) {
      return text;
    }
    int end = limit;
    while (end > 0 && (bytes.byteAt(end) & 0xC0) == 0x80) {
      end--;
    }
    return bytes.substring(0, end).toStringUtf8() + " ...";
  }
}
