package io.mapstream.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertThrowsExactly;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.Messages;
import io.mapstream.UnsupportedMarkException;
import io.mapstream.server.ServerOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

/** Tests how a harness processes whole datums, closes, and checks its arguments. */
@Timeout(60)
class MapStreamHarnessTest {

  private static final Duration SHORT = Duration.ofSeconds(3);
  private static final MapStreamer SPLITTER = new WordSplitter();
  private static final MapStreamer FAILING =
      (keys, datum, sink) -> {
        sink.emit(Message.of("before"));
        throw new IOException("disk on fire");
      };

  private final Gate gate = new Gate();
  private final MapStreamer waiting = (keys, datum, sink) -> gate.await();

  // Whole datums.

  @Test
  void allMessagesOfADatumAreReturnedInOrder() {
    try (var harness = MapStreamHarness.of(SPLITTER)) {
      assertEquals(List.of("c", "a", "b"), harness.process("c,a,b").texts());
    }
  }

  @Test
  void moreMessagesThanTheBoundAreReturned() {
    MapStreamer many =
        (keys, datum, sink) -> IntStream.range(0, 1000).forEach(i -> sink.emit(Message.of("" + i)));
    // Each message waits for the previous one, which takes long on a busy machine.
    var builder = MapStreamHarness.builder(many).bound(1).timeLimit(Duration.ofSeconds(60));
    try (var harness = builder.build()) {
      assertEquals(
          IntStream.range(0, 1000).mapToObj(String::valueOf).toList(), harness.process("").texts());
    }
  }

  @Test
  void datumWithoutAMessageIsComplete() {
    try (var harness = MapStreamHarness.of((keys, datum, sink) -> {})) {
      assertEquals(Messages.empty(), harness.process("a"));
    }
  }

  @Test
  void handlerGetsTheDatumAndItsKeys() {
    var seen = new AtomicReference<Datum>();
    MapStreamer handler =
        (keys, datum, sink) -> {
          assertSame(datum.keys(), keys);
          seen.set(datum);
        };
    Datum datum = TestDatum.builder().keys("k").header("h", "v").build();
    try (var harness = MapStreamHarness.of(handler)) {
      var unused = harness.process(datum);
    }
    assertEquals(datum, seen.get());
  }

  @Test
  void handlerGetsTheIdOfTheTestOrANumber() {
    MapStreamer handler = (keys, datum, sink) -> sink.emit(Message.of(datum.id()));
    Datum named = TestDatum.builder().id("order-7").build();
    try (var harness = MapStreamHarness.of(handler)) {
      Reply first = harness.send(named);
      Reply again = harness.send(named);

      assertEquals(List.of("order-7"), first.remaining().texts());
      assertEquals(List.of("order-7"), again.remaining().texts());
      assertEquals(List.of("3"), harness.process("a").texts());
    }
  }

  @Test
  void textGetsFixedTimes() {
    var seen = new AtomicReference<Datum>();
    try (var harness = MapStreamHarness.of((keys, datum, sink) -> seen.set(datum))) {
      var unused = harness.process("a");
    }
    assertEquals(TestDatum.of("a"), seen.get());
    assertEquals(TestDatum.EVENT_TIME, seen.get().eventTime());
    assertEquals(TestDatum.WATERMARK, seen.get().watermark());
  }

  @Test
  void marksAreMessagesAmongTheOthers() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          sink.emit(Message.toDrop());
          sink.emit(Message.toNack());
          sink.emit(Message.toFail());
        };
    try (var harness = MapStreamHarness.of(handler)) {
      Messages marks = harness.process("a");

      assertTrue(marks.get(0).isDrop());
      assertTrue(marks.get(1).isNack());
      assertTrue(marks.get(2).isFail());
    }
  }

  @Test
  void eachDatumRunsOnAVirtualThreadNamedAsInTheServer() {
    Set<String> names = Collections.synchronizedSet(new HashSet<>());
    MapStreamer handler =
        (keys, datum, sink) -> {
          assertTrue(Thread.currentThread().isVirtual());
          names.add(Thread.currentThread().getName());
        };
    try (var harness = MapStreamHarness.of(handler)) {
      var first = harness.process("a");
      var second = harness.process("b");
      assertEquals(first, second);
    }
    assertEquals(Set.of("mapstream-1", "mapstream-2"), names);
  }

  @Test
  void severalThreadsOfATestCanProcessConcurrently() throws Exception {
    var together = new CyclicBarrier(3);
    MapStreamer handler =
        (keys, datum, sink) -> {
          var unused = together.await(10, TimeUnit.SECONDS);
          sink.emit(datum.value());
        };
    try (var harness = MapStreamHarness.of(handler)) {
      List<String> texts = List.of("a", "b", "c");
      var results = new String[3];
      List<Thread> threads =
          IntStream.range(0, 3)
              .mapToObj(i ->
                  Thread.ofVirtual()
                      .start(() -> results[i] = harness.process(texts.get(i)).get(0).text()))
              .toList();
      for (Thread thread : threads) {
        assertTrue(thread.join(Duration.ofSeconds(10)));
      }
      assertEquals(texts, List.of(results));
    }
  }

  // Failures.

  @Test
  void handlersExceptionIsTheCauseAndTheMessagesSoFarAreKept() {
    try (var harness = MapStreamHarness.of(FAILING)) {
      var failed = assertThrowsExactly(HandlerFailedException.class, () -> harness.process("a,b"));

      assertEquals("disk on fire", failed.getCause().getMessage());
      assertThrowsExactly(
          IOException.class,
          () -> {
            throw failed.getCause();
          });
      assertEquals(List.of("before"), failed.messages().texts());
      assertContains(failed, "java.io.IOException: disk on fire", "after 1 message", "\"before\"");
    }
  }

  @Test
  void datumAboveTheLimitIsRefusedAsByAServer() {
    try (var harness =
        MapStreamHarness.builder(SPLITTER).options(o -> o.maxMessageSize(100)).build()) {
      var refused =
          assertThrowsExactly(StreamBrokenException.class, () -> harness.process("x".repeat(100)));

      assertEquals("RESOURCE_EXHAUSTED", refused.status().code());
      assertContains(refused, "above the limit of 100 bytes (maxMessageSize)");
    }
  }

  @Test
  void handlersErrorIsTheCause() {
    var error = new StackOverflowError();
    MapStreamer handler =
        (keys, datum, sink) -> {
          throw error;
        };
    try (var harness = MapStreamHarness.of(handler)) {
      assertSame(
          error, assertThrows(HandlerFailedException.class, () -> harness.process("a")).getCause());
    }
  }

  @Test
  void interruptedExceptionWithoutACancelIsAFailure() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          throw new InterruptedException("by itself");
        };
    try (var harness = MapStreamHarness.of(handler)) {
      var failed = assertThrows(HandlerFailedException.class, () -> harness.process("a"));

      assertEquals("by itself", failed.getCause().getMessage());
    }
  }

  @Test
  void handlerThatDoesNotReturnFailsWithItsStackAndIsInterrupted() throws Exception {
    var interrupted = new CountDownLatch(1);
    MapStreamer handler =
        (keys, datum, sink) -> {
          sink.emit(Message.of("so far"));
          try {
            gate.await();
          } catch (InterruptedException e) {
            interrupted.countDown();
            throw e;
          }
        };
    try (var harness = MapStreamHarness.builder(handler).timeLimit(SHORT).build()) {
      var failure = assertThrows(AssertionError.class, () -> harness.process("never ends"));

      assertContains(
          failure,
          "waited 3 s for the end",
          "datum \"1\" still runs",
          "value=\"never ends\"",
          "mapstream-1 is at",
          "Gate.await",
          "messages not taken: [Message[value=\"so far\"");
      assertTrue(interrupted.await(10, TimeUnit.SECONDS));
    }
  }

  @Test
  void interruptedTestStopsWaitingAndKeepsItsFlag() throws Exception {
    try (var harness = MapStreamHarness.of(waiting)) {
      Thread.currentThread().interrupt();

      var failure = assertThrows(AssertionError.class, () -> harness.process("a"));

      assertTrue(Thread.interrupted());
      assertContains(failure, "interrupted while sending", "value=\"a\"");

      Reply reply = harness.send("b");
      Thread.currentThread().interrupt();
      var waiting = assertThrows(AssertionError.class, reply::next);
      assertTrue(Thread.interrupted());
      assertContains(waiting, "interrupted while waiting for message 1", "datum \"2\"");
      reply.cancel();
    }
  }

  // The close.

  @Test
  void closingAfterACompleteTestIsSilentAndMayBeRepeated() {
    var harness = MapStreamHarness.of(SPLITTER);
    var unused = harness.process("a");
    harness.close();
    harness.close();
  }

  @Test
  void closingFailsOnARunningHandlerWithItsStackAndInterruptsIt() throws Exception {
    var ended = new CountDownLatch(1);
    MapStreamer handler =
        (keys, datum, sink) -> {
          sink.emit(Message.of("started"));
          try {
            gate.await();
          } finally {
            ended.countDown();
          }
        };
    var harness = MapStreamHarness.builder(handler).timeLimit(SHORT).build();
    Reply reply = harness.send("left behind");
    assertEquals("started", reply.next(Duration.ofSeconds(10)).text());

    var failure = assertThrows(AssertionError.class, harness::close);

    assertContains(failure, "- still running: ", "\"1\"", "value=\"left behind\"", "Gate.await");
    assertTrue(ended.await(10, TimeUnit.SECONDS));
    assertFalse(reply.isRunning());
  }

  @Test
  void closingNamesAHandlerThatIgnoresTheInterrupt() throws Exception {
    var started = new CountDownLatch(1);
    var ended = new CountDownLatch(1);
    MapStreamer stubborn =
        (keys, datum, sink) -> {
          started.countDown();
          boolean open = false;
          while (!open) {
            try {
              gate.await();
              open = true;
            } catch (InterruptedException e) {
              // Ignored on purpose.
            }
          }
          ended.countDown();
        };
    var harness = MapStreamHarness.builder(stubborn).timeLimit(SHORT).build();
    var unused = harness.send("a");
    assertTrue(started.await(30, TimeUnit.SECONDS));

    var failure = assertThrows(AssertionError.class, harness::close);

    assertContains(failure, "- still running: ", "- still runs after an interrupt: ");
    gate.open();
    assertTrue(ended.await(10, TimeUnit.SECONDS));
  }

  @Test
  void closingWaitsForAHandlerThatIsAboutToReturn() {
    MapStreamer returning =
        (keys, datum, sink) -> {
          sink.emit(Message.of("a"));
          gate.await();
        };
    var harness = MapStreamHarness.of(returning);
    Reply reply = harness.send("");
    assertEquals("a", reply.next().text());
    gate.open();

    harness.close();

    assertFalse(reply.isRunning());
  }

  @Test
  void closingFailsOnUnreadMessagesAndShowsThem() {
    var harness = MapStreamHarness.of(SPLITTER);
    Reply reply = harness.send("read,unread,too");
    assertEquals("read", reply.next().text());

    var failure = assertThrows(AssertionError.class, harness::close);

    assertContains(failure, "- not read: ", "after 3 messages, 2 unread", "\"unread\"", "\"too\"");
  }

  @Test
  void closingDoesNotWaitForAHandlerBlockedInEmit() {
    MapStreamer endless =
        (keys, datum, sink) -> {
          while (true) {
            sink.emit(datum.value());
          }
        };
    // With this limit, the test would never end if close waited.
    var harness =
        MapStreamHarness.builder(endless).bound(3).timeLimit(Duration.ofDays(1000)).build();
    Reply reply = harness.send("a");

    var failure = assertThrows(AssertionError.class, harness::close);

    assertContains(
        failure, "is blocked in emit until the test reads (bound 3)", "- not read: ", "3 unread");
    assertFalse(reply.isRunning());
  }

  @Test
  void closingFailsOnAnUncheckedFailure() {
    var harness = MapStreamHarness.of(FAILING);
    Reply reply = harness.send("a");
    assertEquals("before", reply.next().text());

    var failure = assertThrows(AssertionError.class, harness::close);

    assertContains(failure, "- failed, and the test did not check for it: ", "disk on fire");
    assertEquals("disk on fire", failure.getCause().getMessage());
  }

  @Test
  void closingNamesEveryFailure() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          sink.emit(datum.value());
          throw new IOException("of " + datum.text());
        };
    var harness = MapStreamHarness.of(handler);
    var first = harness.send("a");
    var second = harness.send("b");

    var failure = assertThrows(AssertionError.class, harness::close);

    assertContains(failure, "\"a\" (1 byte)", "\"b\" (1 byte)", "of a", "of b");
    assertEquals("of a", failure.getCause().getMessage());
    assertEquals("of b", failure.getSuppressed()[0].getMessage());
    assertFalse(first.isRunning() || second.isRunning());
  }

  @Test
  void closingDoesNotHideTheFailureOfTheTest() {
    var own = new IllegalStateException("the test's own");

    var thrown =
        assertThrows(
            IllegalStateException.class,
            () -> {
              try (var harness = MapStreamHarness.of(SPLITTER)) {
                var unused = harness.send("a,b");
                throw own;
              }
            });

    assertSame(own, thrown);
    assertContains(thrown.getSuppressed()[0], "- not read: ");
  }

  @Test
  void closingInAnInterruptedTestDoesNotWaitAndKeepsTheFlag() {
    var harness = MapStreamHarness.builder(waiting).timeLimit(Duration.ofDays(1000)).build();
    var unused = harness.send("a");
    Thread.currentThread().interrupt();

    var failure = assertThrows(AssertionError.class, harness::close);

    assertTrue(Thread.interrupted());
    assertContains(failure, "- still running: ");
  }

  @Test
  void closingInAnInterruptedTestReportsEverything() {
    var harness = MapStreamHarness.builder(SPLITTER).bound(1).build();
    Reply unread = harness.send("a,b,c");
    unread.awaitBlockedEmit();
    Thread.currentThread().interrupt();

    var failure = assertThrows(AssertionError.class, harness::close);

    assertTrue(Thread.interrupted());
    assertContains(failure, "the test did not finish or check everything", "- still running: ");
  }

  @Test
  void closedHarnessRefusesDatums() {
    var harness = MapStreamHarness.of(SPLITTER);
    harness.close();

    var refusal = assertThrows(IllegalStateException.class, () -> harness.process("late"));

    assertContains(refusal, "the harness is closed", "\"late\"");
  }

  // Arguments.

  @Test
  void nullTextIsADatumWithoutBytes() {
    try (var harness = MapStreamHarness.of(SPLITTER)) {
      assertTrue(harness.process((String) null).get(0).isDrop());
    }
  }

  @Test
  void settingsOutOfRangeAreRefusedByNameAndValue() {
    var builder = MapStreamHarness.builder(SPLITTER);
    assertRefused("bound must be at least 1 but was 0", () -> builder.bound(0));
    assertRefused("bound must be at least 1 but was -1", () -> builder.bound(-1));
    assertRefused(
        "timeLimit must be more than 0 s but was 0 s", () -> builder.timeLimit(Duration.ZERO));
    assertRefused(
        "timeLimit must be more than 0 s but was -1 s",
        () -> builder.timeLimit(Duration.ofSeconds(-1)));
    assertThrows(IllegalArgumentException.class, () -> builder.options(o -> o.maxMessageSize(0)));
    assertThrows(IllegalArgumentException.class, () -> builder.options(o -> o.maxConcurrency(0)));
  }

  @Test
  void longestTimeLimitIsAccepted() {
    var builder = MapStreamHarness.builder(SPLITTER).timeLimit(Duration.ofSeconds(Long.MAX_VALUE));
    try (var harness = builder.build()) {
      assertEquals(List.of("a"), harness.process("a").texts());
      assertEquals(List.of("a"), harness.send("a").remaining().texts());
    }
  }

  @Test
  void markThatTheReleaseDoesNotKnowIsRefused() {
    MapStreamer failing = (keys, datum, sink) -> sink.emit(Message.toFail());
    try (var harness =
        MapStreamHarness.builder(failing).options(o -> o.numaflowVersion("1.8.3")).build()) {
      var failed = assertThrows(HandlerFailedException.class, () -> harness.process("a"));

      var unsupported = assertInstanceOf(UnsupportedMarkException.class, failed.getCause());
      assertEquals("fail", unsupported.mark());
    }
    try (var harness =
        MapStreamHarness.builder(failing).options(o -> o.numaflowVersion("1.8.4")).build()) {
      assertTrue(harness.process("a").getLast().isFail());
    }
    MapStreamHarness.Builder policy =
        MapStreamHarness.builder(failing)
            .options(o -> o.numaflowVersion("1.8.3").errorPolicy(ServerOptions.ErrorPolicy.FAIL));
    assertThrows(IllegalArgumentException.class, policy::build);
  }

  static void assertNull(String name, Executable call) {
    assertEquals(name, assertThrowsExactly(NullPointerException.class, call).getMessage());
  }

  static void assertRefused(String message, Executable call) {
    assertEquals(message, assertThrowsExactly(IllegalArgumentException.class, call).getMessage());
  }

  static void assertContains(Throwable thrown, String... parts) {
    for (String part : parts) {
      assertTrue(
          thrown.getMessage().contains(part),
          () -> "no <" + part + "> in:\n" + thrown.getMessage());
    }
  }
}
