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
import org.jspecify.annotations.Nullable;

/**
 * What a handler threw, and how the platform is told of it. The throwable's own methods are the
 * user's code, which may throw or block: a failure is made on the handler's thread, and what the
 * event loop asks of it is known by then.
 */
final class HandlerFailure {

  /**
   * Bytes of the message and of the stack that are sent; the log has all of both. Clients limit the
   * size of a trailer block (8 KiB by gRPC's default), percent-encoding can triple a message, and
   * base64 makes a third more of the details.
   */
  static final int SENT_MESSAGE = 500;

  private static final int SENT_STACK = 3000;

  private final String datumId;
  private final Throwable cause;
  private final String container;
  private final Throwable printable;
  private final String message;
  private final String stack;

  /**
   * Looks at what was thrown; on the handler's thread.
   *
   * @param datumId the datum that the handler was called with
   * @param cause what it threw
   * @param container the platform's name for this container
   */
  HandlerFailure(String datumId, Throwable cause, String container) {
    this.datumId = datumId;
    this.cause = cause;
    this.container = container;
    String name = cause.getClass().getName();
    String text = textIfPrintable(cause);
    String printed = text == null ? null : stackIfPrintable(cause);
    if (text == null || printed == null) {
      this.printable = new IllegalStateException(name + ", which can't be printed");
      this.stack = printable + System.lineSeparator();
      this.message = wording(container, name);
    } else {
      this.printable = cause;
      this.stack = printed;
      this.message = wording(container, text);
    }
  }

  private static String wording(String container, String text) {
    return "UDF_EXECUTION_ERROR(" + container + "): " + text;
  }

  /** The message, or the class where there is none; null if the throwable throws. */
  @SuppressWarnings("CatchingUnchecked")
  private static @Nullable String textIfPrintable(Throwable cause) {
    try {
      String message = cause.getMessage();
      return message == null ? cause.getClass().getName() : message;
    } catch (Throwable t) {
      return null;
    }
  }

  @SuppressWarnings("CatchingUnchecked")
  private static @Nullable String stackIfPrintable(Throwable cause) {
    try {
      return stackOf(cause);
    } catch (Throwable t) {
      return null;
    }
  }

  private static String stackOf(Throwable throwable) {
    StringWriter text = new StringWriter();
    throwable.printStackTrace(new PrintWriter(text));
    return text.toString();
  }

  String datumId() {
    return datumId;
  }

  Throwable cause() {
    return cause;
  }

  String container() {
    return container;
  }

  /** {@code UDF_EXECUTION_ERROR(<container>): <message>}, as the platform's other SDKs word it. */
  String message() {
    return message;
  }

  /** The stack trace with causes, as it was when the handler threw. */
  String stack() {
    return stack;
  }

  /** The stack trace with all that is suppressed by now. Not for the event loop. */
  String stackWithSuppressed() {
    String all = stackIfPrintable(printable);
    return all == null ? stack : all;
  }

  /**
   * What the handler threw, unless that throws in its turn when it is asked for its message or for
   * its stack: then an exception that can be logged in its place.
   */
  Throwable printable() {
    return printable;
  }

  /**
   * INTERNAL, with a {@code google.rpc.DebugInfo} in the trailer {@code grpc-status-details-bin}.
   * Where that can't be made, for want of memory or of a class, the status goes without it: what
   * stood in the way is suppressed on the {@link #cause}. Not for the event loop.
   */
  @SuppressWarnings("CatchingUnchecked")
  StatusRuntimeException toStatus() {
    try {
      return detailed();
    } catch (Throwable t) {
      suppress(t);
      return plainStatus();
    }
  }

  /** As {@link #toStatus}, without the details. */
  StatusRuntimeException plainStatus() {
    return Status.INTERNAL.withDescription(beginning(message, SENT_MESSAGE)).asRuntimeException();
  }

  private StatusRuntimeException detailed() {
    return StatusProto.toStatusRuntimeException(
        com.google.rpc.Status.newBuilder()
            .setCode(Code.INTERNAL_VALUE)
            .setMessage(beginning(message, SENT_MESSAGE))
            .addDetails(
                Any.pack(DebugInfo.newBuilder().setDetail(beginning(stack, SENT_STACK)).build()))
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
