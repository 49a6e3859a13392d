package io.mapstream.testkit;

import static io.mapstream.testkit.MapStreamHarnessTest.assertRefused;
import static io.mapstream.testkit.ProtocolFaultTest.assertContains;
import static io.mapstream.testkit.Testing.LIMIT;
import static io.mapstream.testkit.Testing.datum;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertThrowsExactly;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.Messages;
import io.mapstream.SinkClosedException;
import io.mapstream.UnsupportedMarkException;
import io.mapstream.server.ServerOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class MapStreamTestServerTest {

  private final IllegalStateException boom = new IllegalStateException("boom");

  private final MapStreamer failing =
      (keys, datum, sink) -> {
        throw boom;
      };

  @Test
  void leavesNothingBehind() throws Exception {
    Path socket;
    try (var server = MapStreamTestServer.start((keys, datum, sink) -> {})) {
      socket = server.socketPath();
      assertTrue(Files.exists(socket));
      assertTrue(Files.exists(server.serverInfoFile()));
      server.client().send(datum("")).remaining(LIMIT);
    }
    assertFalse(Files.exists(socket.getParent()));
  }

  @Test
  void serversAreIndependent() throws Exception {
    try (var one = MapStreamTestServer.start((keys, datum, sink) -> sink.emit(Message.of("1")));
        var other = MapStreamTestServer.start((keys, datum, sink) -> sink.emit(Message.of("2")))) {
      assertEquals("1", one.client().send(TestDatum.of("")).next().text());
      assertEquals("2", other.client().send(TestDatum.of("")).next().text());
    }
  }

  /** Starts a server and sends it a datum; returns when its handler has started. */
  private static MapStreamTestServer workingAt(Callable<?> work) throws Exception {
    CountDownLatch started = new CountDownLatch(1);
    var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          started.countDown();
          work.call();
        });
    server.client().send(datum(""));
    Testing.await(started, "the handler");
    return server;
  }

  /** The server itself waits only one second. */
  @Test
  void closeWaitsForAHandlerThatCleansUp() throws Exception {
    CountDownLatch mayReturn = new CountDownLatch(1);
    var server =
        workingAt(() -> {
          try {
            new CountDownLatch(1).await();
          } finally {
            Testing.await(mayReturn, "the test");
          }
          return null;
        });
    var closing = CompletableFuture.runAsync(server::close);
    assertTrue(server.server().awaitTermination(LIMIT));

    assertThrows(TimeoutException.class, () -> closing.get(300, TimeUnit.MILLISECONDS));

    mayReturn.countDown();
    closing.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
  }

  @Test
  void closeDoesNotWaitForeverForAHandlerThatKeepsRunning() throws Exception {
    CountDownLatch mayReturn = new CountDownLatch(1);
    var server =
        workingAt(() -> {
          while (mayReturn.getCount() > 0) {
            LockSupport.parkNanos(1_000_000);
          }
          return null;
        });

    assertTimeoutPreemptively(LIMIT, server::close);

    mayReturn.countDown();
  }

  @Test
  void closeThrowsTheHandlersFailure() throws Exception {
    var server = MapStreamTestServer.start(failing);
    Reply reply = server.client().send(datum(""));
    reply.stream().awaitEnd(LIMIT);

    var thrown = assertThrows(AssertionError.class, server::close);

    assertSame(boom, thrown.getCause());
    assertFalse(Files.exists(server.socketPath().getParent()), "it is closed nevertheless");
  }

  /** Each stream counts its datums from 1. */
  @Test
  void aReplyGetsTheFirstFailureOfItsId() throws Exception {
    CountDownLatch bothRun = new CountDownLatch(2);
    try (var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          bothRun.countDown();
          Testing.await(bothRun, "both handlers");
          if (datum.text().equals("fails")) {
            throw boom;
          }
          new CountDownLatch(1).await(); // Until the stop interrupts it.
        })) {
      Reply failing = server.client().openStream().send(datum("fails"));
      Reply other = server.client().openStream().send(datum("waits"));
      assertEquals(failing.id(), other.id());

      var failed = assertThrows(HandlerFailedException.class, () -> failing.next(LIMIT));

      assertSame(boom, failed.getCause());
    }
  }

  @Test
  void replyThrowsWhatTheHandlerThrewAsInAHarness() throws Exception {
    CountDownLatch taken = new CountDownLatch(1);
    try (var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          sink.emit("first");
          Testing.await(taken, "the first message to be taken");
          throw boom;
        })) {
      Reply reply = server.client().send(datum(""));
      assertEquals("first", reply.next(LIMIT).text());
      taken.countDown();

      var failed = assertThrows(HandlerFailedException.class, () -> reply.next(LIMIT));

      assertSame(boom, failed.getCause());
      assertEquals(Messages.empty(), failed.messages());
      assertEquals("INTERNAL", failed.status().code());
      assertContains(
          "the handler of datum \"1\" has thrown " + boom + " after 1 message",
          failed.getMessage());
      assertEquals(Optional.of(boom), reply.failure());
    } // close has nothing left to throw
  }

  @Test
  void failureCanBeQueriedWithoutTakingMessages() throws Exception {
    CountDownLatch arrived = new CountDownLatch(1);
    try (var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          sink.emit("a");
          Testing.await(arrived, "the message to arrive");
          throw boom;
        })) {
      Reply reply = server.client().send(datum(""));
      Testing.until(() -> reply.arrived() == 1, "the message");
      arrived.countDown();

      assertEquals(Optional.of(boom), reply.failure());
      var failed = assertThrows(HandlerFailedException.class, () -> reply.remaining(LIMIT));

      assertEquals(List.of("a"), failed.messages().texts());
      assertEquals(List.of("a"), reply.takeArrived().texts());
    }
  }

  /** The streams use the same id, and only the second failure stops the server. */
  @Test
  void aReplyGetsTheFailureThatEndedItsStream() throws Exception {
    var error = new LinkageError("second");
    try (var server =
        MapStreamTestServer.start(
            (keys, datum, sink) -> {
              if (datum.text().equals("first")) {
                throw boom;
              }
              throw error;
            },
            options -> options.errorPolicy(ServerOptions.ErrorPolicy.FAIL))) {
      Reply first = server.client().openStream().send(datum("first"));
      assertTrue(first.next(LIMIT).isFail());
      Reply second = server.client().openStream().send(datum("second"));
      assertEquals(first.id(), second.id());

      assertEquals(Optional.of(error), second.failure());
    }
  }

  /** One that can't be printed, and one whose message has half a surrogate pair. */
  static List<RuntimeException> oddFailures() {
    return List.of(
        new IllegalStateException() {
          private static final long serialVersionUID = 1L;

          @Override
          public String getMessage() {
            throw new UnsupportedOperationException("no message");
          }
        },
        new IllegalStateException("half \uD83D of a pair"));
  }

  @ParameterizedTest(name = "{index}")
  @MethodSource("oddFailures")
  void aFailureThatCannotBeSentAsItIsIsRecognized(RuntimeException odd) throws Exception {
    try (var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          throw odd;
        })) {
      assertSame(odd, server.client().send(datum("")).failure().orElseThrow());
    }
  }

  @ParameterizedTest(name = "{index}")
  @MethodSource("oddFailures")
  void aFailureThatCannotBeSentAsItIsIsReportedAtTheEnd(RuntimeException odd) throws Exception {
    var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          throw odd;
        });
    server.client().send(datum("")).stream().awaitEnd(Duration.ofSeconds(30));

    assertSame(odd, assertThrows(AssertionError.class, server::close).getCause());
  }

  @Test
  void aFailureWithALongMessageIsRecognized() throws Exception {
    var longest = new IllegalStateException("x".repeat(10_000));
    try (var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          throw longest;
        })) {
      assertEquals(Optional.of(longest), server.client().send(datum("")).failure());
    }
  }

  /** Nothing has interrupted it. */
  @Test
  void anInterruptedExceptionOfTheHandlersOwnIsItsFailure() throws Exception {
    var own = new InterruptedException("by itself");
    try (var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          throw own;
        })) {
      assertEquals(Optional.of(own), server.client().send(datum("")).failure());
    }
  }

  /** As in a harness: see {@link HarnessReplyTest}. */
  @Test
  void aFailureAfterTheFailMarkStopsTheServer() throws Exception {
    try (var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          sink.emit(Message.toFail());
          sink.emit("more");
        })) {
      assertTrue(server.client().send(datum("")).next(LIMIT).isFail());

      assertInstanceOf(SinkClosedException.class, server.awaitFailure(LIMIT));
    }
  }

  @Test
  void anInterruptedTestCanAskForTheFailure() throws Exception {
    try (var server = MapStreamTestServer.start(failing)) {
      server.client().send(datum(""));
      assertSame(boom, server.awaitFailure(LIMIT));
      Thread.currentThread().interrupt();

      assertEquals(Optional.of(boom), server.failure());

      assertTrue(Thread.interrupted());
    }
  }

  @Test
  void otherDatumsThanTheFailedOneGetABrokenStream() throws Exception {
    CountDownLatch never = new CountDownLatch(1);
    try (var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          if (datum.text().equals("fails")) {
            throw boom;
          }
          never.await();
        })) {
      Reply other = server.client().send(datum(""));
      server.client().send(datum("fails"));

      assertThrowsExactly(StreamBrokenException.class, () -> other.next(LIMIT));
      assertSame(boom, server.awaitFailure(LIMIT));
    }
  }

  /** A test's time limit interrupts the test, for example. */
  @Test
  void closeThrowsTheHandlersFailureToAnInterruptedTest() throws Exception {
    var server = MapStreamTestServer.start(failing);
    Reply reply = server.client().send(datum(""));
    reply.stream().awaitEnd(LIMIT);
    Thread.currentThread().interrupt();

    var thrown = assertThrows(AssertionError.class, server::close);

    assertTrue(Thread.interrupted());
    assertSame(boom, thrown.getCause());
    assertFalse(Files.exists(server.socketPath().getParent()));
  }

  @Test
  void aStopForAnotherReasonIsReportedAsSuch() throws Exception {
    try (var server = MapStreamTestServer.start((keys, datum, sink) -> {})) {
      server.server().close();

      var late = assertThrows(WaitTimeoutError.class, () -> server.awaitFailure(LIMIT));
      assertContains("stopped by something other than a handler's failure", late.getMessage());
    }
  }

  @Test
  void aFailureThatWasCheckedIsNotThrownAgain() throws Exception {
    try (var server = MapStreamTestServer.start(failing)) {
      assertEquals(Optional.empty(), server.failure());
      server.client().send(datum(""));

      assertSame(boom, server.awaitFailure(LIMIT));
      assertEquals(Optional.of(boom), server.failure());
    }
  }

  @Test
  void theWaitForAFailureTimesOut() throws Exception {
    try (var server = MapStreamTestServer.start((keys, datum, sink) -> {})) {
      var late =
          assertThrows(WaitTimeoutError.class, () -> server.awaitFailure(Duration.ofMillis(1)));
      assertContains("waited 0.001 s for a handler's failure", late.getMessage());
      assertRefused(
          "limit must not be negative but was -1 s",
          () -> server.awaitFailure(Duration.ofSeconds(-1)));
    }
  }

  @Test
  void aHandlerThatEndsAtAStopCanBeTested() throws Exception {
    try (var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          sink.emit("started");
          while (!sink.isStopping()) {
            LockSupport.parkNanos(1_000_000);
          }
          sink.emit("stopped");
        })) {
      Reply reply = server.client().send(datum(""));
      assertEquals("started", reply.next(LIMIT).text());

      server.server().close();

      assertEquals(List.of("stopped"), reply.remaining(LIMIT).texts());
    }
  }

  @Test
  void closeInterruptsOpenHandlers() throws Exception {
    CountDownLatch started = new CountDownLatch(1);
    CountDownLatch interrupted = new CountDownLatch(1);
    try (var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          started.countDown();
          try {
            new CountDownLatch(1).await();
          } finally {
            interrupted.countDown();
          }
        })) {
      server.client().send(datum(""));
      Testing.await(started, "the handler to start");
    }
    Testing.await(interrupted, "the handler to be interrupted");
  }

  @Test
  void optionsOfTheTestAreApplied() throws Exception {
    Path other = Files.createTempDirectory("other");
    try (var server =
        MapStreamTestServer.start(
            (keys, datum, sink) -> {}, options -> options.socketPath(other.resolve("s")))) {
      assertEquals(other.resolve("s"), server.socketPath());
      server.client().send(datum("")).remaining(LIMIT);
    }
    Files.delete(other);
  }

  @Test
  void aServerThatCannotStartLeavesNothingBehind() throws Exception {
    AtomicReference<Path> info = new AtomicReference<>();
    assertThrows(
        IOException.class,
        () ->
            MapStreamTestServer.start(
                (keys, datum, sink) -> {},
                options -> {
                  info.set(options.build().options().serverInfoFile());
                  options.socketPath(Path.of("/nowhere/at/all"));
                }));
    assertFalse(Files.exists(info.get().getParent()));
  }

  @Test
  void markThatTheReleaseDoesNotKnowStopsTheServer() throws Exception {
    try (var server =
        MapStreamTestServer.start(
            (keys, datum, sink) -> sink.emit(Message.toNack()),
            options -> options.numaflowVersion("1.8.1"))) {
      server.client().send(TestDatum.of("a"));

      assertInstanceOf(UnsupportedMarkException.class, server.awaitFailure(Testing.LIMIT));
    }
  }
}
