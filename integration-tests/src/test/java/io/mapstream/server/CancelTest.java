package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.mapstream.Message;
import io.mapstream.MessageSink;
import io.mapstream.SinkClosedException;
import io.mapstream.testkit.MapStreamClient;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** When a client leaves, its handlers are stopped, and no others. */
@ParameterizedClass
@EnumSource(InternalSocketKind.class)
class CancelTest {

  @AutoClose private final TestServer server;

  CancelTest(InternalSocketKind kind) {
    server = new TestServer(kind);
  }

  /** What a handler observed: the exception that it got, and whether its interrupt flag was set. */
  private record Seen(Exception exception, boolean interrupted) {}

  private static Seen poll(BlockingQueue<Seen> queue) throws InterruptedException {
    Seen seen = queue.poll(Waits.LIMIT.toSeconds(), TimeUnit.SECONDS);
    assertTrue(seen != null, "no handler was woken");
    return seen;
  }

  /** Emits to a client that does not read, until that is refused. */
  static SinkClosedException emitUntilRefused(MessageSink sink) {
    return assertThrows(
        SinkClosedException.class,
        () -> {
          while (true) {
            sink.emit(new byte[50_000]);
          }
        });
  }

  /** How a client ends its stream or its whole connection. */
  private interface Goodbye {
    void of(MapStreamClient client, Call call);
  }

  private void assertInterruptsABlockedHandler(Goodbye goodbye) throws Exception {
    BlockingQueue<Seen> seen = new LinkedBlockingQueue<>();
    Gate gate = new Gate();
    server.start((keys, datum, sink) -> {
      try {
        gate.pass();
      } catch (InterruptedException e) {
        seen.add(new Seen(e, true));
        throw e;
      }
    });
    MapStreamClient client = server.connect();
    Call call = Call.open(client).send("1", "");
    gate.awaitHandlers();
    goodbye.of(client, call);

    assertInstanceOf(InterruptedException.class, poll(seen).exception());
  }

  @Test
  void cancelInterruptsBlockedHandler() throws Exception {
    assertInterruptsABlockedHandler((client, call) -> call.cancel());
  }

  @Test
  void brokenConnectionInterruptsBlockedHandler() throws Exception {
    assertInterruptsABlockedHandler((client, call) -> client.close());
  }

  /** Both streams requested a datum while there was capacity for one, so one datum waits. */
  @Test
  void cancelOfADatumWaitingForCapacityLeavesItToOthers() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    server
        .with(options -> options.maxConcurrency(1))
        .start((keys, datum, sink) -> {
          sink.emit(Message.of(datum.text()));
          Waits.await(gate);
        });
    Call first = server.open();
    MapStreamClient other = server.connect();
    Call second = Call.open(other);
    first.send("1", "a").results("1", 1);
    second.send("2", "b");
    assertTrue(other.readiness().isOk()); // answered after the datum has arrived
    second.cancel();
    server.await("the cancel", metrics -> metrics.streamsOpen() == 1);
    gate.countDown();

    assertEquals(List.of("a"), first.answer("1").texts());
    assertEquals(List.of("c"), first.send("3", "c").answer("3").texts());
    assertEquals(List.of("d"), server.open().send("4", "d").answer("4").texts());
    assertEquals(0, server.metrics().datumsInWork());
  }

  @Test
  void cancelDuringADrainEndsTheDrain() throws Exception {
    Gate gate = new Gate();
    server
        .with(options -> options.shutdownGrace(Duration.ofMinutes(5)))
        .start((keys, datum, sink) -> gate.pass());
    Call call = server.open().send("1", "");
    gate.awaitHandlers();
    Future<Void> close = server.closing();
    server.awaitStopping();
    call.cancel();

    Waits.get(close);
  }

  @Test
  void cancelWakesBlockedEmitsWithTheFlagSet() throws Exception {
    int handlers = 20;
    BlockingQueue<Seen> seen = new LinkedBlockingQueue<>();
    BlockingQueue<Thread> threads = new LinkedBlockingQueue<>();
    server.start((keys, datum, sink) -> {
      threads.add(Thread.currentThread());
      SinkClosedException refused = emitUntilRefused(sink);
      seen.add(new Seen(refused, Thread.currentThread().isInterrupted()));
      throw refused;
    });
    Call call = server.openPaused();
    IntStream.range(0, handlers).forEach(id -> call.send("" + id, ""));
    for (int i = 0; i < handlers; i++) {
      Thread handler = threads.poll(Waits.LIMIT.toSeconds(), TimeUnit.SECONDS);
      Waits.untilParked(handler);
    }
    call.cancel();

    for (int i = 0; i < handlers; i++) {
      Seen one = poll(seen);
      assertTrue(one.interrupted(), () -> "flag not set at " + one.exception());
      assertTrue(one.exception().getMessage().contains("cancelled"), one.exception()::toString);
    }
  }

  @Test
  void emitAfterCancelIsRefusedWithTheFlagSet() throws Exception {
    BlockingQueue<Seen> seen = new LinkedBlockingQueue<>();
    Gate gate = new Gate();
    server.start((keys, datum, sink) -> {
      try {
        gate.pass();
      } catch (InterruptedException e) {
        // The flag is clear now, so emit has to set it.
      }
      SinkClosedException refused =
          assertThrows(SinkClosedException.class, () -> sink.emit(Message.of("late")));
      seen.add(new Seen(refused, Thread.currentThread().isInterrupted()));
    });
    Call call = server.open().send("1", "");
    gate.awaitHandlers();
    call.cancel();

    Seen one = poll(seen);
    assertTrue(one.interrupted());
    assertTrue(one.exception().getMessage().contains("cancelled"), one.exception()::toString);
  }

  @Test
  void cancelOfOneStreamDoesNotAffectTheOthers() throws Exception {
    Gate gate = new Gate(2);
    server.start((keys, datum, sink) -> {
      gate.pass();
      sink.emit(Message.of(datum.text()));
    });
    MapStreamClient client = server.connect();
    Call cancelled = Call.open(client).send("1", "");
    Call other = Call.open(client).send("1", "other");
    gate.awaitHandlers();
    cancelled.cancel();
    cancelled.end();
    gate.open();

    assertEquals(List.of("other"), other.answer("1").texts());
  }

  /** Cancelled datums release their capacity even if the limit was reached. */
  @Test
  void cancelledDatumsReleaseTheirCapacity() throws Exception {
    Gate gate = new Gate(2);
    server
        .with(options -> options.maxConcurrency(2))
        .start((keys, datum, sink) -> {
          if (datum.text().equals("blocks")) {
            gate.pass();
          }
          sink.emit(Message.of("served"));
        });
    Call call = server.open();
    IntStream.range(0, 10).forEach(id -> call.send("" + id, "blocks"));
    gate.awaitHandlers();
    Call waiting = server.open().send("1", "").send("2", "");
    call.cancel();

    assertEquals(List.of("served"), waiting.answer("1").texts());
    assertEquals(List.of("served"), waiting.answer("2").texts());
  }

  @Test
  void concurrencyIsLimitedAcrossAllStreams() throws Exception {
    AtomicInteger running = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    Semaphore started = new Semaphore(0);
    Semaphore gate = new Semaphore(0);
    server
        .with(options -> options.maxConcurrency(1))
        .start((keys, datum, sink) -> {
          most.accumulateAndGet(running.incrementAndGet(), Math::max);
          started.release();
          Waits.acquire(gate, 1);
          running.decrementAndGet();
        });
    // Each client was asked for a datum while there was capacity for one.
    List<Call> calls = List.of(server.open(), server.open(), server.open());
    calls.forEach(call -> call.send("a", "").send("b", "").halfClose());

    for (int i = 0; i < 6; i++) {
      Waits.acquire(started, 1);
      gate.release();
    }

    for (Call call : calls) {
      call.endsWith(Status.Code.OK);
      assertEquals(2, call.eots());
    }
    assertEquals(1, most.get());
  }

  @Test
  void interruptedEmitterOfALiveStreamIsRefusedAndTheStreamContinues() throws Exception {
    CompletableFuture<Seen> seen = new CompletableFuture<>();
    CompletableFuture<Thread> emitter = new CompletableFuture<>();
    server.start((keys, datum, sink) -> {
      emitter.complete(Thread.currentThread());
      seen.complete(new Seen(emitUntilRefused(sink), Thread.interrupted()));
    });
    Call call = server.openPaused().send("1", "");
    Thread handler = Waits.get(emitter);
    Waits.untilParked(handler);
    handler.interrupt();

    Seen one = Waits.get(seen);
    assertTrue(one.interrupted());
    assertTrue(one.exception().getMessage().contains("interrupted"), one.exception()::toString);
    assertInstanceOf(InterruptedException.class, one.exception().getCause());
    call.readAll();
    assertEquals(1, call.answer("1").eots());
  }

  @Test
  void lateEmitAfterTheHandlersReturnIsRefused() throws Exception {
    CompletableFuture<MessageSink> kept = new CompletableFuture<>();
    server.start((keys, datum, sink) -> {
      sink.emit(Message.of("in time"));
      kept.complete(sink);
    });
    Call call = server.open().send("1", "");
    assertEquals(List.of("in time"), call.answer("1").texts());

    SinkClosedException refused =
        assertThrows(
            SinkClosedException.class, () -> kept.get(1, TimeUnit.SECONDS).emit(new byte[1]));

    assertTrue(refused.getMessage().contains("returned"), refused::toString);
    assertEquals(List.of("in time"), call.received("1").texts());
  }
}
