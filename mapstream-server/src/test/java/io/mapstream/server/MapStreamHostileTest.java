package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.grpc.Status;
import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.SinkClosedException;
import io.mapstream.server.hostile.Await;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What gRPC, or the JVM, can do to a stream when it fails itself. */
class MapStreamHostileTest {

  private final ExecutorService loop = Executors.newSingleThreadExecutor();
  private final Counters counters = new Counters();
  private final CompletableFuture<Throwable> stoppedBy = new CompletableFuture<>();
  private final CountDownLatch started = new CountDownLatch(1);

  private final Collection<HandlerFailure> failures = new ConcurrentLinkedQueue<>();

  @AfterEach
  void stopLoop() {
    loop.shutdownNow();
  }

  private MapService serviceOf(MapStreamer handler) {
    return serviceOf(handler, ServerOptions.builder().build(Map.of()), loop);
  }

  private MapService serviceOf(MapStreamer handler, ServerOptions options, Executor executor) {
    MapStreamer observed =
        (keys, datum, sink) -> {
          started.countDown();
          try {
            handler.handle(keys, datum, sink);
          } catch (Throwable t) {
            stoppedBy.complete(t);
            throw t;
          }
        };
    return new MapService(
        observed, options, executor, size -> {}, counters, failures::add, failure -> {});
  }

  /** The loop, which throws in place of taking the next task once it is {@code armed}. */
  private Executor loopThrowingOnce(AtomicBoolean armed, Error played) {
    return task -> {
      if (armed.getAndSet(false)) {
        throw played;
      }
      loop.execute(task);
    };
  }

  private MapStream openOn(MapService service, ObserverDouble client) throws Exception {
    return onLoop(() -> {
      MapStream stream = new MapStream(service, client);
      stream.onNext(new Request.Handshake(true));
      Datum datum = Datum.of(List.of(), null, Instant.EPOCH, Instant.EPOCH, null);
      stream.onNext(new Request.Data("a", datum, 10));
      return stream;
    });
  }

  private <T> T onLoop(java.util.concurrent.Callable<T> action) throws Exception {
    return loop.submit(action).get(10, TimeUnit.SECONDS);
  }

  private static int inWork(MapService service, ExecutorService loop) {
    try {
      return loop.submit(() -> service.admission().datums()).get(10, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private void awaitFreePlace(MapService service) {
    Await.until("the datum's place is free", () -> inWork(service, loop) == 0, () -> "it is not");
  }

  @Test
  void callThatGrpcGivesUpByItselfStopsItsHandlers() throws Exception {
    MapService service = serviceOf((keys, datum, sink) -> new CountDownLatch(1).await());
    ObserverDouble client = new ObserverDouble();
    openOn(service, client);
    started.await(10, TimeUnit.SECONDS);

    // As after an Error while a request was read: no cancel, no half-close, only the close.
    loop.submit(() -> client.onClose.run()).get(10, TimeUnit.SECONDS);

    assertInstanceOf(InterruptedException.class, stoppedBy.get(10, TimeUnit.SECONDS));
    awaitFreePlace(service);
  }

  /** Ends a stream whose handler waits, where gRPC throws this. */
  private Future<?> abortThrowing(RuntimeException played) throws Exception {
    MapService service = serviceOf((keys, datum, sink) -> new CountDownLatch(1).await());
    ObserverDouble client =
        new ObserverDouble() {
          @Override
          public void onError(Throwable t) {
            throw played;
          }
        };
    MapStream stream = openOn(service, client);
    started.await(10, TimeUnit.SECONDS);
    var aborted = loop.submit(() -> stream.abort(Status.UNAVAILABLE));

    assertInstanceOf(InterruptedException.class, stoppedBy.get(10, TimeUnit.SECONDS));
    awaitFreePlace(service);
    return aborted;
  }

  @Test
  void endThatCannotBeWrittenStopsTheHandlersAllTheSame() throws Exception {
    var aborted = abortThrowing(new UnsupportedOperationException("played"));

    assertThrows(ExecutionException.class, () -> aborted.get(10, TimeUnit.SECONDS));
  }

  /** As it is after an Error in a write: gRPC then ends the call itself. */
  @Test
  void endOfCallThatGrpcHasClosedIsNoFault() throws Exception {
    abortThrowing(new IllegalStateException("call already closed")).get(10, TimeUnit.SECONDS);
  }

  /** What was emitted may never leave, so neither policy nor handler can say it was answered. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void emitThatEndsInTheMiddleStopsTheServer(boolean caught) throws Exception {
    StackOverflowError played = new StackOverflowError("played");
    AtomicBoolean deep = new AtomicBoolean();
    Executor overflows = loopThrowingOnce(deep, played);
    MapService service =
        serviceOf(
            (keys, datum, sink) -> {
              deep.set(true);
              try {
                sink.emit(Message.of("a"));
              } catch (StackOverflowError e) {
                if (!caught) {
                  throw e;
                }
              }
            },
            ServerOptions.builder().errorPolicy(ServerOptions.ErrorPolicy.FAIL).build(Map.of()),
            overflows);
    assertStopsTheServer(service, played);
  }

  @Test
  void datumThatCannotBeTakenOnEndsItsStream() throws Exception {
    MapService service = serviceOf((keys, datum, sink) -> {});
    service.handleOn(
        (name, task) -> {
          throw new OutOfMemoryError("played");
        },
        System::nanoTime);

    assertEndsByItself(service);
  }

  @Test
  void datumWhoseStartCannotBeScheduledEndsItsStreamAndGivesItsPlaceBack() throws Exception {
    AtomicBoolean full = new AtomicBoolean(true);
    Executor fillsUp = loopThrowingOnce(full, new OutOfMemoryError("played"));

    assertEndsByItself(
        serviceOf((keys, datum, sink) -> {}, ServerOptions.builder().build(Map.of()), fillsUp));
  }

  private void assertStopsTheServer(MapService service, Throwable cause) throws Exception {
    ObserverDouble client = new ObserverDouble();
    openOn(service, client);

    Await.until("the failure is told", () -> !failures.isEmpty(), () -> "it is not");
    awaitFreePlace(service);
    assertSame(cause, failures.iterator().next().cause());
    assertEquals(Status.Code.INTERNAL, Status.fromThrowable(client.error).getCode());
    assertEquals(1, client.responses.size(), "the handshake's echo, and no EOT");
  }

  private void assertEndsByItself(MapService service) throws Exception {
    ObserverDouble client = new ObserverDouble();
    openOn(service, client);

    assertEquals(0, inWork(service, loop));
    assertEquals(Status.Code.INTERNAL, Status.fromThrowable(client.error).getCode());
    assertEquals(1, client.responses.size(), "the handshake's echo, and no EOT");
    assertEquals(1, counters.snapshot().failures(FailureKind.ADMISSION_FAILED));
    assertEquals(List.of(), List.copyOf(failures));
  }

  @Test
  void writeThatFailsEndsTheStreamAndWakesItsHandlers() throws Exception {
    MapService service =
        serviceOf((keys, datum, sink) -> {
          while (true) {
            sink.emit(Message.of(new byte[1000]));
          }
        });
    ObserverDouble client =
        new ObserverDouble() {
          @Override
          public void onNext(Response response) {
            if (response.count() > 0) {
              throw new OutOfMemoryError("played");
            }
            super.onNext(response);
          }
        };
    openOn(service, client);

    assertInstanceOf(SinkClosedException.class, stoppedBy.get(10, TimeUnit.SECONDS));
    // Emitters wake before the client is told, and this waits for the loop.
    awaitFreePlace(service);
    assertEquals(Status.Code.INTERNAL, Status.fromThrowable(client.error).getCode());
    assertEquals(1, counters.snapshot().failures(FailureKind.WRITE_FAILED));
    assertEquals(List.of(), List.copyOf(failures));
    loop.submit(() -> client.onClose.run()).get(10, TimeUnit.SECONDS);
    awaitFreePlace(service);
  }

  /** The answer to a failure needs memory, too. */
  @Test
  void failureThatCannotBeAnsweredStopsTheServer() throws Exception {
    OutOfMemoryError played = new OutOfMemoryError("played");
    AtomicBoolean full = new AtomicBoolean();
    Executor fillsUp = loopThrowingOnce(full, played);
    ServerOptions options =
        ServerOptions.builder().errorPolicy(ServerOptions.ErrorPolicy.FAIL).build(Map.of());
    IllegalStateException boom = new IllegalStateException("boom");
    MapService service =
        serviceOf(
            (keys, datum, sink) -> {
              full.set(true);
              throw boom;
            },
            options,
            fillsUp);
    assertStopsTheServer(service, boom);
    assertSame(played, boom.getSuppressed()[0]);
  }

  /** As in a process that is allowed no more memory for threads. */
  @Test
  void threadThatCannotBeStartedIsTheHandlersFailure() throws Exception {
    MapService service = serviceOf((keys, datum, sink) -> {});
    OutOfMemoryError played = new OutOfMemoryError("played");
    service.handleOn(
        (name, task) ->
            new Thread(task, name) {
              @Override
              public void start() {
                throw played;
              }
            },
        System::nanoTime);
    assertStopsTheServer(service, played);
  }
}
