package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.mapstream.Message;
import io.mapstream.SinkClosedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Start and stop, in any order and from any thread. */
@ParameterizedClass
@EnumSource(InternalSocketKind.class)
class LifecycleTest {

  private final InternalSocketKind kind;

  LifecycleTest(InternalSocketKind kind) {
    this.kind = kind;
  }

  private static void assertGone(TestServer server) {
    assertFalse(Files.exists(server.socket()), "the socket still exists");
    assertFalse(Files.exists(server.info()), "the server info file still exists");
  }

  @Test
  void aServerIsStartedOnce() throws Exception {
    try (TestServer server = TestServer.start(kind, (keys, datum, sink) -> {})) {
      IllegalStateException refused =
          assertThrows(IllegalStateException.class, () -> server.server().start(kind));

      assertTrue(refused.getMessage().contains("once"), refused::getMessage);
      assertTrue(server.connect().isReady());
    }
  }

  @Test
  void aClosedServerIsNotStartedAgain() throws Exception {
    try (TestServer server = TestServer.start(kind, (keys, datum, sink) -> {})) {
      Waits.get(server.closing());

      assertThrows(IllegalStateException.class, () -> server.server().start(kind));
      assertGone(server);
    }
  }

  @Test
  void closeBeforeStartEndsTheServer() throws Exception {
    try (TestServer server = TestServer.unstarted((keys, datum, sink) -> {}, options -> options)) {
      Waits.get(server.closing());

      assertTrue(server.server().awaitTermination(Duration.ZERO));
      assertThrows(IllegalStateException.class, () -> server.server().start(kind));
      assertGone(server);
    }
  }

  @Test
  void closeAfterAFailedStartReturns() throws Exception {
    try (TestServer server =
        TestServer.unstarted(
            (keys, datum, sink) -> {},
            options -> options.serverInfoFile(Path.of("/nowhere/at/all")))) {
      assertThrows(IOException.class, () -> server.server().start(kind));

      assertTrue(server.server().awaitTermination(Duration.ZERO));
      Waits.get(server.closing());
      assertTrue(server.server().awaitTermination(Duration.ZERO));
      assertFalse(server.server().shutdown().hasFailed());
      assertGone(server);
    }
  }

  @Test
  void everyCloseWaitsForTheOneStop() throws Exception {
    Gate gate = new Gate();
    try (TestServer server = TestServer.start(kind, (keys, datum, sink) -> gate.pass())) {
      Call call = server.open().send("1", "");
      gate.awaitHandlers();
      List<Future<Void>> closes = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        closes.add(server.closing());
      }
      assertTrue(closes.stream().noneMatch(Future::isDone));
      assertFalse(server.server().awaitTermination(Duration.ZERO));
      gate.open();

      for (Future<Void> close : closes) {
        Waits.get(close);
        assertGone(server);
      }
      call.endsWith(Status.Code.UNAVAILABLE);
      assertEquals(1, call.received("1").eots());
      Waits.get(server.closing());
    }
  }

  @Test
  void closeDuringStartLeavesNothingBehind() throws Exception {
    for (int i = 0; i < 20; i++) {
      try (TestServer server =
          TestServer.unstarted((keys, datum, sink) -> {}, options -> options)) {
        CountDownLatch both = new CountDownLatch(2);
        Future<Void> start =
            Waits.inBackground(() -> {
              both.countDown();
              both.await();
              try {
                server.server().start(kind);
              } catch (IllegalStateException e) {
                // The close came first.
              }
            });
        both.countDown();
        both.await();
        Waits.get(server.closing());
        Waits.get(start);

        assertTrue(server.server().awaitTermination(Duration.ZERO));
        assertGone(server);
      }
    }
  }

  @Test
  void closeFromInsideAHandlerDoesNotDeadlock() throws Exception {
    AtomicReference<TestServer> self = new AtomicReference<>();
    try (TestServer server =
        TestServer.start(
            kind,
            (keys, datum, sink) -> {
              self.get().server().close();
              sink.emit(Message.of("after close"));
            })) {
      self.set(server);
      Call call = server.open().send("1", "");

      call.endsWith(Status.Code.UNAVAILABLE);

      assertEquals(List.of("after close"), call.received("1").texts());
      assertEquals(1, call.received("1").eots());
      assertTrue(server.server().awaitTermination(Waits.LIMIT));
      assertGone(server);
    }
  }

  @Test
  void closeFromHandlersAndFromOutsideAtOnceDoesNotDeadlock() throws Exception {
    AtomicReference<TestServer> self = new AtomicReference<>();
    CountDownLatch started = new CountDownLatch(8);
    try (TestServer server =
        TestServer.start(
            kind,
            (keys, datum, sink) -> {
              started.countDown();
              Waits.await(started);
              self.get().server().close();
            })) {
      self.set(server);
      Call call = server.open();
      for (int i = 0; i < 8; i++) {
        call.send("" + i, "");
      }
      Waits.await(started);
      Waits.get(server.closing());

      call.endsWith(Status.Code.UNAVAILABLE);
      assertEquals(8, call.eots());
    }
  }

  @Test
  void closeLetsOpenHandlersFinish() throws Exception {
    Gate gate = new Gate(2);
    try (TestServer server =
        TestServer.start(
            kind,
            (keys, datum, sink) -> {
              gate.pass();
              for (int i = 0; i < 1_000; i++) {
                sink.emit(Message.of("" + i));
              }
            })) {
      Call open = server.open().send("1", "");
      WireClient other = server.connect();
      Call halfClosed = other.open().shakeHands().send("1", "");
      halfClosed.halfClose();
      // On the same connection, so the server has received the half-close when this is answered.
      other.open().shakeHands().halfClose();
      gate.awaitHandlers();
      Future<Void> close = server.closing();
      server.awaitStopping();
      assertFalse(close.isDone());
      gate.open();

      open.endsWith(Status.Code.UNAVAILABLE);
      halfClosed.endsWith(Status.Code.OK);
      for (Call call : List.of(open, halfClosed)) {
        assertEquals(1_000, call.received("1").results().size());
        assertEquals(1, call.received("1").eots());
      }
      Waits.get(close);
      assertTrue(server.server().awaitTermination(Duration.ZERO));
      assertGone(server);
    }
  }

  @Test
  void closeEndsIdleStreamsAsUnavailable() throws Exception {
    try (TestServer server = TestServer.start(kind, (keys, datum, sink) -> {})) {
      Call idle = server.open();
      Call before = server.connect().open();
      idle.send("1", "").answer("1");

      Waits.get(server.closing());

      idle.endsWith(Status.Code.UNAVAILABLE);
      before.endsWith(Status.Code.UNAVAILABLE);
    }
  }

  /** A datum that arrives too late gets no EOT, so that the client sends it to the next server. */
  @Test
  void noDatumIsAcceptedAfterTheStopHasBegun() throws Exception {
    Gate gate = new Gate();
    try (TestServer server = TestServer.start(kind, (keys, datum, sink) -> gate.pass())) {
      WireClient client = server.connect();
      Call call = client.open().shakeHands().send("in work", "");
      gate.awaitHandlers();
      Future<Void> close = server.closing();
      client.awaitRefusal();
      call.send("late 1", "").send("late 2", "");
      gate.open();

      call.endsWith(Status.Code.UNAVAILABLE);
      assertEquals(1, call.received("in work").eots());
      assertEquals(0, call.received("late 1").eots());
      assertEquals(0, call.received("late 2").eots());
      Waits.get(close);
    }
  }

  @Test
  void afterTheGraceHandlersAreInterruptedAndTheStreamEndsUnavailable() throws Exception {
    CountDownLatch started = new CountDownLatch(1);
    Semaphore interrupted = new Semaphore(0);
    AtomicReference<SinkClosedException> refused = new AtomicReference<>();
    try (TestServer server =
        TestServer.start(
            kind,
            (keys, datum, sink) -> {
              started.countDown();
              try {
                Thread.sleep(Duration.ofMinutes(5));
              } catch (InterruptedException e) {
                refused.set(
                    assertThrows(SinkClosedException.class, () -> sink.emit(Message.of("late"))));
                interrupted.release();
              }
            },
            options -> options.shutdownGrace(Duration.ofMillis(50)))) {
      Call call = server.open().send("1", "");
      Waits.await(started);

      Waits.get(server.closing());

      call.endsWith(Status.Code.UNAVAILABLE);
      assertEquals(0, call.eots());
      Waits.acquire(interrupted, 1);
      assertTrue(refused.get().getMessage().contains("stopping"), refused.get()::getMessage);
      assertTrue(server.server().awaitTermination(Duration.ZERO));
      assertGone(server);
    }
  }

  @Test
  void interruptedHandlersHaveAMomentToCleanUpBeforeCloseReturns() throws Exception {
    CountDownLatch started = new CountDownLatch(1);
    AtomicReference<String> cleanedUp = new AtomicReference<>("not yet");
    try (TestServer server =
        TestServer.start(
            kind,
            (keys, datum, sink) -> {
              started.countDown();
              try {
                Thread.sleep(Duration.ofMinutes(5));
              } finally {
                Thread.sleep(50);
                cleanedUp.set("done");
              }
            },
            options -> options.shutdownGrace(Duration.ZERO))) {
      server.open().send("1", "");
      Waits.await(started);

      Waits.get(server.closing());

      assertEquals("done", cleanedUp.get());
    }
  }

  @Test
  void aHandlerThatIgnoresInterruptionDoesNotKeepCloseFromReturning() throws Exception {
    CountDownLatch started = new CountDownLatch(1);
    CountDownLatch gate = new CountDownLatch(1);
    CountDownLatch left = new CountDownLatch(1);
    try (TestServer server =
        TestServer.start(
            kind,
            (keys, datum, sink) -> {
              started.countDown();
              boolean open = false;
              while (!open) {
                try {
                  open = gate.await(Waits.LIMIT.toSeconds(), TimeUnit.SECONDS);
                } catch (InterruptedException e) {
                  // ignored on purpose
                }
              }
              left.countDown();
            },
            options -> options.shutdownGrace(Duration.ZERO))) {
      Call call = server.open().send("1", "");
      Waits.await(started);

      Waits.get(server.closing());

      call.endsWith(Status.Code.UNAVAILABLE);
      assertEquals(1, left.getCount());
      gate.countDown();
      Waits.await(left);
    }
  }

  /**
   * A client that reads nothing can't be answered in full; the grace period ends that wait as well.
   */
  @Test
  void afterTheGraceBlockedEmittersOfAStalledClientAreWoken() throws Exception {
    Semaphore refused = new Semaphore(0);
    BlockingQueue<Thread> emitters = new LinkedBlockingQueue<>();
    try (TestServer server =
        TestServer.start(
            kind,
            (keys, datum, sink) -> {
              emitters.add(Thread.currentThread());
              try {
                while (true) {
                  sink.emit(new byte[50_000]);
                }
              } catch (SinkClosedException e) {
                refused.release();
              }
            },
            options -> options.shutdownGrace(Duration.ofMillis(50)))) {
      Call call = server.connect().openReading(1).shakeHands().send("1", "");
      Waits.untilParked(emitters.poll(Waits.LIMIT.toSeconds(), TimeUnit.SECONDS));

      Waits.get(server.closing());

      Waits.acquire(refused, 1);
      assertEquals(0, call.eots());
    }
  }

  /** The stop waits for the callback. */
  @Test
  void theCallbackMayCloseTheServer() throws Exception {
    var server = new AtomicReference<TestServer>();
    var wasStopped = new CompletableFuture<Boolean>();
    try (TestServer opened =
        TestServer.start(
            kind,
            (keys, datum, sink) -> {},
            options ->
                options.onStop(() -> {
                  server.get().server().close();
                  wasStopped.complete(isStopped(server.get().server()));
                }))) {
      server.set(opened);

      Waits.get(opened.closing());

      assertFalse(Waits.get(wasStopped), "it waited for the stop, which waits for it");
    }
  }

  private static boolean isStopped(MapStreamServer server) {
    try {
      return server.awaitTermination(Duration.ZERO);
    } catch (ExecutionException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** As without a free file descriptor. */
  @Test
  void aServerWhoseTransportCannotBeCreatedIsStopped() throws Exception {
    MapStreamServer server = MapStreamServer.builder((keys, datum, sink) -> {}).build();
    assertThrows(NullPointerException.class, () -> server.start(null));

    Waits.get(Waits.inBackground(server::close));

    assertTrue(isStopped(server));
  }

  @Test
  void anUnlimitedGraceIsNotMistakenForNone() throws Exception {
    Gate gate = new Gate();
    try (TestServer server =
        TestServer.start(
            kind,
            (keys, datum, sink) -> {
              gate.pass();
              sink.emit(Message.of("done"));
            },
            options -> options.shutdownGrace(Duration.ofSeconds(Long.MAX_VALUE)))) {
      Call call = server.open().send("1", "");
      gate.awaitHandlers();
      Future<Void> close = server.closing();
      server.awaitStopping();
      gate.open();

      assertEquals(List.of("done"), call.answer("1").texts());
      Waits.get(close);
      assertTrue(server.server().awaitTermination(Duration.ofSeconds(Long.MAX_VALUE)));
    }
  }

  @Test
  void anInterruptedCloseReturnsWithTheFlagSetAndTheStopContinues() throws Exception {
    Gate gate = new Gate();
    try (TestServer server = TestServer.start(kind, (keys, datum, sink) -> gate.pass())) {
      Call call = server.open().send("1", "");
      gate.awaitHandlers();
      boolean flag =
          Waits.get(
              Waits.computed(() -> {
                Thread.currentThread().interrupt();
                server.server().close();
                return Thread.interrupted();
              }));
      assertTrue(flag);
      assertFalse(server.server().awaitTermination(Duration.ZERO));
      gate.open();

      assertEquals(1, call.answer("1").eots());
      assertTrue(server.server().awaitTermination(Waits.LIMIT));
    }
  }

  @Test
  void anInterruptedRunStopsTheServer() throws Exception {
    try (TestServer server = TestServer.unstarted((keys, datum, sink) -> {}, options -> options)) {
      CompletableFuture<Thread> runner = new CompletableFuture<>();
      Future<InterruptedException> run =
          Waits.computed(() -> {
            runner.complete(Thread.currentThread());
            return assertThrows(InterruptedException.class, () -> server.server().run());
          });
      Waits.get(runner);
      Waits.until("the server info file", () -> Files.exists(server.info()), () -> run);
      Waits.get(runner).interrupt();

      Waits.get(run);
      assertTrue(server.server().awaitTermination(Duration.ZERO));
      assertGone(server);
    }
  }

  @Test
  void noThreadRemainsAfterClose() throws Exception {
    CountDownLatch started = new CountDownLatch(1);
    AtomicReference<Thread> handler = new AtomicReference<>();
    try (TestServer server =
        TestServer.start(
            kind,
            (keys, datum, sink) -> {
              handler.set(Thread.currentThread());
              started.countDown();
              Thread.sleep(Duration.ofMinutes(5));
            },
            options -> options.shutdownGrace(Duration.ZERO))) {
      server.open().send("1", "");
      Waits.await(started);
    }

    Waits.join(handler.get());
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().startsWith("mapstream-")) {
        Waits.join(thread);
      }
    }
  }
}
