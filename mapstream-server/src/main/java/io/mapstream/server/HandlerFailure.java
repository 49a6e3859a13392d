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
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a handler threw, and what is reported to the platform about it. The throwable's own methods
 * are the user's code, which may throw or block. They are therefore called on the handler's thread,
 * which creates this object; the event loop only reads their results.
 */
final class HandlerFailure {

  /**
   * The most bytes of the message and of the stack that are sent; the log has both in full. Clients
   * limit the size of a trailer block (8 KiB by gRPC's default), percent-encoding can triple a
   * message, and base64 adds a third to the details.
   */
  static final int SENT_MESSAGE = 500;

  private static final int SENT_STACK = 3000;

  /** The most kinds of later failures that are distinguished; the others are counted together. */
  private static final int MOST_KINDS = 20;

  private static final String OTHERS = "";

  /** Stands for failures that are like one already kept. */
  private static final class Repeated extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final AtomicInteger count = new AtomicInteger();
    private volatile String last = "";

    Repeated() {
      super(null, null, false, false);
    }

    int add(String description) {
      last = description;
      return count.incrementAndGet();
    }

    @Override
    public String getMessage() {
      return count + " more similar failures, the last: " + last;
    }

    @Override
    public String toString() {
      return getMessage();
    }
  }

  private final String datumId;
  private final Throwable cause;
  private final String container;
  private final Throwable printable;
  private final String description;
  private final String stack;
  private final String likeness;

  /** How many failures came after this one, by their likeness. Any thread. */
  private final Map<String, Repeated> alike = new ConcurrentHashMap<>();

  /**
   * Examines what was thrown. Called on the handler's thread.
   *
   * @param datumId the datum that the handler was called with
   * @param cause what it threw
   * @param container the platform's name for this container
   */
  HandlerFailure(String datumId, Throwable cause, String container) {
    this.datumId = datumId;
    this.cause = cause;
    this.container = container;
    String described = ifPrintable(Thrown::describe, cause);
    String printed = ifPrintable(HandlerFailure::stackOf, cause);
    if (described == null || printed == null) {
      String name = cause.getClass().getName();
      this.printable = new IllegalStateException(name + ", which can't be printed");
      this.stack = printable + System.lineSeparator();
      this.description = name;
    } else {
      this.printable = cause;
      this.stack = printed;
      this.description = described;
    }
    this.likeness = Thrown.likeness(printable);
    this.alike.put(likeness, new Repeated());
  }

  @SuppressWarnings("CatchingUnchecked")
  private static @Nullable String ifPrintable(
      Function<Throwable, String> printing, Throwable thrown) {
    try {
      return printing.apply(thrown);
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

  /**
   * Returns {@code UDF_EXECUTION_ERROR(<container>): <class>: <message>}, worded as in the
   * platform's other SDKs, with the class, since many messages are meaningless without it.
   */
  String message() {
    return "UDF_EXECUTION_ERROR(" + container + "): " + description;
  }

  /** Returns class and message of what was thrown. */
  String description() {
    return description;
  }

  /** Returns the same text for all failures of one class that were thrown at one place. */
  String likeness() {
    return likeness;
  }

  /** Returns the stack trace with causes, as it was when the handler threw. */
  String stack() {
    return stack;
  }

  /** Returns the stack trace with everything that is suppressed so far. Not for the event loop. */
  String stackWithSuppressed() {
    String all = ifPrintable(HandlerFailure::stackOf, printable);
    return all == null ? stack : all;
  }

  /**
   * Returns what the handler threw, or another exception if that can't be printed because its own
   * methods throw.
   */
  Throwable printable() {
    return printable;
  }

  /**
   * Returns INTERNAL, with a {@code google.rpc.DebugInfo} in the trailer {@code
   * grpc-status-details-bin}. If that can't be created because memory or a class is missing, the
   * status does not have it, and the reason is suppressed on the {@link #cause}. Not for the event
   * loop.
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

  /** Returns the same as {@link #toStatus}, without the details. */
  StatusRuntimeException plainStatus() {
    return Status.INTERNAL.withDescription(beginning(message(), SENT_MESSAGE)).asRuntimeException();
  }

  private StatusRuntimeException detailed() {
    return StatusProto.toStatusRuntimeException(
        com.google.rpc.Status.newBuilder()
            .setCode(Code.INTERNAL_VALUE)
            .setMessage(beginning(message(), SENT_MESSAGE))
            .addDetails(
                Any.pack(DebugInfo.newBuilder().setDetail(beginning(stack, SENT_STACK)).build()))
            .build());
  }

  /**
   * Suppresses another throwable on the cause. Compares by identity: none can be suppressed on
   * itself.
   */
  @SuppressWarnings("ReferenceEquality")
  void suppress(Throwable other) {
    if (other != cause) {
      cause.addSuppressed(other);
    }
  }

  /**
   * Keeps a failure that came after this one: the first of similar ones with its stack, the others
   * as a count.
   */
  void suppress(HandlerFailure later) {
    boolean isKnown = alike.containsKey(later.likeness) || alike.size() < MOST_KINDS;
    Repeated before = alike.putIfAbsent(isKnown ? later.likeness : OTHERS, new Repeated());
    if (before == null) {
      suppress(later.cause);
    } else if (before.add(later.description) == 1) {
      suppress(before);
    }
  }

  /** Truncates a text to at most {@code limit} bytes of UTF-8. */
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
