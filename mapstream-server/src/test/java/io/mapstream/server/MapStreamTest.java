package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grpc.Status;
import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.SinkClosedException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A stream without gRPC and without handler threads: each handler runs when it is started. */
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
    stream.onNext(
        new Request.Data(id, Datum.of(List.of(), null, Instant.EPOCH, Instant.EPOCH, null), 10));
  }

  private MapStream open(StreamRegistry streams, FakeObserver observer) {
    MapStream opened = streams.open(observer);
    opened.onNext(new Request.Handshake(true));
    return opened;
  }

  /**
   * Both streams have requested a datum; the second datum arrives when the first has taken all
   * capacity.
   */
  @Test
  void aDatumThatWaitsForCapacityIsNotHandledAfterAStop() {
    StreamRegistry streams = streams((keys, datum, sink) -> {}, 1);
    FakeObserver second = new FakeObserver();
    MapStream first = open(streams, client);
    MapStream waiting = open(streams, second);
    send(first, "a");
    send(waiting, "b");
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
    MapStream first = open(streams, client);
    MapStream waiting = open(streams, second);
    send(first, "a");
    send(waiting, "b");
    waiting.onCompleted();
    client.runLoop();

    assertEquals(List.of("handshake", "b."), second.taken());
    assertEquals(Status.Code.OK, second.end().getCode());
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
