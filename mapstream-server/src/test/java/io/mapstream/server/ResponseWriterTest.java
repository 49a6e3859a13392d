package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.grpc.Status;
import io.mapstream.Message;
import io.mapstream.MessageTooLargeException;
import io.mapstream.SinkClosedException;
import io.mapstream.proto.map.v1.MapResponse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The writer of a stream and its sinks, one step of the event loop at a time. */
class ResponseWriterTest {

  private static final int PENDING = 100_000;
  private static final int MESSAGE = 1_000_000;

  private final FakeObserver client = new FakeObserver();
  private final List<String> answered = new ArrayList<>();
  private final IdentityHashMap<DatumSink, String> ids = new IdentityHashMap<>();
  private Runnable onAnswered = () -> {};
  private final ResponseWriter.Listener listener =
      new ResponseWriter.Listener() {
        @Override
        public void answered(DatumSink datum) {
          answered.add(ids.get(datum));
          onAnswered.run();
        }

        @Override
        public void writingFailed(Throwable thrown) {
          fail(thrown);
        }
      };
  private StreamContext context;
  private ResponseWriter writer = writer(PENDING, MESSAGE);

  private ResponseWriter writer(int pending, int message) {
    return writer(client.loop(), limits(pending, message));
  }

  private static Limits limits(int pending, int message) {
    ServerOptions options =
        MapStreamServer.builder((keys, datum, sink) -> {})
            .maxMessageSize(message)
            .optionsIn(Map.of());
    return Limits.of(options).withPending(pending);
  }

  private ResponseWriter writer(Executor loop, Limits limits) {
    context =
        StreamContext.builder((keys, datum, sink) -> {}, ServerOptions.in(Map.of()), loop)
            .limits(limits)
            .build();
    return new ResponseWriter(client, context, listener);
  }

  private DatumSink sink(String id) {
    DatumSink sink = new DatumSink(context, writer, id, new InFlight.Entry(null, 0), null, null);
    ids.put(sink, id);
    return sink;
  }

  private static void emit(DatumSink sink, String... texts) {
    for (String text : texts) {
      sink.emit(Message.of(text));
    }
  }

  /** An emit on its own thread. */
  private record Emitter(Thread thread, FutureTask<Void> task) {
    static Emitter of(DatumSink sink, Message message) {
      FutureTask<Void> task = new FutureTask<>(() -> sink.emit(message), null);
      return new Emitter(Thread.ofVirtual().start(task), task);
    }

    Emitter awaitBlocked() {
      Parked.await(thread);
      assertFalse(task.isDone());
      return this;
    }

    void awaitDone() throws InterruptedException {
      try {
        task.get();
      } catch (ExecutionException e) {
        throw new AssertionError(e.getCause());
      }
    }

    SinkClosedException awaitRefused() throws InterruptedException {
      ExecutionException failed = assertThrows(ExecutionException.class, task::get);
      return assertInstanceOf(SinkClosedException.class, failed.getCause());
    }
  }

  /** Emits a result that needs all permits, which returns only if all of them are free. */
  private void assertAllPermitsAreFree() throws InterruptedException {
    DatumSink last = sink("last");
    Emitter.of(last, Message.of(new byte[2 * PENDING])).awaitDone();
  }

  // Order and coalescing.

  @Test
  void resultsKeepTheirOrderAndTheEotIsAloneAndLast() {
    DatumSink a = sink("a");
    emit(a, "1", "2");
    client.runLoop();
    emit(a, "3");
    a.end();
    client.runLoop();

    assertEquals(List.of("a:1,2", "a:3", "a."), client.taken());
    assertEquals(List.of("a"), answered);
    assertEquals(3, writer.written());
  }

  @Test
  void aDatumWithoutResultsGetsOnlyItsEot() {
    DatumSink a = sink("a");
    a.end();
    client.runLoop();

    assertEquals(List.of("a."), client.taken());
    assertEquals(List.of("a"), answered);
  }

  @Test
  void resultsGatheredBeforeTheLoopRunsAreSentInOneResponsePerDatumByOneTask() {
    DatumSink a = sink("a");
    DatumSink b = sink("b");
    emit(a, "1", "2");
    emit(b, "1");
    emit(a, "3");
    b.end();

    assertEquals(List.of(), client.taken());
    assertEquals(1, client.due());
    client.runLoop();

    assertEquals(List.of("a:1,2,3", "b:1", "b."), client.taken());
    assertEquals(0, client.due());
  }

  @Test
  void anIdleDatumIsEnqueuedAgain() {
    DatumSink a = sink("a");
    for (String text : List.of("1", "2", "3")) {
      emit(a, text);
      client.runLoop();
      assertEquals(List.of("a:" + text), client.taken());
    }
  }

  @Test
  void aResponseIsMergedUpToItsBoundAndDatumsTakeTurns() {
    int size = ResponseWriter.MERGED_BYTES / 4;
    writer = writer(10 * ResponseWriter.MERGED_BYTES, MESSAGE);
    DatumSink a = sink("a");
    DatumSink b = sink("b");
    for (int i = 0; i < 7; i++) {
      a.emit(new byte[size]);
    }
    emit(b, "1");
    a.end();
    client.runLoop();

    List<MapResponse> responses = client.responses();
    assertEquals(
        List.of("a 3", "b 1", "a 3", "a 1", "a 0"),
        responses.stream().map(r -> r.getId() + " " + r.getResultsCount()).toList());
    for (MapResponse response : responses) {
      assertTrue(response.getSerializedSize() <= ResponseWriter.MERGED_BYTES + 10);
    }
  }

  @Test
  void aResultAboveTheBoundOfMergingIsSentAlone() {
    writer = writer(10 * ResponseWriter.MERGED_BYTES, MESSAGE);
    DatumSink a = sink("a");
    emit(a, "1");
    a.emit(new byte[2 * ResponseWriter.MERGED_BYTES]);
    emit(a, "2");
    client.runLoop();

    assertEquals(
        List.of(1, 1, 1), client.responses().stream().map(MapResponse::getResultsCount).toList());
  }

  @ParameterizedTest
  @ValueSource(ints = {20, 33, 100, 1_000})
  void noResponseIsMergedAboveTheMessageLimit(int limit) {
    writer = writer(PENDING, limit);
    Random random = new Random(limit);
    DatumSink a = sink("an id");
    List<Integer> emitted = new ArrayList<>();
    for (int i = 0; i < 80; i++) {
      byte[] value = new byte[random.nextInt(limit)];
      try {
        a.emit(value);
        emitted.add(value.length);
      } catch (MessageTooLargeException e) {
        assertTrue(e.size() > limit && e.limit() == limit, e::toString);
      }
    }
    client.runLoop();

    List<Integer> written = new ArrayList<>();
    for (MapResponse response : client.responses()) {
      assertTrue(response.getSerializedSize() <= limit, () -> response.getSerializedSize() + " B");
      response.getResultsList().forEach(result -> written.add(result.getValue().size()));
    }
    assertEquals(emitted, written);
    assertFalse(emitted.isEmpty());
  }

  @Test
  void aResultAboveTheLimitIsRefusedAndTakesNoPermits() throws Exception {
    writer = writer(PENDING, 1_000);
    DatumSink a = sink("a");
    for (int i = 0; i < 2 * PENDING / 1_000; i++) {
      assertThrows(MessageTooLargeException.class, () -> a.emit(new byte[1_000]));
    }
    emit(a, "1");
    client.runLoop();

    assertEquals(List.of("a:1"), client.taken());
  }

  @Test
  void nullIsRefusedByName() {
    var refused = assertThrows(NullPointerException.class, () -> sink("a").emit((Message) null));

    assertTrue(refused.getMessage().contains("message"), refused::getMessage);
  }

  // Readiness.

  @Test
  void nothingIsWrittenWhileTheTransportIsNotReadyAndAllOfItAfterwards() {
    client.readyFor(0);
    DatumSink a = sink("a");
    DatumSink b = sink("b");
    emit(a, "1");
    emit(b, "1");
    client.runLoop();
    emit(a, "2");
    a.end();
    client.runLoop();
    assertEquals(List.of(), client.taken());

    client.readyFor(10);
    writer.drain();

    assertEquals(List.of("a:1,2", "a.", "b:1"), client.taken());
  }

  @Test
  void theDrainStopsWhereReadinessEndsAndResumesThere() {
    client.readyFor(1);
    DatumSink a = sink("a");
    DatumSink b = sink("b");
    DatumSink c = sink("c");
    emit(a, "1");
    emit(b, "1");
    emit(c, "1");
    client.runLoop();
    assertEquals(List.of("a:1"), client.taken());

    emit(a, "2");
    client.readyFor(2);
    writer.drain();
    assertEquals(List.of("b:1", "c:1"), client.taken());

    client.readyFor(1);
    writer.drain();
    assertEquals(List.of("a:2"), client.taken());
  }

  /** The client may use the id again at once, so nothing may come between the two. */
  @Test
  void theEotIsSentWithTheLastResultsEvenIfThoseEndReadiness() {
    client.readyFor(1);
    DatumSink a = sink("a");
    emit(a, "1");
    a.emit(Message.toFail());
    client.runLoop();

    assertEquals(List.of("a:1,", "a."), client.taken());
    assertEquals(List.of("a"), answered);
  }

  // The end of a datum.

  @Test
  void theFailMarkEndsTheDatum() {
    DatumSink a = sink("a");
    a.emit(Message.toFail());
    assertTrue(a.hasEnded());

    var refused = assertThrows(SinkClosedException.class, () -> emit(a, "late"));
    assertTrue(refused.getMessage().contains("fail mark"), refused::getMessage);
    assertThrows(SinkClosedException.class, () -> a.emit(Message.toFail()));
    assertFalse(a.end());
    assertFalse(a.endWith(Message.toFail()));
    client.runLoop();

    assertEquals(List.of("a:", "a."), client.taken());
    assertThrows(SinkClosedException.class, () -> emit(a, "later"));
    assertFalse(a.end());
    client.runLoop();
    assertEquals(List.of(), client.taken());
    assertEquals(List.of("a"), answered);
  }

  @Test
  void theMarkOfAFailedHandlerFollowsItsResultsAndNeedsNoPermits() throws Exception {
    DatumSink a = sink("a");
    a.emit(new byte[2 * PENDING]);
    Emitter blocked = Emitter.of(a, Message.of("waits")).awaitBlocked();

    assertTrue(a.endWith(Message.toFail()));
    client.runLoop();

    assertTrue(blocked.awaitRefused().getMessage().contains("fail mark"));
    List<MapResponse> responses = client.responses();
    assertEquals(
        List.of(Message.FAIL_TAG), responses.get(responses.size() - 2).getResults(0).getTagsList());
    assertTrue(responses.get(responses.size() - 1).getStatus().getEot());
    client.runLoop();
    assertAllPermitsAreFree();
  }

  @Test
  void lateEmitIsRefusedWithoutWaitingForPermits() throws Exception {
    DatumSink a = sink("a");
    a.end();
    sink("b").emit(new byte[2 * PENDING]);

    Emitter late = Emitter.of(a, Message.of("late"));

    assertTrue(late.awaitRefused().getMessage().contains("returned"));
  }

  // Permits.

  @Test
  void emitBlocksWithoutPermitsAndContinuesWhenThereAreSome() throws Exception {
    client.readyFor(0);
    DatumSink a = sink("a");
    a.emit(new byte[PENDING / 2]);
    Emitter blocked = Emitter.of(a, Message.of(new byte[PENDING / 2])).awaitBlocked();
    client.runLoop();
    assertFalse(blocked.task().isDone());

    client.readyFor(10);
    writer.drain();

    blocked.awaitDone();
    client.runLoop();
    assertEquals(2, writer.written());
  }

  @Test
  void aResultLargerThanAllPermitsWaitsForAllOfThem() throws Exception {
    DatumSink a = sink("a");
    emit(a, "1");
    Emitter blocked = Emitter.of(a, Message.of(new byte[3 * PENDING])).awaitBlocked();
    client.readyFor(1).runLoop();
    blocked.awaitDone();
    Emitter next = Emitter.of(a, Message.of("2")).awaitBlocked();
    client.readyFor(1).runLoop();
    writer.drain();

    next.awaitDone();
    client.readyFor(1).runLoop();
    writer.drain();
    assertEquals(3, writer.written());
  }

  /** Otherwise, small results could starve a large one. */
  @Test
  void emittersGetPermitsInOrderOfArrival() throws Exception {
    DatumSink a = sink("a");
    a.emit(new byte[PENDING / 2]);
    Emitter large = Emitter.of(sink("b"), Message.of(new byte[PENDING])).awaitBlocked();
    Emitter small = Emitter.of(sink("c"), Message.of("1")).awaitBlocked();

    client.readyFor(1).runLoop();
    large.awaitDone();
    small.awaitBlocked();
    client.readyFor(1).runLoop();
    writer.drain();
    small.awaitDone();
  }

  @Test
  void interruptionEndsTheWaitAndTakesNoPermits() throws Exception {
    DatumSink a = sink("a");
    a.emit(new byte[PENDING]);
    Emitter blocked = Emitter.of(a, Message.of("1")).awaitBlocked();
    blocked.thread().interrupt();

    SinkClosedException refused = blocked.awaitRefused();

    assertTrue(refused.getMessage().contains("interrupted"), refused::getMessage);
    assertInstanceOf(InterruptedException.class, refused.getCause());
    client.runLoop();
    assertAllPermitsAreFree();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void allPermitsAreFreeAtTheEndWhateverHappens(long seed) throws Exception {
    Random random = new Random(seed);
    writer = writer(PENDING, 3 * PENDING);
    List<DatumSink> sinks = new ArrayList<>();
    List<Integer> accepted = new ArrayList<>();
    int emitted = 0;
    int waiting = 0;
    for (int i = 0; i < 5_000; i++) {
      if (sinks.size() < 5 || random.nextInt(50) == 0) {
        sinks.add(sink("" + i));
      }
      DatumSink sink = sinks.get(random.nextInt(sinks.size()));
      switch (random.nextInt(8)) {
        case 0 -> sink.end();
        case 1 -> sink.endWith(Message.toFail());
        case 2 -> {
          client.readyFor(random.nextInt(3));
          client.runLoop();
        }
        case 3 -> assertThrows(MessageTooLargeException.class, () -> tooLarge(sink));
        default -> {
          int size = random.nextInt(19_000);
          waiting += size + 300;
          if (waiting > PENDING) { // otherwise this thread would wait for itself
            client.readyFor(Integer.MAX_VALUE);
            writer.drain();
            waiting = size + 300;
          }
          if (tryEmit(sink, size)) {
            emitted++;
            accepted.add(size);
          }
        }
      }
    }
    client.readyFor(Integer.MAX_VALUE);
    client.runLoop();
    writer.drain();

    assertTrue(emitted > 0 && writer.written() >= emitted);
    List<Integer> sizes = new ArrayList<>();
    client
        .responses()
        .forEach(r -> r.getResultsList().forEach(it -> sizes.add(it.getValue().size())));
    sizes.removeIf(size -> size == 0); // marks, and results that have no bytes
    accepted.removeIf(size -> size == 0);
    sizes.sort(null);
    accepted.sort(null);
    assertEquals(accepted, sizes);
    assertAllPermitsAreFree();
  }

  private static void tooLarge(DatumSink sink) {
    if (sink.hasEnded()) {
      throw new MessageTooLargeException(2, 1); // refused for another reason
    }
    sink.emit(new byte[3 * PENDING]);
  }

  private static boolean tryEmit(DatumSink sink, int size) {
    try {
      sink.emit(new byte[size]);
      return true;
    } catch (SinkClosedException e) {
      return false;
    }
  }

  // The end of the stream.

  @Test
  void blockedEmittersWakeWhenTheStreamEnds() throws Exception {
    DatumSink a = sink("a");
    a.emit(new byte[PENDING]);
    List<Emitter> blocked = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      blocked.add(Emitter.of(a, Message.of(new byte[PENDING / 2])).awaitBlocked());
    }

    writer.end(Status.UNAVAILABLE.withDescription("gone"), null, "the server is stopping");

    for (Emitter emitter : blocked) {
      String message = emitter.awaitRefused().getMessage();
      assertTrue(message.contains("the server is stopping"), message);
    }
    assertEquals(Status.Code.UNAVAILABLE, client.end().getCode());
  }

  @Test
  void blockedEmittersWakeWhenTheClientIsGone() throws Exception {
    DatumSink a = sink("a");
    a.emit(new byte[PENDING]);
    Emitter blocked = Emitter.of(a, Message.of("1")).awaitBlocked();

    writer.close("the client is gone");

    assertTrue(blocked.awaitRefused().getMessage().contains("the client is gone"));
    assertNull(client.end());
  }

  @Test
  void nothingIsWrittenAfterTheEnd() {
    DatumSink a = sink("a");
    emit(a, "1");
    writer.end(Status.OK, null, "the stream is complete");
    client.runLoop();
    a.end();
    sink("b").end();
    client.runLoop();
    writer.drain();

    assertEquals(Status.OK, client.end());
    assertEquals(List.of(), client.taken());
    assertEquals(List.of(), answered);
    var refused = assertThrows(SinkClosedException.class, () -> emit(sink("c"), "late"));
    assertTrue(refused.getMessage().contains("the stream is complete"), refused::getMessage);
  }

  @Test
  void theFirstEndWins() {
    writer.end(Status.INTERNAL.withDescription("first"), null, "first");
    writer.end(Status.OK, null, "second");
    writer.close("third");

    assertEquals("first", client.end().getDescription());
    assertEquals("first", writer.closedBecause());
  }

  @Test
  void afterCloseNothingIsSentToTheClient() {
    writer.close("the client is gone");
    writer.end(Status.OK, null, "second");

    assertNull(client.end());
    assertEquals("the client is gone", writer.closedBecause());
  }

  /**
   * As with the last answer of a draining stream: everything that could be written has been written
   * then.
   */
  @Test
  void theListenerIsNotifiedOfAnswersAfterTheWritesAndMayEndTheStream() {
    DatumSink a = sink("a");
    DatumSink b = sink("b");
    a.end();
    emit(b, "1");
    onAnswered =
        () -> {
          assertEquals(List.of("a.", "b:1"), client.taken());
          writer.end(Status.OK, null, "the stream is complete");
        };
    client.runLoop();

    assertEquals(List.of("a"), answered);
    assertEquals(Status.OK, client.end());
  }

  /** No permits are returned any more, so an emit must not wait for them. */
  @Test
  void aStoppedLoopEndsTheStream() throws Exception {
    writer =
        writer(
            task -> {
              throw new RejectedExecutionException("no thread");
            },
            limits(PENDING, MESSAGE));
    DatumSink a = sink("a");
    a.emit(new byte[PENDING]);

    SinkClosedException refused = Emitter.of(a, Message.of("1")).awaitRefused();

    assertEquals("emit refused: the server has stopped", refused.getMessage());
    assertEquals("the server has stopped", writer.closedBecause());
  }

  /** As in the test kit's harness: a bound on the number of results, whatever their sizes. */
  @Test
  void limitsThatCountResultsBlockAtTheirNumberAndWriteEachAlone() throws Exception {
    writer = writer(client.loop(), limits(PENDING, MESSAGE).countingResults(2));
    DatumSink a = sink("a");
    emit(a, "1");
    a.emit(new byte[2 * PENDING]);
    Emitter blocked = Emitter.of(a, Message.of("3")).awaitBlocked();
    client.readyFor(1).runLoop();

    blocked.awaitDone();
    a.end();
    client.readyFor(10).runLoop();
    writer.drain();
    assertEquals(
        List.of(1, 1, 1, 0),
        client.responses().stream().map(MapResponse::getResultsCount).toList());
  }

  /** A read loop with one buffer, at sizes around the former limit for sending without a copy. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 1_000, 1_500, 64 * 1024, 200_000})
  void anArrayMayBeReusedWhenEmitReturns(int size) {
    writer = writer(10 * MESSAGE, MESSAGE);
    client.readyFor(0);
    DatumSink a = sink("a");
    byte[] buffer = new byte[size];
    for (int i = 0; i < 8; i++) {
      Arrays.fill(buffer, (byte) ('a' + i));
      a.emit(buffer);
    }
    client.runLoop();
    client.readyFor(Integer.MAX_VALUE);
    writer.drain();

    List<String> values =
        client.responses().stream()
            .flatMap(response -> response.getResultsList().stream())
            .map(result -> result.getValue().toStringUtf8())
            .toList();
    assertEquals(
        IntStream.range(0, 8).mapToObj(i -> ("" + (char) ('a' + i)).repeat(size)).toList(), values);
  }

  // Permits that all streams share.

  private Limits sharing(int shared) {
    Limits own = limits(PENDING, MESSAGE);
    return new Limits(
        own.datumsInWork(),
        own.requestBytes(),
        PENDING,
        1_000,
        shared,
        own.resultCost(),
        MESSAGE,
        own.mergedResults(),
        own.readyThreshold());
  }

  @Test
  void aResultAboveTheStreamsPermitsBorrowsTheRestOnceItCanBeWritten() throws Exception {
    writer = writer(client.loop(), sharing(50_000)); // 26,000 are its own
    client.readyFor(1);
    DatumSink a = sink("a");
    Emitter first = Emitter.of(a, Message.of(new byte[60_000])).awaitBlocked();
    client.runLoop();
    first.awaitDone();
    client.runLoop();
    assertEquals(1, writer.written());

    Emitter second = Emitter.of(a, Message.of(new byte[60_000])).awaitBlocked();
    client.runLoop();
    second.awaitBlocked();

    client.readyFor(1);
    writer.drain();
    second.awaitDone();
    client.runLoop();
    assertEquals(2, writer.written());
  }

  /** Each result needs more than half of what can be lent. */
  @Test
  void aStreamWhoseClientDoesNotReadTakesNoLoanFromOthers() throws Exception {
    Limits limits = sharing(50_000);
    writer = writer(client.loop(), limits);
    ResponseWriter stalled = writer;
    client.readyFor(0);
    Emitter first = Emitter.of(sink("a"), Message.of(new byte[80_000])).awaitBlocked();
    client.runLoop();
    first.awaitBlocked();

    writer = new ResponseWriter(client, context, listener);
    client.readyFor(1);
    Emitter second = Emitter.of(sink("b"), Message.of(new byte[80_000])).awaitBlocked();
    client.runLoop();
    second.awaitDone();
    client.runLoop();
    first.awaitBlocked();

    client.readyFor(1);
    stalled.drain();
    first.awaitDone();
  }

  @Test
  void anInterruptedWaitReturnsItsLoan() throws Exception {
    writer = writer(client.loop(), sharing(50_000));
    client.readyFor(0);
    DatumSink a = sink("a");
    Emitter blocked = Emitter.of(a, Message.of(new byte[70_000])).awaitBlocked();
    client.runLoop();
    blocked.thread().interrupt();
    blocked.awaitRefused();
    client.readyFor(1).runLoop();
    writer.drain();

    Emitter next = Emitter.of(a, Message.of(new byte[70_000]));
    Parked.await(next.thread());
    client.readyFor(1).runLoop();
    next.awaitDone();
  }

  // Errors.

  /** A handler may continue to emit after a refusal, and must not block eventually. */
  @Test
  void refusedEmitsReturnTheirPermits() throws Exception {
    int all = 4 << 20;
    writer = writer(all, 2 * all);
    DatumSink a = sink("a");
    writer.close("the client is gone");
    byte[] large = new byte[all];
    CompletableFuture.runAsync(
            () -> {
              for (int i = 0; i < 300; i++) {
                assertThrows(SinkClosedException.class, () -> a.emit(large));
              }
            })
        .get();
    writer = writer(PENDING, MESSAGE);
    DatumSink b = sink("b");
    b.emit(Message.toFail());
    for (int i = 0; i < 2 * PENDING / 1_000; i++) {
      assertThrows(SinkClosedException.class, () -> b.emit(new byte[1_000]));
    }
    client.runLoop();
    assertAllPermitsAreFree();
  }

  @Test
  void anEmitThatEndedWithAnErrorBreaksTheSink() {
    StackOverflowError thrown = new StackOverflowError("thrown by the test");
    writer =
        writer(
            task -> {
              throw thrown;
            },
            limits(PENDING, MESSAGE));
    DatumSink a = sink("a");
    assertSame(thrown, assertThrows(StackOverflowError.class, () -> emit(a, "1")));

    assertTrue(a.isBroken());
    assertSame(thrown, assertThrows(StackOverflowError.class, () -> emit(a, "2")));
    assertSame(thrown, assertThrows(StackOverflowError.class, a::throwIfBroken));
  }

  @Test
  void aResponseIsFilledUpToExactlyTheLimitOfMerging() {
    writer = writer(10 * ResponseWriter.MERGED_BYTES, MESSAGE);
    DatumSink a = sink("a");
    int half = ResponseWriter.MERGED_BYTES / 2;
    byte[] fills = new byte[half - (new ResultEncoding(Message.of(new byte[half])).size() - half)];
    assertEquals(half, new ResultEncoding(Message.of(fills)).size());
    a.emit(fills);
    a.emit(fills);
    a.emit(new byte[0]);
    client.runLoop();

    assertEquals(
        List.of(2, 1), client.responses().stream().map(MapResponse::getResultsCount).toList());
  }
}
