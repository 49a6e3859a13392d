package io.mapstream.testkit;

import static io.mapstream.testkit.MapStreamHarnessTest.assertContains;
import static io.mapstream.testkit.MapStreamHarnessTest.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertThrowsExactly;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.MessageSink;
import io.mapstream.MessageTooLargeException;
import io.mapstream.Messages;
import io.mapstream.SinkClosedException;
import io.mapstream.server.ServerOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tests what a reply reports of its datum, and how the test's calls affect the handler. */
@Timeout(60)
class HarnessReplyTest {

  private static final Duration SHORT = Duration.ofSeconds(3);

  private final Gate gate = new Gate();

  /** What a handler passes to the test, apart from messages. */
  private final AtomicReference<Object> noted = new AtomicReference<>();

  // Reading.

  @Test
  void firstMessageIsAvailableBeforeTheHandlerReturns() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          sink.emit(Message.of("first"));
          gate.await();
          sink.emit(Message.of("second"));
        };
    try (var harness = MapStreamHarness.of(handler)) {
      Reply reply = harness.send("a");

      assertEquals("first", reply.next().text());
      assertTrue(reply.isRunning());
      assertFalse(reply.hasEnded());

      gate.open();
      assertEquals(List.of("second"), reply.remaining().texts());
      assertFalse(reply.isRunning());
      assertTrue(reply.hasEnded());
      assertEquals(Optional.empty(), reply.failure());
    }
  }

  @Test
  void replyKnowsItsDatum() {
    try (var harness = MapStreamHarness.of(new WordSplitter())) {
      Reply reply = harness.send("a");

      assertEquals(TestDatum.of("a"), reply.datum());
      assertEquals(List.of("a"), reply.remaining().texts());
      assertEquals(
          "Reply[the handler of datum \"1\" has returned after 1 message]", reply.toString());
    }
  }

  @Test
  void nothingRemainsAfterTheEnd() {
    try (var harness = MapStreamHarness.of(new WordSplitter())) {
      Reply reply = harness.send("a");

      assertEquals(List.of("a"), reply.remaining().texts());
      assertEquals(Messages.empty(), reply.remaining());
    }
  }

  @Test
  void readingPastTheEndFailsWithTheReason() {
    try (var harness = MapStreamHarness.of(new WordSplitter())) {
      Reply reply = harness.send("a,b");
      assertEquals("a", reply.next().text());
      assertEquals("b", reply.next().text());

      var failure = assertThrows(AssertionError.class, reply::next);

      assertEquals(
          "there is no further message: the handler of datum \"1\" has returned after 2 messages",
          failure.getMessage());
    }
  }

  @Test
  void missingMessageFailsWithTheHandlersStack() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          sink.emit(Message.of("first"));
          gate.await();
        };
    try (var harness = MapStreamHarness.of(handler)) {
      Reply reply = harness.send("a");
      assertEquals("first", reply.next().text());

      var failure = assertThrows(AssertionError.class, () -> reply.next(SHORT));

      assertContains(
          failure,
          "waited 3 s for message 2: the handler of datum \"1\" still runs",
          "Gate.await",
          "HarnessReplyTest");
      gate.open();
    }
  }

  @Test
  void zeroLimitReturnsAnAvailableMessage() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          sink.emit(Message.of("a"));
          sink.emit(Message.of("b"));
        };
    try (var harness = MapStreamHarness.builder(handler).bound(1).build()) {
      Reply reply = harness.send("");
      reply.awaitBlockedEmit();

      assertEquals("a", reply.next(Duration.ZERO).text());
      assertEquals(List.of("b"), reply.remaining().texts());
    }
  }

  @Test
  void negativeLimitIsRefused() {
    try (var harness = MapStreamHarness.of((keys, datum, sink) -> {})) {
      Reply reply = harness.send("a");

      assertRefused(
          "limit must not be negative but was -0.001 s", () -> reply.next(Duration.ofMillis(-1)));
    }
  }

  // Failures.

  @Test
  void failureIsThrownAfterThePrecedingMessages() {
    var cause = new IOException("disk on fire");
    try (var harness = MapStreamHarness.of(emittingThenThrowing(cause))) {
      Reply reply = harness.send("a,b");
      assertEquals("a", reply.next().text());
      assertEquals("b", reply.next().text());

      var failed = assertThrowsExactly(HandlerFailedException.class, reply::next);

      assertSame(cause, failed.getCause());
      assertEquals(Messages.empty(), failed.messages());
      assertSame(cause, reply.failure().orElseThrow());
    }
  }

  @Test
  void failureCarriesTheRemainingMessages() {
    var cause = new IOException("disk on fire");
    try (var harness = MapStreamHarness.of(emittingThenThrowing(cause))) {
      Reply reply = harness.send("a,b,c");
      assertEquals("a", reply.next().text());

      var failed = assertThrowsExactly(HandlerFailedException.class, reply::remaining);

      assertSame(cause, failed.getCause());
      assertEquals(List.of("b", "c"), failed.messages().texts());
    }
  }

  @Test
  void messagesThatAFailureHasShownCanStillBeTaken() {
    try (var harness = MapStreamHarness.of(emittingThenThrowing(new IOException("disk on fire")))) {
      Reply reply = harness.send("a,b,c");
      assertThrows(HandlerFailedException.class, reply::remaining);

      var again = assertThrows(HandlerFailedException.class, reply::remaining);

      assertEquals(List.of("a", "b", "c"), again.messages().texts());
      assertEquals("a", reply.next().text());
      assertEquals(List.of("b", "c"), reply.takeArrived().texts());
      var last = assertThrows(HandlerFailedException.class, reply::remaining);
      assertEquals(Messages.empty(), last.messages());
    }
  }

  @Test
  void failureCanBeQueriedWithoutReading() {
    var cause = new IOException("disk on fire");
    try (var harness = MapStreamHarness.of(emittingThenThrowing(cause))) {
      Reply reply = harness.send("a");

      assertSame(cause, reply.failure().orElseThrow());
      assertEquals("a", reply.next().text());
    }
  }

  @Test
  void waitForTheFailureOfABlockedHandlerSaysThatTheTestMustRead() {
    var builder = MapStreamHarness.builder(new WordSplitter()).bound(1).timeLimit(SHORT);
    try (var harness = builder.build()) {
      Reply reply = harness.send("first,a,b");
      assertEquals("first", reply.next(Duration.ofSeconds(10)).text());

      var failure = assertThrows(AssertionError.class, reply::failure);

      assertContains(
          failure,
          "waited 3 s for the return of the handler",
          "is blocked in emit until the test reads (bound 1), with 2 messages emitted, 1 unread");
      assertEquals(List.of("a", "b"), reply.remaining().texts());
    }
  }

  private static MapStreamer emittingThenThrowing(Exception cause) {
    return (keys, datum, sink) -> {
      new WordSplitter().handle(keys, datum, sink);
      throw cause;
    };
  }

  // Back-pressure.

  @Test
  void emitBlocksAtTheBoundUntilAMessageIsRead() {
    try (var harness = MapStreamHarness.builder(new WordSplitter()).bound(2).build()) {
      Reply reply = harness.send("a,b,c,d");

      reply.awaitBlockedEmit();
      assertContains(new AssertionError(reply.toString()), "2 messages emitted, 2 unread");
      assertEquals("a", reply.next().text());
      reply.awaitBlockedEmit();
      assertContains(new AssertionError(reply.toString()), "3 messages emitted, 2 unread");

      assertEquals(List.of("b", "c", "d"), reply.remaining().texts());
    }
  }

  @Test
  void everyBoundIsExact() {
    MapStreamer endless =
        (keys, datum, sink) -> {
          for (int i = 0; true; i++) {
            noted.set(i);
            sink.emit(Message.of("" + i));
          }
        };
    for (int bound : List.of(1, 7, 8, 100)) {
      try (var harness = MapStreamHarness.builder(endless).bound(bound).build()) {
        Reply reply = harness.send("");
        for (int read = 0; read < 20; read++) {
          reply.awaitBlockedEmit();
          assertEquals(bound + read, noted.get());
          assertEquals("" + read, reply.next().text());
        }
        reply.cancel();
      }
    }
  }

  @Test
  void datumThatEndsWithoutABlockedEmitIsReported() {
    try (var harness = MapStreamHarness.builder(new WordSplitter()).bound(2).build()) {
      Reply reply = harness.send("a,b");

      var failure = assertThrows(AssertionError.class, reply::awaitBlockedEmit);

      assertContains(
          failure, "no emit is blocked until the test reads", "after 2 messages, 2 unread");
      assertEquals(List.of("a", "b"), reply.remaining().texts());
    }
  }

  @Test
  void missingBlockedEmitFailsWithTheHandlersStack() throws Exception {
    var started = new CountDownLatch(1);
    MapStreamer handler =
        (keys, datum, sink) -> {
          started.countDown();
          gate.await();
        };
    try (var harness = MapStreamHarness.builder(handler).timeLimit(SHORT).build()) {
      Reply reply = harness.send("a");
      assertTrue(started.await(30, TimeUnit.SECONDS));

      var failure = assertThrows(AssertionError.class, reply::awaitBlockedEmit);

      assertContains(
          failure, "waited 3 s for an emit that is blocked until the test reads", "Gate.await");
      gate.open();
    }
  }

  @Test
  void concurrentEmittersOfAHandlerNeitherLoseNorDuplicateMessages() {
    int threads = 8;
    int each = 100;
    MapStreamer handler =
        (keys, datum, sink) -> {
          List<Thread> emitters =
              IntStream.range(0, threads)
                  .mapToObj(t ->
                      Thread.ofVirtual()
                          .start(() -> {
                            for (int i = 0; i < each; i++) {
                              sink.emit(Message.of(t + ":" + i));
                            }
                          }))
                  .toList();
          for (Thread emitter : emitters) {
            assertTrue(emitter.join(Duration.ofSeconds(30)));
          }
        };
    var builder = MapStreamHarness.builder(handler).bound(3).timeLimit(Duration.ofSeconds(60));
    try (var harness = builder.build()) {
      List<String> texts = harness.send("a").remaining().texts();

      Set<String> expected = new HashSet<>();
      for (int t = 0; t < threads; t++) {
        String prefix = t + ":";
        List<String> ofThread = texts.stream().filter(text -> text.startsWith(prefix)).toList();
        assertEquals(IntStream.range(0, each).mapToObj(i -> prefix + i).toList(), ofThread);
        expected.addAll(ofThread);
      }
      assertEquals(threads * each, texts.size());
      assertEquals(Set.copyOf(texts), expected);
    }
  }

  @Test
  void boundAppliesAgainAfterATimedOutWaitForTheEnd() throws Exception {
    AtomicInteger made = new AtomicInteger();
    MapStreamer endless =
        (keys, datum, sink) -> {
          while (true) {
            sink.emit("" + made.incrementAndGet());
          }
        };
    try (var harness = MapStreamHarness.builder(endless).bound(1).build()) {
      Reply reply = harness.send("");
      reply.awaitBlockedEmit();
      assertThrows(WaitTimeoutError.class, () -> reply.remaining(Duration.ZERO));

      reply.awaitBlockedEmit();
      int before = made.get();
      Testing.until(() -> reply.arrived() == before - 2, "all but one unread and one in emit");

      assertEquals("1", reply.next().text());
      var unused = reply.takeArrived();
      assertEquals("" + (before - 1), reply.next().text());
      reply.awaitBlockedEmit();
      assertEquals(before + 1, made.get());
      reply.cancel();
    }
  }

  // The stream.

  @Test
  void whatTheTestRequestsOfTheStreamArrivesWithoutBeingAwaited() throws Exception {
    try (var harness = MapStreamHarness.builder(new WordSplitter()).bound(1).build()) {
      Reply reply = harness.send("a,b,c,d,e,f");

      reply.stream().read(2);
      Testing.until(() -> reply.arrived() == 2, "the requested messages");
      reply.awaitBlockedEmit();
      assertContains(new AssertionError(reply.toString()), "3 messages emitted, 3 unread");

      assertEquals("a", reply.next().text());
      assertEquals("b", reply.next().text());
      assertEquals("c", reply.next().text());
      assertEquals(List.of("d", "e", "f"), reply.remaining().texts());
    }
  }

  /** Whether the handler has ended by then depends on its speed. */
  @Test
  void requestAfterTheHandlerHasEndedDoesNothing() throws Exception {
    try (var harness = MapStreamHarness.of(new WordSplitter())) {
      Reply reply = harness.send("a,b");
      assertTrue(reply.failure().isEmpty());

      reply.stream().read(2);

      assertEquals(List.of("a", "b"), reply.remaining().texts());
    }
  }

  @Test
  void streamThatReadsAsMessagesArriveHasNoBound() throws Exception {
    MapStreamer handler =
        (keys, datum, sink) -> {
          new WordSplitter().handle(keys, datum, sink);
          gate.await();
        };
    try (var harness = MapStreamHarness.builder(handler).bound(1).build()) {
      Reply reply = harness.send("a,b,c,d");

      reply.stream().resumeReading();

      Testing.until(() -> reply.arrived() == 4, "all messages");
      assertEquals("a", reply.next().text());
      gate.open();
      assertEquals(List.of("b", "c", "d"), reply.remaining().texts());
      assertTrue(reply.stream().awaitEnd(SHORT).isOk());
    }
  }

  @Test
  void streamBelongsToOneDatum() {
    try (var harness = MapStreamHarness.of(emittingThenWaiting())) {
      Reply reply = harness.send("a");
      assertEquals("started", reply.next().text());

      var refusal =
          assertThrows(
              IllegalStateException.class, () -> reply.stream().send(TestDatum.of("another")));

      assertContains(refusal, "was half-closed");
      gate.open();
      assertEquals(List.of("a"), reply.remaining().texts());
    }
  }

  @Test
  void cancelOfTheStreamIsACancelOfTheReply() {
    try (var harness = MapStreamHarness.of(emittingThenWaiting())) {
      Reply reply = harness.send("a");
      assertEquals("started", reply.next().text());

      reply.stream().cancel();

      assertThrowsExactly(StreamBrokenException.class, reply::next);
      assertInstanceOf(InterruptedException.class, reply.failure().orElseThrow());
    }
  }

  // Cancel.

  @Test
  void cancelInterruptsBlockedEmitAndKeepsTheFlag() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          sink.emit(Message.of("kept"));
          try {
            sink.emit(Message.of("refused"));
          } finally {
            noted.set(Thread.currentThread().isInterrupted());
          }
        };
    try (var harness = MapStreamHarness.builder(handler).bound(1).build()) {
      Reply reply = harness.send("a");
      reply.awaitBlockedEmit();

      reply.cancel();

      var refusal = assertInstanceOf(SinkClosedException.class, reply.failure().orElseThrow());
      assertContains(refusal, "emit refused: the client cancelled the stream or disconnected");
      assertEquals(true, noted.get());
      assertFalse(reply.hasEnded());
      assertEquals(Messages.empty(), reply.takeArrived(), "unread messages are lost");
    }
  }

  @Test
  void cancelInterruptsAHandlerThatWaitsOutsideEmit() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          sink.emit(Message.of("started"));
          gate.await();
        };
    try (var harness = MapStreamHarness.of(handler)) {
      Reply reply = harness.send("a");
      assertEquals("started", reply.next().text());

      reply.cancel();

      assertInstanceOf(InterruptedException.class, reply.failure().orElseThrow());
    }
  }

  @Test
  void emitAfterACancelIsRefusedThoughPermitsAreLeft() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          sink.emit(Message.of("started"));
          try {
            gate.await();
          } catch (InterruptedException e) {
            noted.set(assertThrows(SinkClosedException.class, () -> sink.emit(Message.of("late"))));
          }
        };
    try (var harness = MapStreamHarness.of(handler)) {
      Reply reply = harness.send("a");
      assertEquals("started", reply.next().text());

      reply.cancel();

      assertEquals(Optional.empty(), reply.failure());
      assertContains((Throwable) noted.get(), "the client cancelled the stream");
    }
  }

  @Test
  void cancelledDatumNeedsNoReadingOrWaiting() {
    try (var harness = MapStreamHarness.builder(new WordSplitter()).bound(1).build()) {
      Reply reply = harness.send("a,b");
      reply.awaitBlockedEmit();

      reply.cancel();
    }
  }

  @Test
  void finishedDatumNeedNotBeReadAfterACancel() {
    try (var harness = MapStreamHarness.of(new WordSplitter())) {
      Reply reply = harness.send("a,b");
      assertEquals(Optional.empty(), reply.failure());

      reply.cancel();
    }
  }

  @Test
  void readingPastACancelFailsWithTheReason() {
    MapStreamer handler = (keys, datum, sink) -> gate.await();
    try (var harness = MapStreamHarness.of(handler)) {
      Reply reply = harness.send("a");
      reply.cancel();

      var broken = assertThrows(StreamBrokenException.class, reply::next);

      assertEquals("CANCELLED", broken.status().code());
      assertContains(broken, "message 1 of datum \"1\"");
    }
  }

  @Test
  void failureOfACleanUpAfterACancelIsNotLost() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          sink.emit(Message.of("started"));
          try {
            gate.await();
          } finally {
            noted.set("cleaning up");
            closeBadly();
          }
        };
    var harness = MapStreamHarness.of(handler);
    Reply reply = harness.send("a");
    assertEquals("started", reply.next().text());
    reply.cancel();

    var failure = assertThrows(AssertionError.class, harness::close);

    assertEquals("could not clean up", failure.getCause().getMessage());
  }

  @Test
  void failureOfACleanUpAfterTheFailMarkAndACancelIsNotLost() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          sink.emit(Message.toFail());
          try {
            gate.await();
          } finally {
            closeBadly();
          }
        };
    var harness = MapStreamHarness.of(handler);
    Reply reply = harness.send("a");
    assertTrue(reply.next().isFail());
    reply.cancel();

    var failure = assertThrows(AssertionError.class, harness::close);

    assertEquals("could not clean up", failure.getCause().getMessage());
  }

  private static void closeBadly() throws IOException {
    throw new IOException("could not clean up");
  }

  @Test
  void exceptionCausedByTheInterruptOfACancelIsNotAFailure() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          sink.emit(Message.of("started"));
          try {
            gate.await();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        };
    try (var harness = MapStreamHarness.of(handler)) {
      Reply reply = harness.send("a");
      assertEquals("started", reply.next().text());
      reply.cancel();
    }
  }

  @Test
  void cancelOfOneDatumLeavesTheOthersRunning() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          sink.emit(Message.of("started"));
          gate.await();
          sink.emit(datum.value());
        };
    try (var harness = MapStreamHarness.of(handler)) {
      Reply cancelled = harness.send("a");
      Reply other = harness.send("b");
      assertEquals("started", cancelled.next().text());
      assertEquals("started", other.next().text());

      cancelled.cancel();
      assertInstanceOf(InterruptedException.class, cancelled.failure().orElseThrow());
      gate.open();

      assertEquals(List.of("b"), other.remaining().texts());
    }
  }

  @Test
  void cancelBeforeTheHandlerHasStartedKeepsItFromStarting() {
    try (var harness =
        MapStreamHarness.builder(emittingThenWaiting()).options(o -> o.maxConcurrency(1)).build()) {
      Reply first = harness.send("a");
      assertEquals("started", first.next().text());
      Reply second = harness.send("b");
      assertContains(new AssertionError(second.toString()), "\"2\" has not started");

      second.cancel();
      assertThrows(StreamBrokenException.class, second::next);
      assertFalse(second.isRunning());

      gate.open();
      assertEquals(List.of("a"), first.remaining().texts());
    }
  }

  /** The server may have started the handler's thread before the cancel arrives. */
  @Test
  void handlerThatTheServerStartsAfterACancelIsNotCalled() throws Exception {
    try (var harness =
        MapStreamHarness.builder(emittingThenWaiting()).options(o -> o.maxConcurrency(1)).build()) {
      Reply first = harness.send("a");
      assertEquals("started", first.next().text());
      var second = (HarnessReply) harness.send("b");
      second.cancel();
      assertThrows(StreamBrokenException.class, second::next);

      second.run(
          (keys, datum, sink) -> noted.set(datum), List.of(), second.datum(), new RecordingSink());

      assertNull(noted.get());
      assertFalse(second.isRunning());
      assertEquals(Optional.empty(), second.failure());
      gate.open();
      assertEquals(List.of("a"), first.remaining().texts());
    }
  }

  @Test
  void failureOfARefusedDatumIsABrokenStream() {
    MapStreamer handler = (keys, datum, sink) -> noted.set(datum);
    try (var harness =
        MapStreamHarness.builder(handler).options(o -> o.maxMessageSize(100)).build()) {
      Reply refused = harness.send("x".repeat(200));

      var broken = assertInstanceOf(StreamBrokenException.class, refused.failure().orElseThrow());

      assertEquals("RESOURCE_EXHAUSTED", broken.status().code());
      assertNull(noted.get());
    }
  }

  private MapStreamer emittingThenWaiting() {
    return (keys, datum, sink) -> {
      sink.emit(Message.of("started"));
      gate.await();
      sink.emit(datum.value());
    };
  }

  // The server's options.

  @Test
  void maxConcurrencyLimitsTheRunningHandlers() {
    try (var harness =
        MapStreamHarness.builder(emittingThenWaiting()).options(o -> o.maxConcurrency(2)).build()) {
      List<Reply> replies = List.of(harness.send("a"), harness.send("b"), harness.send("c"));
      assertEquals("started", replies.get(0).next().text());
      assertEquals("started", replies.get(1).next().text());
      assertContains(new AssertionError(replies.get(2).toString()), "\"3\" has not started");

      gate.open();
      assertEquals(List.of("started", "c"), replies.get(2).remaining().texts());
      assertEquals(List.of("a"), replies.get(0).remaining().texts());
      assertEquals(List.of("b"), replies.get(1).remaining().texts());
    }
  }

  @Test
  void failPolicyAnswersAFailureWithTheFailMark() {
    var cause = new IOException("disk on fire");
    var builder =
        MapStreamHarness.builder(emittingThenThrowing(cause))
            .options(o -> o.errorPolicy(ServerOptions.ErrorPolicy.FAIL));
    try (var harness = builder.build()) {
      Reply reply = harness.send("a");

      assertEquals(Messages.of(Message.of("a"), Message.toFail()), reply.remaining());
      assertSame(cause, reply.failure().orElseThrow());
    }
  }

  @Test
  void failureEndsOnlyItsDatumAndHasTheStatusSentToThePlatform() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          if (datum.text().equals("bad")) {
            throw new IOException("disk on fire");
          }
          emittingThenWaiting().handle(keys, datum, sink);
        };
    try (var harness = MapStreamHarness.of(handler)) {
      Reply good = harness.send("good");
      assertEquals("started", good.next().text());

      var failed = assertThrows(HandlerFailedException.class, () -> harness.process("bad"));
      assertEquals("INTERNAL", failed.status().code());
      assertContains(failed, "UDF_EXECUTION_ERROR", "disk on fire");

      gate.open();
      assertEquals(List.of("good"), good.remaining().texts());
    }
  }

  // A handler that interrupts its own thread.

  @Test
  void interruptedThreadCanEmitWhilePermitsAreLeft() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          Thread.currentThread().interrupt();
          sink.emit(Message.of("a"));
          noted.set(Thread.currentThread().isInterrupted());
        };
    try (var harness = MapStreamHarness.of(handler)) {
      assertEquals(List.of("a"), harness.process("").texts());
      assertEquals(true, noted.get());
    }
  }

  @Test
  void interruptedThreadIsRefusedWhereEmitWouldBlock() throws Exception {
    CountDownLatch refused = new CountDownLatch(1);
    MapStreamer handler =
        (keys, datum, sink) -> {
          sink.emit(Message.of("a"));
          Thread.currentThread().interrupt();
          var refusal =
              assertThrows(SinkClosedException.class, () -> sink.emit(Message.of("refused")));
          assertInstanceOf(InterruptedException.class, refusal.getCause());
          assertTrue(Thread.interrupted());
          refused.countDown();
          sink.emit(Message.of("b"));
        };
    try (var harness = MapStreamHarness.builder(handler).bound(1).build()) {
      Reply reply = harness.send("");

      // No message is read before this: the unread one uses the only permit.
      assertTrue(refused.await(10, TimeUnit.SECONDS));
      reply.awaitBlockedEmit();
      assertEquals(List.of("a", "b"), reply.remaining().texts());
    }
  }

  // What a sink refuses.

  @Test
  void failMarkEndsTheDatumBeforeTheHandlerReturns() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          sink.emit(Message.toFail());
          noted.set(assertThrows(SinkClosedException.class, () -> sink.emit(Message.of("late"))));
          gate.await();
        };
    try (var harness = MapStreamHarness.of(handler)) {
      Reply reply = harness.send("a");

      assertTrue(reply.next().isFail());
      assertFalse(reply.hasNext());
      assertTrue(reply.hasEnded());
      assertTrue(reply.isRunning());
      var past = assertThrows(AssertionError.class, reply::next);
      assertContains(past, "there is no further message", "with the fail mark");

      gate.open();
      assertEquals(Messages.empty(), reply.remaining());
      assertEquals(Optional.empty(), reply.failure());
      assertContains((Throwable) noted.get(), "emit refused: the datum is closed");
    }
  }

  /** It stops a server, since its stream is still open: see {@link MapStreamTestServerTest}. */
  @Test
  void failureAfterTheFailMarkIsAFailure() {
    var bug = new IllegalStateException("bug");
    MapStreamer handler =
        (keys, datum, sink) -> {
          sink.emit("before");
          sink.emit(Message.toFail());
          throw bug;
        };
    try (var harness = MapStreamHarness.of(handler)) {
      var failed = assertThrows(HandlerFailedException.class, () -> harness.process("a"));

      assertSame(bug, failed.getCause());
      assertEquals("INTERNAL", failed.status().code());
      assertEquals(Messages.of(Message.of("before"), Message.toFail()), failed.messages());
    }
    var unchecked = MapStreamHarness.of(handler);
    assertTrue(unchecked.send("a").remaining().getLast().isFail());
    var failure = assertThrows(AssertionError.class, unchecked::close);
    assertContains(failure, "- failed, and the test did not check for it: ");
    assertSame(bug, failure.getCause());
  }

  @Test
  void messageAfterTheFailMarkIsAFailure() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          sink.emit(Message.toFail()); // A return is missing.
          sink.emit("more");
        };
    try (var harness = MapStreamHarness.of(handler)) {
      var failed = assertThrows(HandlerFailedException.class, () -> harness.process("a"));

      assertInstanceOf(SinkClosedException.class, failed.getCause());
    }
  }

  @Test
  void failPolicyIgnoresAFailureAfterTheFailMark() {
    var bug = new IllegalStateException("bug");
    MapStreamer handler =
        (keys, datum, sink) -> {
          sink.emit(Message.toFail());
          throw bug;
        };
    var builder =
        MapStreamHarness.builder(handler)
            .options(o -> o.errorPolicy(ServerOptions.ErrorPolicy.FAIL));
    try (var harness = builder.build()) {
      assertEquals(Messages.of(Message.toFail()), harness.process("a"));

      Reply reply = harness.send("b");
      assertSame(bug, reply.failure().orElseThrow());
      assertEquals(Messages.of(Message.toFail()), reply.remaining());
    }
  }

  @Test
  void emitAfterTheReturnIsRefusedAndReportedByClose() {
    MapStreamer handler = (keys, datum, sink) -> noted.set(sink);
    var harness = MapStreamHarness.of(handler);
    assertEquals(Messages.empty(), harness.process("a"));

    var late = (MessageSink) noted.get();
    var refusal =
        assertThrowsExactly(SinkClosedException.class, () -> late.emit(Message.of("late")));

    assertEquals(
        "emit refused: the datum is closed (its handler has returned, or a fail mark was emitted)",
        refusal.getMessage());
    assertNull(refusal.getCause());
    var closing = assertThrows(AssertionError.class, harness::close);
    assertContains(
        closing, "- emitted after the handler had ended: Message[value=\"late\"", "\"1\"");
  }

  @Test
  void nullMessageIsRefusedAndTheSinkStaysOpen() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          MapStreamHarnessTest.assertNull("message", () -> sink.emit((Message) null));
          sink.emit(Message.of("after"));
        };
    try (var harness = MapStreamHarness.of(handler)) {
      assertEquals(List.of("after"), harness.process("a").texts());
    }
  }

  @Test
  void messageAboveTheLimitIsRefusedAndTheSinkStaysOpen() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          var refusal =
              assertThrowsExactly(MessageTooLargeException.class, () -> sink.emit(new byte[100]));
          noted.set(refusal);
          sink.emit(Message.of("after"));
        };
    try (var harness =
        MapStreamHarness.builder(handler).options(o -> o.maxMessageSize(100)).build()) {
      assertEquals(List.of("after"), harness.process("a").texts());
      var refusal = (MessageTooLargeException) noted.get();
      // The value, its tag and length, those of the result around it, and the id "1".
      assertEquals(100 + 2 + 2 + 3, refusal.size());
      assertEquals(100, refusal.limit());
    }
  }

  @Test
  void messageAtTheLimitIsAccepted() {
    MapStreamer handler = (keys, datum, sink) -> sink.emit(new byte[93]);
    try (var harness =
        MapStreamHarness.builder(handler).options(o -> o.maxMessageSize(100)).build()) {
      assertEquals(93, harness.process("a").get(0).value().length);
    }
  }
}
