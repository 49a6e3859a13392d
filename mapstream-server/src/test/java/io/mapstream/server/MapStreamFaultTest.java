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
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How a stream behaves when gRPC or the JVM itself fails. */
class MapStreamFaultTest {

  private static final ServerOptions FAIL =
      ServerOptions.in(Map.of("MAPSTREAM_ERROR_POLICY", "FAIL"));

  private final ExecutorService loop = Executors.newSingleThreadExecutor();
  private final Counters counters = new Counters();
  private ServerOptions options = ServerOptions.in(Map.of());
  private final CompletableFuture<Throwable> stoppedBy = new CompletableFuture<>();
  private final CountDownLatch started = new CountDownLatch(1);

  private final AtomicInteger lost = new AtomicInteger();
  private final Collection<HandlerFailure> failures = new ConcurrentLinkedQueue<>();

  @AfterEach
  void stopLoop() {
    loop.shutdownNow();
  }

  private StreamContext contextOf(MapStreamer handler) {
    return builder(handler, loop).build();
  }

  private StreamContext contextOn(HandlerTask.Threads threads) {
    return builder((keys, datum, sink) -> {}, loop).threads(threads).build();
  }

  private StreamContext.Builder builder(MapStreamer handler, Executor executor) {
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
    Failures decides =
        new Failures(
            options,
            counters,
            new Failures.Listener() {
              @Override
              public void handlerFailed(HandlerFailure failure, FailureKind kind) {
                if (kind == FailureKind.HANDLER_STOPPED_SERVER) {
                  failures.add(failure);
                }
              }

              @Override
              public void failureLost() {
                lost.incrementAndGet();
              }
            });
    return StreamContext.builder(observed, options, executor).counters(counters).failures(decides);
  }

  /** The loop, which throws instead of accepting the next task once it is {@code armed}. */
  private Executor loopThrowingOnce(AtomicBoolean armed, Error thrown) {
    return task -> {
      if (armed.getAndSet(false)) {
        throw thrown;
      }
      loop.execute(task);
    };
  }

  private MapStream openOn(StreamContext context, FakeObserver client) throws Exception {
    return onLoop(() -> {
      MapStream stream = new MapStream(context, new StreamRegistry(context), client);
      stream.onNext(new Request.Handshake(true));
      Datum datum = Datum.of(List.of(), null, Instant.EPOCH, Instant.EPOCH, null);
      stream.onNext(new Request.Data("a", datum, 10));
      return stream;
    });
  }

  private <T> T onLoop(java.util.concurrent.Callable<T> action) throws Exception {
    return loop.submit(action).get(10, TimeUnit.SECONDS);
  }

  private int inWork(StreamContext context) {
    try {
      return onLoop(() -> context.admission().datums());
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  /** Polls until the state holds; the test's own timeout is the limit. */
  private static void until(BooleanSupplier state) throws InterruptedException {
    while (!state.getAsBoolean()) {
      TimeUnit.MILLISECONDS.sleep(1);
    }
  }

  private void awaitNothingInWork(StreamContext context) throws InterruptedException {
    until(() -> inWork(context) == 0);
  }

  @Test
  void callThatGrpcClosesItselfStopsItsHandlers() throws Exception {
    StreamContext context = contextOf((keys, datum, sink) -> new CountDownLatch(1).await());
    FakeObserver client = new FakeObserver();
    openOn(context, client);
    started.await(10, TimeUnit.SECONDS);

    // As after an Error while a request was read: no cancel, no half-close, only the close.
    loop.submit(() -> client.closeByGrpc()).get(10, TimeUnit.SECONDS);

    assertInstanceOf(InterruptedException.class, stoppedBy.get(10, TimeUnit.SECONDS));
    awaitNothingInWork(context);
  }

  /** Ends a stream whose handler waits, while gRPC throws this. */
  private Future<?> abortThrowing(RuntimeException thrown) throws Exception {
    StreamContext context = contextOf((keys, datum, sink) -> new CountDownLatch(1).await());
    FakeObserver client =
        new FakeObserver() {
          @Override
          public void onError(Throwable t) {
            throw thrown;
          }
        };
    MapStream stream = openOn(context, client);
    started.await(10, TimeUnit.SECONDS);
    var aborted = loop.submit(() -> stream.abort(Status.UNAVAILABLE));

    assertInstanceOf(InterruptedException.class, stoppedBy.get(10, TimeUnit.SECONDS));
    awaitNothingInWork(context);
    return aborted;
  }

  @Test
  void endThatCannotBeWrittenStillStopsTheHandlers() throws Exception {
    var aborted = abortThrowing(new UnsupportedOperationException("thrown by the test"));

    assertThrows(ExecutionException.class, () -> aborted.get(10, TimeUnit.SECONDS));
  }

  /** As after an Error in a write: gRPC then ends the call itself. */
  @Test
  void endOfCallThatGrpcHasClosedIsNotAFault() throws Exception {
    abortThrowing(new IllegalStateException("call already closed")).get(10, TimeUnit.SECONDS);
  }

  /**
   * It is unknown whether the result will be sent, so the datum can't count as answered, whatever
   * the policy or the handler does.
   */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void emitThatEndsInTheMiddleStopsTheServer(boolean caught) throws Exception {
    StackOverflowError thrown = new StackOverflowError("thrown by the test");
    AtomicBoolean deep = new AtomicBoolean();
    Executor overflows = loopThrowingOnce(deep, thrown);
    options = FAIL;
    StreamContext context =
        builder(
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
                overflows)
            .build();
    assertStopsTheServer(context, thrown);
  }

  @Test
  void datumThatCannotBeAdmittedEndsItsStream() throws Exception {
    StreamContext context =
        contextOn((name, task) -> {
          throw new OutOfMemoryError("thrown by the test");
        });

    assertEndsByItself(context);
  }

  @Test
  void datumWhoseStartCannotBeScheduledEndsItsStreamAndReleasesItsCapacity() throws Exception {
    AtomicBoolean full = new AtomicBoolean(true);
    Executor fillsUp = loopThrowingOnce(full, new OutOfMemoryError("thrown by the test"));

    assertEndsByItself(builder((keys, datum, sink) -> {}, fillsUp).build());
  }

  @Test
  void requestThatCannotBeDecodedEndsItsStreamWithInternal() throws Exception {
    StreamContext context = contextOf((keys, datum, sink) -> {});
    FakeObserver client = new FakeObserver();
    onLoop(() -> {
      MapStream stream = new MapStream(context, new StreamRegistry(context), client);
      stream.onNext(new Request.Handshake(true));
      stream.onNext(new Request.Refused(FailureKind.ADMISSION_FAILED, "no memory"));
      return stream;
    });

    assertEquals(Status.Code.INTERNAL, client.end().getCode());
    assertEquals(1, counters.snapshot().failures(FailureKind.ADMISSION_FAILED));
  }

  private void assertStopsTheServer(StreamContext context, Throwable cause) throws Exception {
    assertSame(cause, stopsTheServer(context));
  }

  /** Returns what has stopped the server. */
  private Throwable stopsTheServer(StreamContext context) throws Exception {
    FakeObserver client = new FakeObserver();
    openOn(context, client);

    until(() -> !failures.isEmpty());
    awaitNothingInWork(context);
    assertEquals(Status.Code.INTERNAL, client.end().getCode());
    assertEquals(1, client.responses().size(), "the handshake's echo, and neither mark nor EOT");
    return failures.iterator().next().cause();
  }

  private void assertEndsByItself(StreamContext context) throws Exception {
    FakeObserver client = new FakeObserver();
    openOn(context, client);

    assertEquals(0, inWork(context));
    assertEquals(Status.Code.INTERNAL, client.end().getCode());
    assertEquals(1, client.responses().size(), "the handshake's echo, and no EOT");
    assertEquals(1, counters.snapshot().failures(FailureKind.ADMISSION_FAILED));
    assertEquals(List.of(), List.copyOf(failures));
  }

  /** Runs out of memory when a result is written. */
  private static class FullObserver extends FakeObserver {
    @Override
    public void onNext(Response response) {
      if (response.count() > 0) {
        throw new OutOfMemoryError("thrown by the test");
      }
      super.onNext(response);
    }
  }

  @Test
  void writeThatFailsEndsTheStreamAndWakesItsHandlers() throws Exception {
    StreamContext context =
        contextOf((keys, datum, sink) -> {
          while (true) {
            sink.emit(Message.of(new byte[1000]));
          }
        });
    FakeObserver client = new FullObserver();
    openOn(context, client);

    assertInstanceOf(SinkClosedException.class, stoppedBy.get(10, TimeUnit.SECONDS));
    // Emitters wake before the client is notified, and this waits for the loop.
    awaitNothingInWork(context);
    assertEquals(Status.Code.INTERNAL, client.end().getCode());
    assertEquals(1, counters.snapshot().failures(FailureKind.WRITE_FAILED));
    assertEquals(List.of(), List.copyOf(failures));
    loop.submit(() -> client.closeByGrpc()).get(10, TimeUnit.SECONDS);
    awaitNothingInWork(context);
  }

  /** Otherwise the client would wait forever, and nothing else would end this server. */
  @Test
  void anEndThatCannotBeSentStopsTheServer() throws Exception {
    StreamContext context = contextOf((keys, datum, sink) -> sink.emit("a"));
    FakeObserver client =
        new FullObserver() {
          @Override
          public void onError(Throwable t) {
            throw new OutOfMemoryError("thrown by the test, again");
          }
        };
    openOn(context, client);

    until(() -> lost.get() > 0);
    awaitNothingInWork(context);
    assertEquals(1, lost.get());
    assertEquals(1, counters.snapshot().failures(FailureKind.WRITE_FAILED));
  }

  /** Answering a failure also needs memory. */
  @Test
  void failureThatCannotBeAnsweredStopsTheServer() throws Exception {
    OutOfMemoryError thrown = new OutOfMemoryError("thrown by the test");
    AtomicBoolean full = new AtomicBoolean();
    Executor fillsUp = loopThrowingOnce(full, thrown);
    IllegalStateException boom = new IllegalStateException("boom");
    options = FAIL;
    StreamContext context =
        builder(
                (keys, datum, sink) -> {
                  full.set(true);
                  throw boom;
                },
                fillsUp)
            .build();
    assertStopsTheServer(context, boom);
    assertSame(thrown, boom.getSuppressed()[0]);
  }

  /** Threads that can't be started. */
  private static HandlerTask.Threads notStarting(Runnable thrower) {
    return (name, task) ->
        new Thread(task, name) {
          @Override
          public void start() {
            thrower.run();
          }
        };
  }

  /** As in a process that may not create more threads. */
  @Test
  void threadThatCannotBeStartedIsTheHandlersFailure() throws Exception {
    OutOfMemoryError thrown = new OutOfMemoryError("thrown by the test");
    StreamContext context =
        contextOn(
            notStarting(() -> {
              throw thrown;
            }));
    assertStopsTheServer(context, thrown);
  }

  /** The JVM's scheduler throws this if its queue can't grow. No handler has thrown it. */
  @Test
  void threadThatIsRejectedIsNotAnsweredWithTheFailMark() throws Exception {
    RejectedExecutionException thrown = new RejectedExecutionException("thrown by the test");
    options = FAIL;
    StreamContext context =
        contextOn(
            notStarting(() -> {
              throw thrown;
            }));
    assertSame(thrown, stopsTheServer(context).getCause());
  }
}
