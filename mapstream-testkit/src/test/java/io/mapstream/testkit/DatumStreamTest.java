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
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a test sees of one datum while its handler works, and what the handler sees of the test. */
@Timeout(60)
class DatumStreamTest {

  private static final Duration SHORT = Duration.ofSeconds(1);

  private final Gate gate = new Gate();

  /** What a handler hands to the test, besides messages. */
  private final AtomicReference<Object> noted = new AtomicReference<>();

  // Reading.

  @Test
  void firstMessageIsThereBeforeTheHandlerReturns() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          sink.emit(Message.of("first"));
          gate.await();
          sink.emit(Message.of("second"));
        };
    try (var harness = MapStreamHarness.of(handler)) {
      DatumStream stream = harness.stream("a");

      assertEquals("first", stream.next().text());
      assertTrue(stream.isRunning());
      assertFalse(stream.hasEnded());

      gate.open();
      assertEquals(List.of("second"), stream.remaining().texts());
      assertFalse(stream.isRunning());
      assertTrue(stream.hasEnded());
      assertEquals(Optional.empty(), stream.failure());
    }
  }

  @Test
  void handleKnowsItsDatum() {
    try (var harness = MapStreamHarness.of(new WordSplitter())) {
      DatumStream stream = harness.stream("a");

      assertEquals(TestDatum.of("a"), stream.datum());
      assertEquals(List.of("a"), stream.remaining().texts());
      assertEquals(
          "DatumStream[the handler of datum \"1\" has returned after 1 message]",
          stream.toString());
    }
  }

  @Test
  void nothingRemainsAfterTheEnd() {
    try (var harness = MapStreamHarness.of(new WordSplitter())) {
      DatumStream stream = harness.stream("a");

      assertEquals(List.of("a"), stream.remaining().texts());
      assertEquals(Messages.empty(), stream.remaining());
    }
  }

  @Test
  void readingPastTheEndFailsWithTheReason() {
    try (var harness = MapStreamHarness.of(new WordSplitter())) {
      DatumStream stream = harness.stream("a,b");
      assertEquals("a", stream.next().text());
      assertEquals("b", stream.next().text());

      var failure = assertThrows(AssertionError.class, stream::next);

      assertEquals(
          "there is no further message: the handler of datum \"1\" has returned after 2 messages",
          failure.getMessage());
    }
  }

  @Test
  void messageThatDoesNotComeFailsWithTheHandlersStack() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          sink.emit(Message.of("first"));
          gate.await();
        };
    try (var harness = MapStreamHarness.of(handler)) {
      DatumStream stream = harness.stream("a");
      assertEquals("first", stream.next().text());

      var failure = assertThrows(AssertionError.class, () -> stream.next(SHORT));

      assertContains(
          failure,
          "waited 1 s in vain for message 2: the handler of datum \"1\" still runs",
          "Gate.await",
          "DatumStreamTest");
      gate.open();
    }
  }

  @Test
  void limitOfZeroTakesWhatIsThere() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          sink.emit(Message.of("a"));
          sink.emit(Message.of("b"));
        };
    try (var harness = MapStreamHarness.builder(handler).bound(1).build()) {
      DatumStream stream = harness.stream("");
      stream.awaitBlockedEmit();

      assertEquals("a", stream.next(Duration.ZERO).text());
      assertEquals(List.of("b"), stream.remaining().texts());
    }
  }

  @Test
  void negativeLimitIsRefused() {
    try (var harness = MapStreamHarness.of((keys, datum, sink) -> {})) {
      DatumStream stream = harness.stream("a");

      assertRefused(
          "limit must not be negative but was PT-0.001S", () -> stream.next(Duration.ofMillis(-1)));
      assertRefused("limit is required but was null", () -> stream.next(null));
    }
  }

  // Failures.

  @Test
  void failureComesAfterTheMessagesBeforeIt() {
    var cause = new IOException("disk on fire");
    try (var harness = MapStreamHarness.of(emittingThenThrowing(cause))) {
      DatumStream stream = harness.stream("a,b");
      assertEquals("a", stream.next().text());
      assertEquals("b", stream.next().text());

      var failed = assertThrowsExactly(HandlerFailedException.class, stream::next);

      assertSame(cause, failed.getCause());
      assertEquals(Messages.empty(), failed.messages());
      assertSame(cause, stream.failure().orElseThrow());
    }
  }

  @Test
  void failureTakesTheRemainingMessagesAlong() {
    var cause = new IOException("disk on fire");
    try (var harness = MapStreamHarness.of(emittingThenThrowing(cause))) {
      DatumStream stream = harness.stream("a,b,c");
      assertEquals("a", stream.next().text());

      var failed = assertThrowsExactly(HandlerFailedException.class, stream::remaining);

      assertSame(cause, failed.getCause());
      assertEquals(List.of("b", "c"), failed.messages().texts());
    }
  }

  @Test
  void failureIsAskedForWithoutReading() {
    var cause = new IOException("disk on fire");
    try (var harness = MapStreamHarness.of(emittingThenThrowing(cause))) {
      DatumStream stream = harness.stream("a");

      assertSame(cause, stream.failure().orElseThrow());
      assertEquals("a", stream.next().text());
    }
  }

  @Test
  void waitForTheFailureOfABlockedHandlerSaysThatItIsToBeRead() {
    var builder = MapStreamHarness.builder(new WordSplitter()).bound(1).timeLimit(SHORT);
    try (var harness = builder.build()) {
      DatumStream stream = harness.stream("first,a,b");
      assertEquals("first", stream.next(Duration.ofSeconds(10)).text());

      var failure = assertThrows(AssertionError.class, stream::failure);

      assertContains(
          failure,
          "waited 1 s in vain for the return of the handler",
          "waits in emit for the test to read (bound 1), with 2 messages emitted, 1 unread");
      assertEquals(List.of("a", "b"), stream.remaining().texts());
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
      DatumStream stream = harness.stream("a,b,c,d");

      stream.awaitBlockedEmit();
      assertContains(new AssertionError(stream.toString()), "2 messages emitted, 2 unread");
      assertEquals("a", stream.next().text());
      stream.awaitBlockedEmit();
      assertContains(new AssertionError(stream.toString()), "3 messages emitted, 2 unread");

      assertEquals(List.of("b", "c", "d"), stream.remaining().texts());
    }
  }

  @Test
  void datumThatEndsWithoutABlockedEmitIsReported() {
    try (var harness = MapStreamHarness.builder(new WordSplitter()).bound(2).build()) {
      DatumStream stream = harness.stream("a,b");

      var failure = assertThrows(AssertionError.class, stream::awaitBlockedEmit);

      assertContains(failure, "no emit waits for the test to read", "after 2 messages, 2 unread");
      assertEquals(List.of("a", "b"), stream.remaining().texts());
    }
  }

  @Test
  void blockedEmitThatDoesNotComeFailsWithTheHandlersStack() {
    MapStreamer handler = (keys, datum, sink) -> gate.await();
    try (var harness = MapStreamHarness.builder(handler).timeLimit(SHORT).build()) {
      DatumStream stream = harness.stream("a");

      var failure = assertThrows(AssertionError.class, stream::awaitBlockedEmit);

      assertContains(failure, "in vain for an emit that waits for the test to read", "Gate.await");
      gate.open();
    }
  }

  @Test
  void threadsOfAHandlerThatEmitAtOnceLoseAndDoubleNothing() {
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
    try (var harness = MapStreamHarness.builder(handler).bound(3).build()) {
      List<String> texts = harness.stream("a").remaining().texts();

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
      DatumStream stream = harness.stream("a");
      stream.awaitBlockedEmit();

      stream.cancel();

      var refusal = assertInstanceOf(SinkClosedException.class, stream.failure().orElseThrow());
      assertContains(refusal, "emit refused: the client cancelled the stream or disconnected");
      assertEquals(true, noted.get());
      assertTrue(stream.hasEnded());
      assertEquals(List.of("kept"), stream.remaining().texts());
    }
  }

  @Test
  void cancelInterruptsAHandlerThatWaitsElsewhere() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          sink.emit(Message.of("started"));
          gate.await();
        };
    try (var harness = MapStreamHarness.of(handler)) {
      DatumStream stream = harness.stream("a");
      assertEquals("started", stream.next().text());

      stream.cancel();

      assertInstanceOf(InterruptedException.class, stream.failure().orElseThrow());
    }
  }

  @Test
  void emitAfterACancelIsRefusedThoughThereIsRoom() {
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
      DatumStream stream = harness.stream("a");
      assertEquals("started", stream.next().text());

      stream.cancel();

      assertEquals(Optional.empty(), stream.failure());
      assertContains((Throwable) noted.get(), "the client cancelled the stream");
      assertEquals(Messages.empty(), stream.remaining());
    }
  }

  @Test
  void cancelledDatumNeedNotBeReadNorItsEndBeSeen() {
    try (var harness = MapStreamHarness.builder(new WordSplitter()).bound(1).build()) {
      DatumStream stream = harness.stream("a,b");
      stream.awaitBlockedEmit();

      stream.cancel();
    }
  }

  @Test
  void finishedDatumNeedNotBeReadAfterACancel() {
    try (var harness = MapStreamHarness.of(new WordSplitter())) {
      DatumStream stream = harness.stream("a,b");
      assertEquals(Optional.empty(), stream.failure());

      stream.cancel();
    }
  }

  @Test
  void readingPastACancelFailsWithTheReason() {
    MapStreamer handler = (keys, datum, sink) -> gate.await();
    try (var harness = MapStreamHarness.of(handler)) {
      DatumStream stream = harness.stream("a");
      stream.cancel();

      var failure = assertThrows(AssertionError.class, stream::next);

      assertContains(failure, "there is no further message", "the client cancelled the stream");
    }
  }

  @Test
  void failureOfACleanUpAfterACancelIsNotLost() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          try {
            gate.await();
          } finally {
            noted.set("cleaning up");
            closeBadly();
          }
        };
    var harness = MapStreamHarness.of(handler);
    harness.stream("a").cancel();

    var failure = assertThrows(AssertionError.class, harness::close);

    assertEquals("could not clean up", failure.getCause().getMessage());
  }

  private static void closeBadly() throws IOException {
    throw new IOException("could not clean up");
  }

  @Test
  void interruptBehindAnotherExceptionIsTheAnswerToACancel() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          try {
            gate.await();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        };
    try (var harness = MapStreamHarness.of(handler)) {
      harness.stream("a").cancel();
    }
  }

  @Test
  void cancelOfOneDatumLeavesTheOthersAtWork() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          gate.await();
          sink.emit(datum.value());
        };
    try (var harness = MapStreamHarness.of(handler)) {
      DatumStream cancelled = harness.stream("a");
      DatumStream other = harness.stream("b");

      cancelled.cancel();
      assertInstanceOf(InterruptedException.class, cancelled.failure().orElseThrow());
      gate.open();

      assertEquals(List.of("b"), other.remaining().texts());
    }
  }

  // Interruption by the handler itself.

  @Test
  void interruptedThreadCanEmitWhileThereIsRoom() {
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
  void interruptedThreadIsRefusedWhereItWouldWait() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          sink.emit(Message.of("a"));
          Thread.currentThread().interrupt();
          var refusal =
              assertThrows(SinkClosedException.class, () -> sink.emit(Message.of("refused")));
          assertInstanceOf(InterruptedException.class, refusal.getCause());
          assertTrue(Thread.interrupted());
          gate.await();
          sink.emit(Message.of("b"));
        };
    try (var harness = MapStreamHarness.builder(handler).bound(1).build()) {
      DatumStream stream = harness.stream("");
      gate.open();

      // Not read before the handler waits again: the unread message is what has refused the other.
      stream.awaitBlockedEmit();
      assertEquals(List.of("a", "b"), stream.remaining().texts());
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
      DatumStream stream = harness.stream("a");

      assertTrue(stream.next().isFail());
      assertTrue(stream.hasEnded());
      assertTrue(stream.isRunning());
      var past = assertThrows(AssertionError.class, stream::next);
      assertContains(past, "there is no further message", "fail mark");

      gate.open();
      assertEquals(Messages.empty(), stream.remaining());
      assertContains((Throwable) noted.get(), "emit refused: a message with the fail mark");
    }
  }

  @Test
  void emitAfterTheReturnIsRefused() {
    MapStreamer handler = (keys, datum, sink) -> noted.set(sink);
    try (var harness = MapStreamHarness.of(handler)) {
      assertEquals(Messages.empty(), harness.process("a"));

      var late = (MessageSink) noted.get();
      var refusal =
          assertThrowsExactly(SinkClosedException.class, () -> late.emit(Message.of("late")));

      assertEquals("emit refused: the handler has returned", refusal.getMessage());
      assertNull(refusal.getCause());
    }
  }

  @Test
  void nullMessageIsRefusedAndTheSinkStaysOpen() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          assertEquals(
              "message",
              assertThrowsExactly(NullPointerException.class, () -> sink.emit((Message) null))
                  .getMessage());
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
    try (var harness = MapStreamHarness.builder(handler).maxMessageSize(100).build()) {
      assertEquals(List.of("after"), harness.process("a").texts());
      var refusal = (MessageTooLargeException) noted.get();
      // The value, its tag and length, those of the result around it, and the id "1".
      assertEquals(100 + 2 + 2 + 3, refusal.size());
      assertEquals(100, refusal.limit());
    }
  }

  @Test
  void messageAtTheLimitIsTaken() {
    MapStreamer handler = (keys, datum, sink) -> sink.emit(new byte[93]);
    try (var harness = MapStreamHarness.builder(handler).maxMessageSize(100).build()) {
      assertEquals(93, harness.process("a").get(0).value().length);
    }
  }
}
