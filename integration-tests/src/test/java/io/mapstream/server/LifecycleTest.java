package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.mapstream.Message;
import io.mapstream.SinkClosedException;
import io.mapstream.testkit.MapStreamClient;
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
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Start and stop, in any order and from any thread. */
@ParameterizedClass
@EnumSource(InternalSocketKind.class)
class LifecycleTest {

  private final InternalSocketKind kind;
  @AutoClose private final TestServer server;

  LifecycleTest(InternalSocketKind kind) {
    this.kind = kind;
    server = new TestServer(kind);
  }

  @Test
  void aServerIsStartedOnce() throws Exception {
    server.start((keys, datum, sink) -> {});
    IllegalStateException refused = assertThrows(IllegalStateException.class, () -> server.start());

    assertTrue(refused.getMessage().contains("once"), refused::getMessage);
    assertTrue(server.connect().readiness().isOk());
  }

  @Test
  void aClosedServerIsNotStartedAgain() throws Exception {
    server.start((keys, datum, sink) -> {});
    server.stop();

    assertThrows(IllegalStateException.class, () -> server.start());
    server.assertFilesGone();
  }

  @Test
  void closeBeforeStartEndsTheServer() throws Exception {
    server.build((keys, datum, sink) -> {});
    server.stop();

    assertTrue(server.hasStopped());
    assertThrows(IllegalStateException.class, () -> server.start());
    server.assertFilesGone();
  }

  @Test
  void closeAfterAFailedStartReturns() throws Exception {
    server
        .with(options -> options.serverInfoFile(Path.of("/nowhere/at/all")))
        .build((keys, datum, sink) -> {});
    assertThrows(IOException.class, () -> server.start());

    assertTrue(server.hasStopped());
    server.stop();
    assertTrue(server.hasStopped());
    assertFalse(server.server().shutdown().hasFailed());
    server.assertFilesGone();
  }

  @Test
  void everyCloseWaitsForTheOneStop() throws Exception {
    Gate gate = new Gate();
    server.start((keys, datum, sink) -> gate.pass());
    Call call = server.open().send("1", "");
    gate.awaitHandlers();
    List<Future<Void>> closes = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      closes.add(server.closing());
    }
    assertTrue(closes.stream().noneMatch(Future::isDone));
    assertFalse(server.hasStopped());
    gate.open();

    for (Future<Void> close : closes) {
      Waits.get(close);
      server.assertFilesGone();
    }
    call.endsWith(Status.Code.UNAVAILABLE);
    assertEquals(1, call.received("1").eots());
    server.stop();
  }

  @Test
  void closeDuringStartLeavesNothingBehind() throws Exception {
    for (int i = 0; i < 20; i++) {
      try (TestServer server = new TestServer(kind)) {
        server.build((keys, datum, sink) -> {});
        CountDownLatch both = new CountDownLatch(2);
        Future<Void> start =
            Waits.inBackground(() -> {
              both.countDown();
              both.await();
              try {
                server.start();
              } catch (IllegalStateException e) {
                // The close came first.
              }
            });
        both.countDown();
        both.await();
        server.stop();
        Waits.get(start);

        assertTrue(server.hasStopped());
        server.assertFilesGone();
      }
    }
  }

  @Test
  void closeFromInsideAHandlerDoesNotDeadlock() throws Exception {
    server.start((keys, datum, sink) -> {
      server.server().close();
      sink.emit(Message.of("after close"));
    });
    Call call = server.open().send("1", "");

    call.endsWith(Status.Code.UNAVAILABLE);

    assertEquals(List.of("after close"), call.received("1").texts());
    assertEquals(1, call.received("1").eots());
    assertTrue(server.server().awaitTermination(Waits.LIMIT));
    server.assertFilesGone();
  }

  @Test
  void closeFromHandlersAndFromOutsideAtOnceDoesNotDeadlock() throws Exception {
    CountDownLatch started = new CountDownLatch(8);
    server.start((keys, datum, sink) -> {
      started.countDown();
      Waits.await(started);
      server.server().close();
    });
    Call call = server.open();
    for (int i = 0; i < 8; i++) {
      call.send("" + i, "");
    }
    Waits.await(started);
    server.stop();

    call.endsWith(Status.Code.UNAVAILABLE);
    assertEquals(8, call.eots());
  }

  @Test
  void closeLetsOpenHandlersFinish() throws Exception {
    Gate gate = new Gate(2);
    server.start((keys, datum, sink) -> {
      gate.pass();
      for (int i = 0; i < 1_000; i++) {
        sink.emit(Message.of("" + i));
      }
    });
    Call open = server.open().send("1", "");
    MapStreamClient other = server.connect();
    Call halfClosed = Call.open(other).send("1", "");
    halfClosed.halfClose();
    // On the same connection, so the server has received the half-close when this is answered.
    Call.open(other).halfClose();
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
    assertTrue(server.hasStopped());
    server.assertFilesGone();
  }

  @Test
  void closeEndsIdleStreamsAsUnavailable() throws Exception {
    server.start((keys, datum, sink) -> {});
    Call idle = server.open();
    Call before = new Call(server.connect());
    idle.send("1", "").answer("1");

    server.stop();

    idle.endsWith(Status.Code.UNAVAILABLE);
    before.endsWith(Status.Code.UNAVAILABLE);
  }

  /** A datum that arrives too late gets no EOT, so that the client sends it to the next server. */
  @Test
  void noDatumIsAcceptedAfterTheStopHasBegun() throws Exception {
    Gate gate = new Gate();
    server.start((keys, datum, sink) -> gate.pass());
    MapStreamClient client = server.connect();
    Call call = Call.open(client).send("in work", "");
    gate.awaitHandlers();
    Future<Void> close = server.closing();
    TestServer.awaitRefusal(client);
    call.send("late 1", "").send("late 2", "");
    gate.open();

    call.endsWith(Status.Code.UNAVAILABLE);
    assertEquals(1, call.received("in work").eots());
    assertEquals(0, call.received("late 1").eots());
    assertEquals(0, call.received("late 2").eots());
    Waits.get(close);
  }

  @Test
  void afterTheGraceHandlersAreInterruptedAndTheStreamEndsUnavailable() throws Exception {
    Gate gate = new Gate();
    Semaphore interrupted = new Semaphore(0);
    AtomicReference<SinkClosedException> refused = new AtomicReference<>();
    server
        .with(options -> options.shutdownGrace(Duration.ofMillis(50)))
        .start((keys, datum, sink) -> {
          try {
            gate.pass();
          } catch (InterruptedException e) {
            refused.set(
                assertThrows(SinkClosedException.class, () -> sink.emit(Message.of("late"))));
            interrupted.release();
          }
        });
    Call call = server.open().send("1", "");
    gate.awaitHandlers();

    server.stop();

    call.endsWith(Status.Code.UNAVAILABLE);
    assertEquals(0, call.eots());
    Waits.acquire(interrupted, 1);
    assertTrue(refused.get().getMessage().contains("stopping"), refused.get()::getMessage);
    assertTrue(server.hasStopped());
    server.assertFilesGone();
  }

  @Test
  void interruptedHandlersHaveAMomentToCleanUpBeforeCloseReturns() throws Exception {
    Gate gate = new Gate();
    AtomicReference<String> cleanedUp = new AtomicReference<>("not yet");
    server
        .with(options -> options.shutdownGrace(Duration.ZERO))
        .start((keys, datum, sink) -> {
          try {
            gate.pass();
          } finally {
            Thread.sleep(50);
            cleanedUp.set("done");
          }
        });
    server.open().send("1", "");
    gate.awaitHandlers();

    server.stop();

    assertEquals("done", cleanedUp.get());
  }

  @Test
  void aHandlerThatIgnoresInterruptionDoesNotKeepCloseFromReturning() throws Exception {
    CountDownLatch started = new CountDownLatch(1);
    CountDownLatch gate = new CountDownLatch(1);
    CountDownLatch left = new CountDownLatch(1);
    server
        .with(options -> options.shutdownGrace(Duration.ZERO))
        .start((keys, datum, sink) -> {
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
        });
    Call call = server.open().send("1", "");
    Waits.await(started);

    server.stop();

    call.endsWith(Status.Code.UNAVAILABLE);
    assertEquals(1, left.getCount());
    gate.countDown();
    Waits.await(left);
  }

  /**
   * A client that reads nothing can't be answered in full; the grace period ends that wait as well.
   */
  @Test
  void afterTheGraceBlockedEmittersOfAStalledClientAreWoken() throws Exception {
    Semaphore refused = new Semaphore(0);
    BlockingQueue<Thread> emitters = new LinkedBlockingQueue<>();
    server
        .with(options -> options.shutdownGrace(Duration.ofMillis(50)))
        .start((keys, datum, sink) -> {
          emitters.add(Thread.currentThread());
          CancelTest.emitUntilRefused(sink);
          refused.release();
        });
    Call call = server.openPaused().send("1", "");
    Waits.untilParked(emitters.poll(Waits.LIMIT.toSeconds(), TimeUnit.SECONDS));

    server.stop();

    Waits.acquire(refused, 1);
    assertEquals(0, call.eots());
  }

  /** The stop waits for the callback. */
  @Test
  void theCallbackMayCloseTheServer() throws Exception {
    var wasStopped = new CompletableFuture<Boolean>();
    server.with(options ->
        options.onStop(() -> {
          server.server().close();
          wasStopped.complete(isStopped(server.server()));
        }));
    server.start((keys, datum, sink) -> {});

    server.stop();

    assertFalse(Waits.get(wasStopped), "it waited for the stop, which waits for it");
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
    server.build((keys, datum, sink) -> {});
    assertThrows(NullPointerException.class, () -> server.server().start(null));

    server.stop();

    assertTrue(server.hasStopped());
  }

  @Test
  void anUnlimitedGraceIsNotMistakenForNone() throws Exception {
    Gate gate = new Gate();
    server
        .with(options -> options.shutdownGrace(Duration.ofSeconds(Long.MAX_VALUE)))
        .start((keys, datum, sink) -> {
          gate.pass();
          sink.emit(Message.of("done"));
        });
    Call call = server.open().send("1", "");
    gate.awaitHandlers();
    Future<Void> close = server.closing();
    server.awaitStopping();
    gate.open();

    assertEquals(List.of("done"), call.answer("1").texts());
    Waits.get(close);
    assertTrue(server.server().awaitTermination(Duration.ofSeconds(Long.MAX_VALUE)));
  }

  @Test
  void anInterruptedCloseReturnsWithTheFlagSetAndTheStopContinues() throws Exception {
    Gate gate = new Gate();
    server.start((keys, datum, sink) -> gate.pass());
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
    assertFalse(server.hasStopped());
    gate.open();

    assertEquals(1, call.answer("1").eots());
    assertTrue(server.server().awaitTermination(Waits.LIMIT));
  }

  @Test
  void anInterruptedRunStopsTheServer() throws Exception {
    server.build((keys, datum, sink) -> {});
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
    assertTrue(server.hasStopped());
    server.assertFilesGone();
  }

  @Test
  void noThreadRemainsAfterClose() throws Exception {
    Gate gate = new Gate();
    AtomicReference<Thread> handler = new AtomicReference<>();
    try (TestServer closed = new TestServer(kind)) {
      closed
          .with(options -> options.shutdownGrace(Duration.ZERO))
          .start((keys, datum, sink) -> {
            handler.set(Thread.currentThread());
            gate.pass();
          });
      closed.open().send("1", "");
      gate.awaitHandlers();
    }

    Waits.join(handler.get());
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().startsWith("mapstream-")) {
        Waits.join(thread);
      }
    }
  }
}
