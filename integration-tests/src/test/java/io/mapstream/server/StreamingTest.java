package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.mapstream.Message;
import io.mapstream.testkit.MapStreamClient;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How results are streamed: order, promptness, back-pressure, ids. */
@ParameterizedClass
@EnumSource(InternalSocketKind.class)
class StreamingTest {

  @AutoClose private final TestServer server;

  StreamingTest(InternalSocketKind kind) {
    server = new TestServer(kind);
  }

  private static List<String> numbers(int count) {
    return IntStream.range(0, count).mapToObj(String::valueOf).toList();
  }

  @Test
  void handshakeIsEchoedWithSotAndNothingElse() throws Exception {
    server.start((keys, datum, sink) -> {});
    var echo = server.open().echo();

    assertTrue(echo.getHandshake().getSot());
    assertEquals(
        echo, echo.toBuilder().clear().setHandshake(echo.getHandshake()).build(), "the rest");
  }

  @Test
  void resultsOfEachIdKeepTheirOrderAndOneEotClosesThem() throws Exception {
    server.start((keys, datum, sink) -> {
      for (int i = 0; i < 10; i++) {
        sink.emit(Message.of(datum.text() + i));
      }
    });
    Call call = server.open().send("1", "a").send("2", "b").send("3", "c");
    call.completes();

    for (List<String> idAndText :
        List.of(List.of("1", "a"), List.of("2", "b"), List.of("3", "c"))) {
      var received = call.received(idAndText.get(0));
      assertEquals(numbers(10).stream().map(n -> idAndText.get(1) + n).toList(), received.texts());
      assertEquals(1, received.eots());
    }
  }

  @Test
  void firstResultArrivesBeforeTheHandlerReturns() throws Exception {
    CountDownLatch seen = new CountDownLatch(1);
    server.start((keys, datum, sink) -> {
      sink.emit(Message.of("first"));
      Waits.await(seen);
      sink.emit(Message.of("second"));
    });
    Call call = server.open().send("1", "");

    assertEquals(List.of("first"), call.results("1", 1).texts());
    assertEquals(0, call.eots());
    seen.countDown();

    assertEquals(List.of("first", "second"), call.answer("1").texts());
  }

  @Test
  void fiveHundredHandlersBlockAtTheSameTime() throws Exception {
    CountDownLatch all = new CountDownLatch(500);
    server.start((keys, datum, sink) -> {
      all.countDown();
      Waits.await(all);
      sink.emit(Message.of(datum.text()));
    });
    Call call = server.open();
    for (String number : numbers(500)) {
      call.send(number, number);
    }
    for (String number : numbers(500)) {
      assertEquals(List.of(number), call.answer(number).texts());
    }
  }

  /** Each result contains its number; the client requests a few responses at a time. */
  @Test
  void everyResultArrivesAtAClientThatReadsSlowly() throws Exception {
    int each = 20_000;
    server.start((keys, datum, sink) -> {
      for (int i = 0; i < each; i++) {
        sink.emit(ByteBuffer.allocate(100).putInt(i).array());
      }
    });
    Call call = server.openPaused();
    List<String> ids = numbers(8);
    ids.forEach(id -> call.send(id, ""));

    for (int read = 4; call.eots() < ids.size(); read += 3) {
      int count = read;
      call.read(3);
      call.await("response", () -> call.responses() >= count || call.eots() == ids.size());
    }

    for (String id : ids) {
      var results = call.answer(id).results();
      assertEquals(each, results.size(), id);
      for (int i = 0; i < each; i++) {
        assertEquals(i, results.get(i).getValue().asReadOnlyByteBuffer().getInt(), id);
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
    server.start((keys, datum, sink) -> {
      synchronized (emitters) {
        emitters.add(Thread.currentThread());
      }
      started.countDown();
      for (int i = 0; i < each; i++) {
        sink.emit(new byte[10_000]);
        emitted.release();
      }
    });
    Call call = server.openPaused();
    List<String> ids = numbers(4);
    ids.forEach(id -> call.send(id, ""));
    Waits.await(started);
    for (Thread emitter : emitters) {
      Waits.untilParked(emitter);
    }

    int before = emitted.availablePermits();
    assertTrue(before < 4 * each / 4, before + " results of 10 kB were accepted");

    call.readAll();
    for (String id : ids) {
      assertEquals(each, call.answer(id).results().size());
    }
  }

  @Test
  void threadsOfOneHandlerNeitherLoseNorDuplicateResults() throws Exception {
    int threads = 8;
    int each = 2_000;
    server.start((keys, datum, sink) -> {
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
    });
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

  @Test
  void anIdIsUsedAgainAfterItsEot() throws Exception {
    server.start((keys, datum, sink) -> sink.emit(Message.of(datum.text())));
    Call call = server.open();

    assertEquals(List.of("a"), call.send("1", "a").answer("1").texts());
    assertEquals(List.of("a", "b"), call.send("1", "b").answer("1").texts());
    assertEquals(2, call.received("1").eots());
  }

  @Test
  void anIdIsUsedAgainWhileTheEarlierCallStillRuns() throws Exception {
    CountDownLatch first = new CountDownLatch(1);
    server.start((keys, datum, sink) -> {
      if (datum.text().equals("first")) {
        Waits.await(first);
      }
      sink.emit(Message.of(datum.text()));
    });
    Call call = server.open().send("1", "first").send("1", "again");

    assertEquals(List.of("again"), call.results("1", 1).texts());
    first.countDown();

    assertEquals(List.of("again", "first"), call.answer("1").texts());
    assertEquals(2, call.received("1").eots());
    call.completes();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void twoStreamsAreServedAtOnce(boolean onOneConnection) throws Exception {
    CountDownLatch both = new CountDownLatch(2);
    server.start((keys, datum, sink) -> {
      both.countDown();
      Waits.await(both);
      sink.emit(Message.of(datum.text()));
    });
    MapStreamClient client = server.connect();
    Call one = Call.open(client).send("1", "of one");
    Call two = Call.open(onOneConnection ? client : server.connect()).send("1", "of two");

    assertEquals(List.of("of one"), one.answer("1").texts());
    assertEquals(List.of("of two"), two.answer("1").texts());
    one.completes();
    assertTrue(two.isOpen());
  }

  @Test
  void completesOnlyAfterInFlightDrains() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    CountDownLatch started = new CountDownLatch(3);
    server.start((keys, datum, sink) -> {
      sink.emit(Message.of("before"));
      started.countDown();
      Waits.await(gate);
      sink.emit(Message.of("after"));
    });
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

  @Test
  void moreDatumsThanTheConcurrencyLimitAreServedInTurn() throws Exception {
    Semaphore running = new Semaphore(3);
    server
        .with(options -> options.maxConcurrency(3))
        .start((keys, datum, sink) -> {
          assertTrue(running.tryAcquire(), "a fourth handler runs");
          Thread.sleep(1);
          sink.emit(Message.of(datum.text()));
          running.release();
        });
    Call call = server.open();
    numbers(200).forEach(id -> call.send(id, id));
    call.completes();

    for (String id : numbers(200)) {
      assertEquals(List.of(id), call.received(id).texts());
      assertEquals(1, call.received(id).eots());
    }
  }

  /** With a client that reads nothing yet, so that results wait in the server. */
  @ParameterizedTest
  @ValueSource(ints = {1_000, 1_500, 64 * 1024})
  void aReusedArrayArrivesAsItWasAtEachEmit(int size) throws Exception {
    server.start((keys, datum, sink) -> {
      byte[] buffer = new byte[size];
      for (char c = 'a'; c <= 'h'; c++) {
        Arrays.fill(buffer, (byte) c);
        sink.emit(buffer);
      }
      Arrays.fill(buffer, (byte) '?');
    });
    Call call = server.openPaused().send("1", "");
    server.await("the datum", metrics -> metrics.datumsAdmitted() == 1);
    call.readAll();

    List<String> expected = new ArrayList<>();
    for (char c = 'a'; c <= 'h'; c++) {
      expected.add(String.valueOf(c).repeat(size));
    }
    assertEquals(expected, call.answer("1").texts());
  }
}
