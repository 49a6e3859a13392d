package io.mapstream.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.rpc.DebugInfo;
import io.grpc.Status;
import io.mapstream.Message;
import io.mapstream.testkit.StreamStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * How an exception of a handler affects the client, the caller of the server and the other
 * handlers.
 */
class HandlerErrorTest {

  @AutoClose private final TestServer server = new TestServer();

  /** Something to throw, and the text that the client must receive after the prefix. */
  record Thrown(String name, Supplier<Throwable> cause, String message) {
    @Override
    public String toString() {
      return name;
    }
  }

  @SuppressWarnings("InfiniteRecursion")
  private static int recurse(int depth) {
    return recurse(depth + 1) + 1;
  }

  private static Throwable overflow() {
    return assertThrows(StackOverflowError.class, () -> recurse(0));
  }

  static Stream<Thrown> throwables() {
    return Stream.of(
        new Thrown("exception", () -> new IllegalStateException("boom"), "boom"),
        new Thrown("checked exception", () -> new IOException("no disk"), "no disk"),
        new Thrown("no message", () -> new IllegalStateException(), null),
        new Thrown("empty message", () -> new IllegalStateException(""), ""),
        new Thrown("lines", () -> new IllegalStateException("one\ntwo\r\n3%"), "one\ntwo\r\n3%"),
        new Thrown("any script", () -> new IllegalStateException("地球 🌍 ß"), "地球 🌍 ß"),
        new Thrown("half a surrogate pair", () -> new IllegalStateException("a\uD83Cb"), "a?b"),
        new Thrown("assertion", () -> new AssertionError("wrong"), "wrong"),
        new Thrown(
            "out of memory", () -> new OutOfMemoryError("Java heap space"), "Java heap space"),
        new Thrown("stack overflow", HandlerErrorTest::overflow, null),
        new Thrown(
            "what a future's join throws",
            () -> new CompletionException("joined", new IOException("inner")),
            "joined"),
        new Thrown(
            "what a cancelled future throws", () -> new CancellationException("gone"), "gone"),
        new Thrown(
            "an execution exception",
            () -> new ExecutionException("executed", new IOException("inner")),
            "executed"),
        new Thrown("an interruption of its own", () -> new InterruptedException("own"), "own"),
        new Thrown("an exception that fails itself", ChildMain.Unprintable::new, null));
  }

  /** Lets a handler throw a checked exception or an error. */
  private static void doThrow(Throwable thrown) throws Exception {
    if (thrown instanceof Error error) {
      throw error;
    }
    throw (Exception) thrown;
  }

  @ParameterizedTest
  @MethodSource("throwables")
  void stopsTheServerAndIsReportedToTheClient(Thrown thrown) throws Exception {
    Throwable cause = thrown.cause().get();
    server.start((keys, datum, sink) -> doThrow(cause));
    Call call = server.open().send("1", "");

    Status end = call.end();

    assertEquals(Status.Code.INTERNAL, end.getCode());
    assertEquals(
        "UDF_EXECUTION_ERROR(unknown-container): "
            + cause.getClass().getName()
            + (thrown.message() == null ? "" : ": " + thrown.message()),
        end.getDescription());
    assertEquals(0, call.eots());
    assertSame(cause, failure().getCause());
    assertFalse(Files.exists(server.socket()));
    assertFalse(Files.exists(server.info()));
  }

  @Test
  void idWithLineBreakForgesNoLogLine() throws Exception {
    var threadName = new CompletableFuture<String>();
    server.start((keys, datum, sink) -> {
      threadName.complete(Thread.currentThread().getName());
      throw new IOException("no luck");
    });
    server.open().send("1\nERROR all is lost", "").end();

    assertEquals("mapstream-1\\u000aERROR all is lost", threadName.get());
    assertEquals(
        "the handler failed on datum \"1\\u000aERROR all is lost\"", failure().getMessage());
  }

  private ExecutionException failure() {
    return assertThrows(
        ExecutionException.class, () -> server.server().awaitTermination(Waits.LIMIT));
  }

  @Test
  void detailsCarryTheStackTrace() throws Exception {
    server.start((keys, datum, sink) -> {
      throw new IllegalStateException("outer", new IOException("inner"));
    });
    try (RawConnection client = new RawConnection(server.socket())) {
      client.hello().open(1).datum(1, "1", "").awaitEnd(1);
      var trailers = client.received(1);

      var details =
          com.google.rpc.Status.parseFrom(
              Base64.getDecoder().decode(trailers.header("grpc-status-details-bin")));
      assertEquals(Status.Code.INTERNAL.value(), details.getCode());
      assertEquals(trailers.header("grpc-message"), details.getMessage());
      assertEquals(1, details.getDetailsCount());
      String stack = details.getDetails(0).unpack(DebugInfo.class).getDetail();
      assertTrue(stack.startsWith("java.lang.IllegalStateException: outer"), stack);
      assertTrue(stack.contains("Caused by: java.io.IOException: inner"), stack);
      assertTrue(stack.contains(HandlerErrorTest.class.getName()), stack);
    }
  }

  /** The beginning fits into the trailers of any client; the log has the rest. */
  @Test
  void aHugeMessageIsCut() throws Exception {
    String huge = "地".repeat(1_000_000);
    server.start((keys, datum, sink) -> {
      throw new IllegalStateException(huge, new IOException(huge));
    });
    StreamStatus end = server.open().send("1", "").ended();

    assertEquals("INTERNAL", end.code());
    String thrown = "java.lang.IllegalStateException: 地地地";
    assertCut("UDF_EXECUTION_ERROR(unknown-container): " + thrown, 500, end.message());
    assertCut(thrown, 3_000, end.debugInfo());
    assertEquals(huge, failure().getCause().getMessage());
  }

  private static void assertCut(String beginning, int limit, String text) {
    assertTrue(text.startsWith(beginning), text);
    assertTrue(text.endsWith("地 ..."), text);
    int size = text.getBytes(UTF_8).length - " ...".length();
    assertTrue(limit - "地".getBytes(UTF_8).length < size && size <= limit, () -> size + " bytes");
  }

  @Test
  void openDatumsGetNoEotAndTheirHandlersAreInterrupted() throws Exception {
    Gate gate = new Gate(2);
    Semaphore interrupted = new Semaphore(0);
    server.start((keys, datum, sink) -> {
      sink.emit(Message.of("before"));
      if (datum.text().equals("fails")) {
        gate.awaitHandlers();
        throw new IllegalStateException("boom");
      }
      try {
        gate.pass();
      } catch (InterruptedException e) {
        interrupted.release();
        throw e;
      }
    });
    Call call = server.open().send("1", "").send("2", "").send("3", "fails");

    call.endsWith(Status.Code.INTERNAL);

    assertEquals(0, call.eots());
    Waits.acquire(interrupted, 2);
    failure();
  }

  @Test
  void whatWasAnsweredBeforeStaysAnswered() throws Exception {
    server.start((keys, datum, sink) -> {
      sink.emit(Message.of("before"));
      if (datum.text().equals("fails")) {
        throw new IllegalStateException("boom");
      }
    });
    Call call = server.open().send("1", "");
    assertEquals(List.of("before"), call.answer("1").texts());
    call.send("2", "fails");

    call.endsWith(Status.Code.INTERNAL);

    assertEquals(1, call.received("1").eots());
    assertEquals(0, call.received("2").eots());
  }

  @Test
  void aStreamNotInvolvedInTheFailureEndsUnavailable() throws Exception {
    Gate gate = new Gate();
    server.start((keys, datum, sink) -> {
      if (datum.text().equals("fails")) {
        throw new IllegalStateException("boom");
      }
      gate.pass();
    });
    Call other = server.open().send("1", "");
    gate.awaitHandlers();
    Call failing = server.open().send("1", "fails");

    failing.endsWith(Status.Code.INTERNAL);
    other.endsWith(Status.Code.UNAVAILABLE);
    assertEquals(0, other.eots());
  }

  /** Both fail on their own, one after the other; neither is interrupted before it throws. */
  @Test
  void laterFailuresAreSuppressedOnTheFirst() throws Exception {
    CountDownLatch secondRuns = new CountDownLatch(1);
    IllegalStateException first = new IllegalStateException("first");
    IllegalStateException second = new IllegalStateException("second");
    server.start((keys, datum, sink) -> {
      if (datum.text().equals("first")) {
        Waits.await(secondRuns);
        throw first;
      }
      try {
        secondRuns.countDown();
        Thread.sleep(Duration.ofMinutes(5));
      } catch (InterruptedException e) {
        throw second;
      }
    });
    Call call = server.open().send("1", "second").send("2", "first");
    call.endsWith(Status.Code.INTERNAL);

    assertSame(first, failure().getCause());
    Waits.until(
        "the second on the first",
        () -> List.of(first.getSuppressed()).equals(List.of(second)),
        () -> List.of(first.getSuppressed()));
  }

  @ParameterizedTest
  @MethodSource("throwables")
  void closeAfterAFailureReturnsQuietly(Thrown thrown) throws Exception {
    Throwable cause = thrown.cause().get();
    server.start((keys, datum, sink) -> doThrow(cause));
    server.open().send("1", "").end();

    server.stop();
    assertSame(cause, failure().getCause());
  }

  @Test
  void runThrowsWhatTheHandlerThrew() throws Exception {
    IOException thrown = new IOException("no disk");
    server.build((keys, datum, sink) -> {
      throw thrown;
    });
    var run = Waits.computed(() -> assertThrows(ExecutionException.class, server.server()::run));
    Waits.until("the server info file", () -> Files.exists(server.info()), () -> run);
    server.open().send("1", "").end();

    assertSame(thrown, Waits.get(run).getCause());
  }

  // The policy FAIL.

  private Call openToFailing(Throwable thrown) throws Exception {
    server
        .with(options -> options.errorPolicy(ServerOptions.ErrorPolicy.FAIL))
        .start((keys, datum, sink) -> {
          sink.emit(Message.of("before"));
          if (datum.text().equals("fails")) {
            doThrow(thrown);
          }
          sink.emit(Message.of("after"));
        });
    return server.open();
  }

  static Stream<Thrown> answeredWithFail() {
    return throwables()
        .filter(thrown -> {
          Throwable cause = thrown.cause().get();
          return cause instanceof Exception || cause instanceof StackOverflowError;
        });
  }

  @ParameterizedTest
  @MethodSource("answeredWithFail")
  void underThePolicyFailOnlyTheDatumIsAnsweredWithTheMark(Thrown thrown) throws Exception {
    Call call = openToFailing(thrown.cause().get());
    call.send("1", "").send("2", "fails").send("3", "");

    assertEquals(List.of("before", "after"), call.answer("1").texts());
    var failed = call.answer("2").results();
    assertEquals(2, failed.size());
    assertEquals("before", failed.get(0).getValue().toStringUtf8());
    assertEquals(List.of(Message.FAIL_TAG), failed.get(1).getTagsList());
    assertEquals(List.of("before", "after"), call.answer("3").texts());
    assertEquals(List.of("before", "after"), call.send("4", "").answer("4").texts());
    call.completes();
    assertFalse(server.hasStopped());
  }

  static Stream<Thrown> errors() {
    return throwables()
        .filter(thrown -> {
          Throwable cause = thrown.cause().get();
          return cause instanceof Error && !(cause instanceof StackOverflowError);
        });
  }

  @ParameterizedTest
  @MethodSource("errors")
  void underThePolicyFailAnErrorStillStopsTheServer(Thrown thrown) throws Exception {
    Throwable cause = thrown.cause().get();
    Call call = openToFailing(cause).send("1", "fails");

    call.endsWith(Status.Code.INTERNAL);

    assertEquals(0, call.eots());
    assertSame(cause, failure().getCause());
  }

  @Test
  void underThePolicyFailInterruptedHandlersOfACancelledStreamAreNotFailures() throws Exception {
    Gate gate = new Gate();
    server
        .with(options -> options.errorPolicy(ServerOptions.ErrorPolicy.FAIL).maxConcurrency(1))
        .start((keys, datum, sink) -> {
          if (datum.text().equals("blocks")) {
            gate.pass();
          }
          sink.emit(Message.of("served"));
        });
    Call call = server.open().send("1", "blocks");
    gate.awaitHandlers();
    Call next = server.open().send("1", "");
    call.cancel();

    assertEquals(List.of("served"), next.answer("1").texts());
    assertEquals(Map.of(FailureKind.CLIENT_GONE, 1L), server.failures());
  }

  /** As when gRPC ran out of memory first, and closed the stream. */
  @Test
  void lackOfMemoryStopsTheServerEvenAfterTheEndOfTheStream() throws Exception {
    var noMemory = new OutOfMemoryError("Java heap space");
    Gate gate = new Gate();
    server.start((keys, datum, sink) -> {
      try {
        gate.pass();
      } catch (InterruptedException e) {
        throw noMemory;
      }
    });
    Call call = server.open().send("1", "");
    gate.awaitHandlers();

    call.cancel();

    assertSame(noMemory, failure().getCause());
  }
}
