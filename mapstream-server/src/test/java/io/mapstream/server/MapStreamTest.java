package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.MessageSink;
import io.mapstream.SinkClosedException;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A stream without gRPC; most handlers have no thread, and run when they are started. */
class MapStreamTest {

  private final FakeObserver client = new FakeObserver();
  private final Counters counters = new Counters();
  private final List<String> handled = new ArrayList<>();
  private MapStream stream;

  private StreamRegistry streams(MapStreamer handler, int maxConcurrency) {
    ServerOptions options =
        ServerOptions.in(Map.of("MAPSTREAM_MAX_CONCURRENCY", "" + maxConcurrency));
    StreamContext context =
        StreamContext.builder(handler, options, client.loop())
            .counters(counters)
            .threads((name, task) ->
                new Thread(task, name) {
                  @Override
                  public void start() {
                    handled.add(name);
                    task.run();
                  }
                })
            .build();
    return new StreamRegistry(context);
  }

  private static void send(MapStream stream, String id) {
    send(stream, id, 10);
  }

  private static void send(MapStream stream, String id, int size) {
    stream.onNext(
        new Request.Data(id, Datum.of(List.of(), null, Instant.EPOCH, Instant.EPOCH, null), size));
  }

  private MapStream open(StreamRegistry streams, FakeObserver observer) {
    MapStream opened = streams.open(observer);
    opened.onNext(new Request.Handshake(true));
    return opened;
  }

  /**
   * Both streams have requested a datum; the second datum arrives when the first has taken its
   * capacity. Returns the second stream.
   */
  private MapStream sendToBoth(StreamRegistry streams, FakeObserver second) {
    MapStream first = open(streams, client);
    MapStream waiting = open(streams, second);
    send(first, "a");
    send(waiting, "b");
    return waiting;
  }

  @Test
  void aDatumThatWaitsForCapacityIsNotHandledAfterAStop() {
    StreamRegistry streams = streams((keys, datum, sink) -> {}, 1);
    FakeObserver second = new FakeObserver();
    sendToBoth(streams, second);
    streams.drain(() -> {});
    client.runLoop();

    assertEquals(List.of("mapstream-a"), handled);
    assertEquals(List.of("handshake", "a."), client.taken());
    assertEquals(List.of("handshake"), second.taken());
    assertEquals(Status.Code.UNAVAILABLE, second.end().getCode());
    assertEquals(Status.Code.UNAVAILABLE, client.end().getCode());
  }

  /** It arrived before the half-close, so the client waits for its answer. */
  @Test
  void aDatumThatWaitsForCapacityIsHandledAfterAHalfClose() {
    StreamRegistry streams = streams((keys, datum, sink) -> {}, 1);
    FakeObserver second = new FakeObserver();
    sendToBoth(streams, second).onCompleted();
    client.runLoop();

    assertEquals(List.of("handshake", "b."), second.taken());
    assertEquals(Status.Code.OK, second.end().getCode());
  }

  /** The second stream waits for capacity, which the first one gives back. */
  @Test
  void aRequestThatFailsEndsItsOwnStreamOnly() {
    StreamRegistry streams = streams((keys, datum, sink) -> {}, 2);
    FakeObserver second =
        new FakeObserver() {
          @Override
          public void request(int count) {
            if (requested() == 2) {
              throw new IllegalStateException("thrown by the test");
            }
            super.request(count);
          }
        };
    sendToBoth(streams, second);
    client.runLoop();

    assertEquals(Status.Code.INTERNAL, second.end().getCode());
    assertNull(client.end());
    assertEquals(List.of("handshake", "a."), client.taken());
  }

  /** The client reads nothing. Each datum counts an eighth of the limit while its emit waits. */
  @Test
  void noFurtherDatumIsRequestedWhileManyHandlersWaitForTheClient() throws Exception {
    List<Thread> handlers = new ArrayList<>();
    ServerOptions options = ServerOptions.in(Map.of());
    StreamContext context =
        StreamContext.builder((keys, datum, sink) -> sink.emit("x"), options, client.loop())
            .limits(Limits.of(options).withPending(1))
            .threads((name, task) -> {
              Thread thread = HandlerTask.Threads.virtual(name, task);
              handlers.add(thread);
              return thread;
            })
            .build();
    MapStream opened = open(new StreamRegistry(context), client.readyFor(1));
    for (int i = 1; i <= 9; i++) {
      send(opened, "d" + i, 64 * 1024);
      assertEquals(2 + i, client.requested(), "after the handshake and " + i + " datums");
      client.runLoop();
      if (i == 1) {
        assertTrue(handlers.get(0).join(Duration.ofSeconds(10)), "it has the only permit");
      } else {
        Parked.await(handlers.get(i - 1));
      }
    }

    send(opened, "d10", 64 * 1024); // requested before the ninth waited
    client.runLoop();
    assertEquals(11, client.requested());

    client.becomeReady();
    runLoopUntil(() -> client.requested() == 12);
    runLoopUntil(() -> client.responses().size() == 1 + 2 * 10);
    assertEquals(12, client.requested());
  }

  /** Handlers add tasks from their own threads. */
  private void runLoopUntil(BooleanSupplier done) {
    long begun = System.nanoTime();
    while (!done.getAsBoolean()) {
      assertTrue(
          System.nanoTime() - begun < 10_000_000_000L,
          () ->
              "requested %d, written %d".formatted(client.requested(), client.responses().size()));
      client.runLoop();
    }
  }

  /**
   * Compiled handlers forget it by themselves. A lambda would have a second frame that does not.
   */
  @Test
  @SuppressWarnings("UnnecessaryAnonymousClass")
  void theServerKeepsNoReferenceToADatumThatItsHandlerHasGot() {
    List<Boolean> collected = new ArrayList<>();
    MapStreamer forgetful =
        new MapStreamer() {
          @Override
          public void handle(List<String> keys, Datum datum, MessageSink sink) {
            WeakReference<Datum> forgotten = new WeakReference<>(datum);
            datum = null;
            long begun = System.nanoTime();
            while (forgotten.get() != null && System.nanoTime() - begun < 10_000_000_000L) {
              System.gc();
            }
            collected.add(forgotten.get() == null);
          }
        };
    send(open(streams(forgetful, 1), client), "a");
    client.runLoop();

    assertEquals(List.of(true), collected);
  }

  static Stream<Exception> stopped() {
    InterruptedException interrupted = new InterruptedException();
    SinkClosedException closed = new SinkClosedException("closed");
    return Stream.of(interrupted, closed)
        .flatMap(cause -> Stream.of(cause, wrapped(1, cause), wrapped(3, cause)));
  }

  private static Exception wrapped(int depth, Exception cause) {
    Exception wrapped = cause;
    for (int i = 0; i < depth; i++) {
      wrapped = new IllegalStateException("depth " + i, wrapped);
    }
    return wrapped;
  }

  @ParameterizedTest
  @MethodSource("stopped")
  void anExceptionCausedByTheEndOfTheStreamIsNotAFailure(Exception thrown) {
    assertEquals(0, lateFailuresOf(thrown));
  }

  @Test
  void otherExceptionsAfterTheEndAreLateFailures() {
    IllegalStateException circle = new IllegalStateException("one");
    circle.initCause(new IllegalStateException("two", circle));

    assertEquals(1, lateFailuresOf(new IllegalStateException("not because of the end")));
    assertEquals(2, lateFailuresOf(circle));
  }

  private long lateFailuresOf(Exception thrown) {
    FakeObserver observer = new FakeObserver();
    StreamRegistry streams =
        streams(
            (keys, datum, sink) -> {
              stream.abort(Status.UNAVAILABLE.withDescription("ended by the test"));
              throw thrown;
            },
            10);
    stream = open(streams, observer);
    send(stream, "a");
    client.runLoop();
    return counters.snapshot().failures(FailureKind.HANDLER_LATE);
  }
}
