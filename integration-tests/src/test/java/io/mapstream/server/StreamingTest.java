package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.mapstream.Message;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How results are streamed: order, promptness, back-pressure, ids. */
@ParameterizedClass
@EnumSource(InternalSocketKind.class)
class StreamingTest {

  private final InternalSocketKind kind;

  StreamingTest(InternalSocketKind kind) {
    this.kind = kind;
  }

  private static List<String> numbers(int count) {
    return IntStream.range(0, count).mapToObj(String::valueOf).toList();
  }

  @Test
  void handshakeIsEchoedWithSotAndNothingElse() throws Exception {
    try (TestServer server = TestServer.start(kind, (keys, datum, sink) -> {})) {
      var echo = server.open().echo();

      assertTrue(echo.getHandshake().getSot());
      assertEquals(
          echo, echo.toBuilder().clear().setHandshake(echo.getHandshake()).build(), "the rest");
    }
  }

  @Test
  void resultsOfEachIdKeepTheirOrderAndOneEotClosesThem() throws Exception {
    try (TestServer server =
        TestServer.start(
            kind,
            (keys, datum, sink) -> {
              for (int i = 0; i < 10; i++) {
                sink.emit(Message.of(datum.text() + i));
              }
            })) {
      Call call = server.open().send("1", "a").send("2", "b").send("3", "c");
      call.halfClose();

      call.endsWith(Status.Code.OK);

      for (List<String> idAndText :
          List.of(List.of("1", "a"), List.of("2", "b"), List.of("3", "c"))) {
        var received = call.received(idAndText.get(0));
        assertEquals(
            numbers(10).stream().map(n -> idAndText.get(1) + n).toList(), received.texts());
        assertEquals(1, received.eots());
      }
    }
  }

  @Test
  void firstResultArrivesBeforeTheHandlerReturns() throws Exception {
    CountDownLatch seen = new CountDownLatch(1);
    try (TestServer server =
        TestServer.start(
            kind,
            (keys, datum, sink) -> {
              sink.emit(Message.of("first"));
              Waits.await(seen);
              sink.emit(Message.of("second"));
            })) {
      Call call = server.open().send("1", "");

      assertEquals(List.of("first"), call.results("1", 1).texts());
      assertEquals(0, call.eots());
      seen.countDown();

      assertEquals(List.of("first", "second"), call.answer("1").texts());
    }
  }

  @Test
  void fiveHundredHandlersBlockAtTheSameTime() throws Exception {
    CountDownLatch all = new CountDownLatch(500);
    try (TestServer server =
        TestServer.start(
            kind,
            (keys, datum, sink) -> {
              all.countDown();
              Waits.await(all);
              sink.emit(Message.of(datum.text()));
            })) {
      Call call = server.open();
      for (String number : numbers(500)) {
        call.send(number, number);
      }
      for (String number : numbers(500)) {
        assertEquals(List.of(number), call.answer(number).texts());
      }
    }
  }

  /** Each result contains its number; the client requests a few responses at a time. */
  @Test
  void everyResultArrivesAtAClientThatReadsSlowly() throws Exception {
    int each = 20_000;
    try (TestServer server =
        TestServer.start(
            kind,
            (keys, datum, sink) -> {
              for (int i = 0; i < each; i++) {
                sink.emit(ByteBuffer.allocate(100).putInt(i).array());
              }
            })) {
      Call call = server.connect().openReading(1).shakeHands();
      List<String> ids = numbers(8);
      ids.forEach(id -> call.send(id, ""));

      int read = 1;
      while (call.eots() < ids.size()) {
        call.request(3);
        read += 3;
        call.responsesOrEots(read, ids.size());
      }

      for (String id : ids) {
        var results = call.answer(id).results();
        assertEquals(each, results.size(), id);
        for (int i = 0; i < each; i++) {
          assertEquals(i, results.get(i).getValue().asReadOnlyByteBuffer().getInt(), id);
        }
      }
    }
  }

  /** If the client does not read, emitters wait, and what they could emit is bounded. */
  @Test
  void emittersWaitForAClientThatReadsNothing() throws Exception {
    Semaphore emitted = new Semaphore(0);
    List<Thread> emitters = new ArrayList<>();
    CountDownLatch started = new CountDownLatch(4);
    int each = 2_000;
    try (TestServer server =
        TestServer.start(
            kind,
            (keys, datum, sink) -> {
              synchronized (emitters) {
                emitters.add(Thread.currentThread());
              }
              started.countDown();
              for (int i = 0; i < each; i++) {
                sink.emit(new byte[10_000]);
                emitted.release();
              }
            })) {
      Call call = server.connect().openReading(1).shakeHands();
      List<String> ids = numbers(4);
      ids.forEach(id -> call.send(id, ""));
      Waits.await(started);
      for (Thread emitter : emitters) {
        Waits.untilParked(emitter);
      }

      int before = emitted.availablePermits();
      assertTrue(before < 4 * each / 4, before + " results of 10 kB were accepted");

      call.request(Integer.MAX_VALUE - 1);
      for (String id : ids) {
        assertEquals(each, call.answer(id).results().size());
      }
    }
  }

  @Test
  void threadsOfOneHandlerNeitherLoseNorDuplicateResults() throws Exception {
    int threads = 8;
    int each = 2_000;
    try (TestServer server =
        TestServer.start(
            kind,
            (keys, datum, sink) -> {
              List<Thread> emitters = new ArrayList<>();
              for (int t = 0; t < threads; t++) {
                int first = t * each;
                emitters.add(
                    Thread.ofPlatform()
                        .daemon()
                        .start(() -> {
                          for (int i = 0; i < each; i++) {
                            sink.emit(ByteBuffer.allocate(4).putInt(first + i).array());
                          }
                        }));
              }
              for (Thread emitter : emitters) {
                Waits.join(emitter);
              }
            })) {
      Call call = server.open().send("1", "").send("2", "");

      for (String id : List.of("1", "2")) {
        BitSet seen = new BitSet();
        int[] lastOf = new int[threads];
        Arrays.fill(lastOf, -1);
        for (var result : call.answer(id).results()) {
          int number = result.getValue().asReadOnlyByteBuffer().getInt();
          assertTrue(!seen.get(number), () -> "twice: " + number);
          assertTrue(lastOf[number / each] < number % each, () -> "late: " + number);
          lastOf[number / each] = number % each;
          seen.set(number);
        }
        assertEquals(threads * each, seen.cardinality());
      }
    }
  }

  @Test
  void anIdIsUsedAgainAfterItsEot() throws Exception {
    try (TestServer server =
        TestServer.start(kind, (keys, datum, sink) -> sink.emit(Message.of(datum.text())))) {
      Call call = server.open();

      assertEquals(List.of("a"), call.send("1", "a").answer("1").texts());
      assertEquals(List.of("a", "b"), call.send("1", "b").answer("1").texts());
      assertEquals(2, call.received("1").eots());
    }
  }

  @Test
  void anIdIsUsedAgainWhileTheEarlierCallStillRuns() throws Exception {
    CountDownLatch first = new CountDownLatch(1);
    try (TestServer server =
        TestServer.start(
            kind,
            (keys, datum, sink) -> {
              if (datum.text().equals("first")) {
                Waits.await(first);
              }
              sink.emit(Message.of(datum.text()));
            })) {
      Call call = server.open().send("1", "first").send("1", "again");

      assertEquals(List.of("again"), call.results("1", 1).texts());
      first.countDown();

      assertEquals(List.of("again", "first"), call.answer("1").texts());
      assertEquals(2, call.received("1").eots());
      call.halfClose();
      call.endsWith(Status.Code.OK);
    }
  }

  @Test
  void twoStreamsOfTwoConnectionsAreServedAtOnce() throws Exception {
    CountDownLatch both = new CountDownLatch(2);
    try (TestServer server =
        TestServer.start(
            kind,
            (keys, datum, sink) -> {
              both.countDown();
              Waits.await(both);
              sink.emit(Message.of(datum.text()));
            })) {
      Call one = server.open().send("1", "of one");
      Call two = server.open().send("1", "of two");

      assertEquals(List.of("of one"), one.answer("1").texts());
      assertEquals(List.of("of two"), two.answer("1").texts());
    }
  }

  @Test
  void twoStreamsOfOneConnectionAreServedAtOnce() throws Exception {
    CountDownLatch both = new CountDownLatch(2);
    try (TestServer server =
        TestServer.start(
            kind,
            (keys, datum, sink) -> {
              both.countDown();
              Waits.await(both);
              sink.emit(Message.of(datum.text()));
            })) {
      WireClient client = server.connect();
      Call one = client.open().shakeHands().send("1", "of one");
      Call two = client.open().shakeHands().send("1", "of two");

      assertEquals(List.of("of one"), one.answer("1").texts());
      assertEquals(List.of("of two"), two.answer("1").texts());
      one.halfClose();
      one.endsWith(Status.Code.OK);
      assertTrue(two.isOpen());
    }
  }

  @Test
  void completesOnlyAfterInFlightDrains() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    CountDownLatch started = new CountDownLatch(3);
    try (TestServer server =
        TestServer.start(
            kind,
            (keys, datum, sink) -> {
              sink.emit(Message.of("before"));
              started.countDown();
              Waits.await(gate);
              sink.emit(Message.of("after"));
            })) {
      Call call = server.open().send("1", "").send("2", "").send("3", "");
      call.halfClose();
      Waits.await(started);
      call.results("1", 1);
      assertTrue(call.isOpen());
      gate.countDown();

      call.endsWith(Status.Code.OK);

      for (String id : List.of("1", "2", "3")) {
        assertEquals(List.of("before", "after"), call.received(id).texts());
        assertEquals(1, call.received(id).eots());
      }
    }
  }

  @Test
  void moreDatumsThanTheConcurrencyLimitAreServedInTurn() throws Exception {
    Semaphore running = new Semaphore(3);
    try (TestServer server =
        TestServer.start(
            kind,
            (keys, datum, sink) -> {
              assertTrue(running.tryAcquire(), "a fourth handler runs");
              Thread.sleep(1);
              sink.emit(Message.of(datum.text()));
              running.release();
            },
            options -> options.maxConcurrency(3))) {
      Call call = server.open();
      numbers(200).forEach(id -> call.send(id, id));
      call.halfClose();

      call.endsWith(Status.Code.OK);

      for (String id : numbers(200)) {
        assertEquals(List.of(id), call.received(id).texts());
        assertEquals(1, call.received(id).eots());
      }
    }
  }

  /** With a client that reads nothing yet, so that results wait in the server. */
  @ParameterizedTest
  @ValueSource(ints = {1_000, 1_500, 64 * 1024})
  void aReusedArrayArrivesAsItWasAtEachEmit(int size) throws Exception {
    try (TestServer server =
        TestServer.start(
            kind,
            (keys, datum, sink) -> {
              byte[] buffer = new byte[size];
              for (char c = 'a'; c <= 'h'; c++) {
                Arrays.fill(buffer, (byte) c);
                sink.emit(buffer);
              }
              Arrays.fill(buffer, (byte) '?');
            })) {
      Call call = server.connect().openReading(1).shakeHands().send("1", "");
      Waits.until(
          "the datum",
          () -> server.server().metrics().datumsAdmitted() == 1,
          () -> server.server().metrics());
      call.request(Integer.MAX_VALUE - 1);

      List<String> expected = new ArrayList<>();
      for (char c = 'a'; c <= 'h'; c++) {
        expected.add(String.valueOf(c).repeat(size));
      }
      assertEquals(expected, call.answer("1").texts());
    }
  }
}
