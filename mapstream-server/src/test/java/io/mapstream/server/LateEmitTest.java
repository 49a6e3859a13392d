package io.mapstream.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.Datum;
import io.mapstream.Message;
import io.mapstream.MessageSink;
import io.mapstream.SinkClosedException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A handler that returns before the threads that emit for it: their messages are lost. */
class LateEmitTest {

  private final FakeObserver client = new FakeObserver();
  private final List<MessageSink> sinks = new ArrayList<>();
  private final List<String> reported = new ArrayList<>();
  private final Counters counters = new Counters();
  private final ServerOptions options = ServerOptions.in(Map.of());
  private final StreamContext context =
      StreamContext.builder(
              (keys, datum, sink) -> {
                if (datum.text().equals("fail mark")) {
                  sink.emit(Message.toFail());
                }
                sinks.add(sink);
              },
              options,
              client.loop())
          .counters(counters)
          .failures(
              new Failures(
                  options,
                  counters,
                  (failure, kind) ->
                      reported.add(
                          kind + " " + failure.datumId() + " " + failure.cause().getMessage())))
          .threads(LateEmitTest::runAtOnce)
          .build();
  private final StreamRegistry streams = new StreamRegistry(context);
  private final MapStream stream = streams.open(client);

  /**
   * A thread whose {@code start} runs the task, so that handlers return before anything else
   * happens.
   */
  private static Thread runAtOnce(String name, Runnable task) {
    return new Thread(task, name) {
      @Override
      public void start() {
        task.run();
      }
    };
  }

  private MessageSink sinkOfReturnedHandler(String id, String text) {
    stream.onNext(new Request.Handshake(true));
    Datum datum =
        Datum.builder()
            .value(text.getBytes(UTF_8))
            .eventTime(Instant.EPOCH)
            .watermark(Instant.EPOCH)
            .build();
    stream.onNext(new Request.Data(id, datum, 10));
    client.runLoop();
    return sinks.get(0);
  }

  private long counted() {
    return counters.snapshot().failures(FailureKind.HANDLER_EMITTED_LATE);
  }

  @Test
  void isReportedOncePerDatum() {
    MessageSink sink = sinkOfReturnedHandler("a\n", "");
    for (int i = 0; i < 3; i++) {
      assertThrows(SinkClosedException.class, () -> sink.emit(Message.of("late")));
    }

    assertEquals(1, counted());
    assertEquals(1, reported.size());
    assertTrue(
        reported.get(0).startsWith("HANDLER_EMITTED_LATE a\\u000a emit refused"),
        reported::toString);
    assertEquals(List.of("handshake", "a\n."), client.taken());
  }

  @Test
  void isReportedEvenAfterTheStreamIsComplete() {
    MessageSink sink = sinkOfReturnedHandler("a", "");
    stream.onCompleted();
    client.runLoop();
    assertTrue(client.end().isOk());
    assertThrows(SinkClosedException.class, () -> sink.emit(Message.of("late")));

    assertEquals(1, counted());
  }

  /** The client sends the datum again, so nothing is lost. */
  @Test
  void isNotReportedIfTheStreamEndedBeforeTheAnswer() {
    client.readyFor(0);
    MessageSink sink = sinkOfReturnedHandler("a", "");
    streams.abort(() -> {}, "stopped");
    client.runLoop();
    assertThrows(SinkClosedException.class, () -> sink.emit(Message.of("late")));

    assertEquals(0, counted());
    assertEquals(List.of(), reported);
  }

  @Test
  void anEmitInTimeIsNotReported() {
    sinkOfReturnedHandler("a", "fail mark");

    assertEquals(0, counted());
  }

  @Test
  void aSinkReportsThatTheServerStops() {
    MessageSink sink = sinkOfReturnedHandler("a", "");
    assertEquals(false, sink.isStopping());

    stream.onCompleted();
    client.runLoop();
    assertEquals(false, sink.isStopping(), "a half-close is not a stop");

    streams.drain(() -> {});
    assertEquals(true, sink.isStopping());
  }
}
