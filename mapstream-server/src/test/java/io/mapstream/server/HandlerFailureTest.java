package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.rpc.DebugInfo;
import io.grpc.InternalMetadata;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** How much of a failure is sent, and where the rest goes. */
class HandlerFailureTest {

  private static HandlerFailure failure(Throwable cause) {
    return new HandlerFailure("id", cause, "udf");
  }

  private static String detail(StatusRuntimeException status) throws Exception {
    return StatusProto.fromThrowable(status).getDetails(0).unpack(DebugInfo.class).getDetail();
  }

  static Stream<String> worstTexts() {
    return Stream.of("a", "%", "\u0000", "\n", "ß", "地", "🌍", "\uD83C")
        .map(text -> text.repeat(200_000));
  }

  /**
   * gRPC's default limit for a header block is 8 KiB, in which each header counts 32 bytes extra.
   */
  @ParameterizedTest
  @MethodSource("worstTexts")
  void trailersFitIntoEightKibibytesWhateverTheText(String text) {
    IllegalStateException cause = new IllegalStateException(text, new IllegalStateException(text));
    StatusRuntimeException status = failure(cause).toStatus();

    Metadata trailers = new Metadata();
    trailers.merge(status.getTrailers());
    int size = percentEncoded(status.getStatus().getDescription()) + "grpc-message".length() + 32;
    size += "grpc-status".length() + "13".length() + 32;
    byte[][] fields = InternalMetadata.serialize(trailers);
    for (int i = 0; i < fields.length; i += 2) {
      boolean binary = new String(fields[i], StandardCharsets.US_ASCII).endsWith("-bin");
      size += fields[i].length + (binary ? fields[i + 1].length * 4 / 3 + 4 : fields[i + 1].length);
      size += 32;
    }

    assertTrue(size < 8 * 1024, size + " bytes");
  }

  /** The length as gRPC encodes it: three characters for each byte that is not plain ASCII. */
  private static int percentEncoded(String text) {
    int length = 0;
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      length += b < ' ' || b >= '~' || b == '%' ? 3 : 1;
    }
    return length;
  }

  @Test
  void aShortTextIsSentWhole() throws Exception {
    StatusRuntimeException status = failure(new IllegalStateException("short 地")).toStatus();

    assertEquals(
        "UDF_EXECUTION_ERROR(udf): java.lang.IllegalStateException: short 地",
        status.getStatus().getDescription());
    assertTrue(detail(status).startsWith("java.lang.IllegalStateException: short 地\n\tat "));
  }

  @Test
  void aTextIsCutBetweenCharacters() {
    for (int filler = 0; filler < 4; filler++) {
      String text = "x".repeat(filler) + "🌍".repeat(1000);
      String sent =
          failure(new IllegalStateException(text)).toStatus().getStatus().getDescription();

      assertTrue(sent.endsWith("🌍 ..."), sent);
      String start = "UDF_EXECUTION_ERROR(udf): java.lang.IllegalStateException: ";
      assertTrue(sent.startsWith(start + "x".repeat(filler) + "🌍"), sent);
    }
  }

  @Test
  void aCauseThatCanBePrintedIsPrintedAsItIs() {
    Throwable cause = new IllegalStateException("fine");

    assertSame(cause, failure(cause).printable());
  }

  @Test
  void aCauseWhoseCauseFailsIsReplacedInLogsAndSentByItsName() {
    class Broken extends RuntimeException {
      private static final long serialVersionUID = 1L;

      @Override
      public String getMessage() {
        throw new IllegalStateException("no message today");
      }
    }
    Throwable cause = new IllegalStateException("outer", new Broken());
    HandlerFailure failure = failure(cause);

    assertNotSame(cause, failure.printable());
    assertTrue(failure.printable().getMessage().startsWith("java.lang.IllegalStateException"));
    assertEquals(
        "UDF_EXECUTION_ERROR(udf): java.lang.IllegalStateException",
        failure.toStatus().getStatus().getDescription());
  }

  @Test
  void causesAndSuppressedExceptionsAreInTheStack() {
    IllegalStateException cause =
        new IllegalStateException("outer", new IllegalArgumentException("inner"));
    cause.addSuppressed(new IllegalStateException("beside"));

    String stack = failure(cause).stack();

    assertTrue(stack.contains("Caused by: java.lang.IllegalArgumentException: inner"), stack);
    assertTrue(stack.contains("Suppressed: java.lang.IllegalStateException: beside"), stack);
  }

  @Test
  void aCauseThatCanBePrintedButHasNoMessageIsReplaced() {
    class Mute extends RuntimeException {
      private static final long serialVersionUID = 1L;

      @Override
      public String getMessage() {
        throw new IllegalStateException("no message today");
      }

      @Override
      public void printStackTrace(PrintWriter to) {
        to.println("printed");
      }
    }
    Throwable cause = new Mute();
    HandlerFailure failure = failure(cause);

    assertNotSame(cause, failure.printable());
    assertEquals("UDF_EXECUTION_ERROR(udf): " + cause.getClass().getName(), failure.message());
  }

  @Test
  void whatIsSuppressedLaterIsShownUnlessItCannotBePrinted() {
    IllegalStateException cause = new IllegalStateException("outer");
    HandlerFailure failure = failure(cause);
    failure.suppress(new IllegalStateException("later"));

    assertFalse(failure.stack().contains("later"), failure.stack());
    assertTrue(failure.stackWithSuppressed().contains("IllegalStateException: later"));

    failure.suppress(
        new RuntimeException() {
          private static final long serialVersionUID = 1L;

          @Override
          public String getMessage() {
            throw new IllegalStateException("no message today");
          }
        });
    assertEquals(failure.stack(), failure.stackWithSuppressed());
  }

  private static HandlerFailure missingFile(int datum) {
    return new HandlerFailure("id" + datum, new NoSuchFileException("nofile"), "udf");
  }

  @Test
  void similarFailuresAreKeptOnceWithTheirCount() {
    HandlerFailure first = failure(new IllegalStateException("first"));
    for (int i = 0; i < 400; i++) {
      first.suppress(missingFile(i));
    }
    for (int i = 0; i < 99; i++) {
      first.suppress(failure(new IllegalArgumentException("other " + i)));
    }

    assertEquals(
        List.of(
            "java.nio.file.NoSuchFileException: nofile",
            "399 more similar failures, the last: java.nio.file.NoSuchFileException: nofile",
            "java.lang.IllegalArgumentException: other 0",
            "98 more similar failures, the last: java.lang.IllegalArgumentException: other 98"),
        Stream.of(first.cause().getSuppressed()).map(Throwable::toString).toList());
    String stack = first.stackWithSuppressed();
    assertEquals(1, stack.split("missingFile\\(", -1).length - 1, stack);
  }

  @Test
  void failuresLikeTheFirstAreOnlyCounted() {
    HandlerFailure[] failures = new HandlerFailure[500];
    for (int i = 0; i < failures.length; i++) {
      failures[i] = missingFile(i);
    }
    for (int i = 1; i < failures.length; i++) {
      failures[0].suppress(failures[i]);
    }

    assertEquals(
        List.of("499 more similar failures, the last: java.nio.file.NoSuchFileException: nofile"),
        Stream.of(failures[0].cause().getSuppressed()).map(Throwable::toString).toList());
  }

  @Test
  void kindsOfLaterFailuresAreBounded() {
    HandlerFailure first = failure(new IllegalStateException("first"));
    for (int i = 0; i < 1_000; i++) {
      IllegalStateException later = new IllegalStateException("later");
      later.setStackTrace(new StackTraceElement[] {new StackTraceElement("a.B", "c", "B.java", i)});
      first.suppress(failure(later));
    }

    Throwable[] suppressed = first.cause().getSuppressed();
    assertTrue(suppressed.length <= 22, suppressed.length + " suppressed");
    assertTrue(suppressed[suppressed.length - 1].getMessage().startsWith("980 more"));
  }

  @Test
  void anExceptionThatAllHandlersThrowIsNotSuppressedOnItself() {
    IllegalStateException shared = new IllegalStateException("shared");
    HandlerFailure first = failure(shared);
    first.suppress(failure(shared));

    assertEquals(1, shared.getSuppressed().length);
    assertNotSame(shared, shared.getSuppressed()[0]);
  }
}
