package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.mapstream.Message;
import io.mapstream.proto.Codec;
import io.mapstream.proto.map.v1.MapRequest;
import io.mapstream.proto.map.v1.MapResponse;
import java.lang.reflect.Field;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Compares a server's metrics with what its client and its handlers observed. */
class ServerMetricsTest {

  @AutoClose private final TestServer server = new TestServer();

  @Test
  void allIsZeroBeforeTheStart() throws Exception {
    server.build((keys, datum, sink) -> {});
    ServerMetrics none = server.metrics();

    assertEquals(new ServerMetrics(new ServerMetrics.Values()), none);
    assertEquals(List.of(FailureKind.values()), List.copyOf(none.failures().keySet()));
  }

  @Test
  void theLastNumbersAreKeptAfterTheStop() throws Exception {
    long requestBytes = 0;
    long resultBytes = 0;
    ServerMetrics metrics;
    server.start((keys, datum, sink) -> {
      for (String word : datum.text().split(",", -1)) {
        sink.emit(Message.of(word).withTags(List.of("t")));
      }
    });
    Call call = server.open();
    for (int i = 0; i < 10; i++) {
      MapRequest request = Requests.datum("id" + i, "a,b,c".repeat(i + 1));
      requestBytes += request.getSerializedSize();
      call.send(request);
    }
    for (int i = 0; i < 10; i++) {
      for (MapResponse.Result result : call.answer("id" + i).results()) {
        // As a field of its response, with one byte each for tag and length.
        resultBytes += 2 + result.getSerializedSize();
      }
    }
    call.completes();
    server.server().close();
    metrics = server.metrics();

    assertEquals(1, metrics.streamsOpened());
    assertEquals(0, metrics.streamsOpen());
    assertEquals(10, metrics.datumsAdmitted());
    assertEquals(10, metrics.datumsAnswered());
    assertEquals(0, metrics.datumsInWork());
    assertEquals(requestBytes, metrics.requestBytes());
    assertEquals(10 + 2 * 55, metrics.results());
    assertEquals(resultBytes, metrics.resultBytes());
    assertEquals(10, metrics.handlersRun());
    assertTrue(metrics.handlerTime().isPositive(), metrics::toString);
    assertEquals(0, metrics.emitsWaiting());
    assertEquals(Duration.ZERO, metrics.emitWaitTime());
    assertTrue(metrics.failures().values().stream().allMatch(count -> count == 0));
  }

  @Test
  void datumsAreCountedWhileTheyAreInWork() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    server.start((keys, datum, sink) -> {
      sink.emit(Message.of("first"));
      Waits.await(gate);
    });
    Call call = server.open().send("1", "").send("2", "");
    call.results("1", 1);
    call.results("2", 1);
    ServerMetrics during = server.await("2 results", metrics -> metrics.results() == 2);

    assertEquals(1, during.streamsOpen());
    assertEquals(2, during.datumsAdmitted());
    assertEquals(2, during.datumsInWork());
    assertEquals(0, during.datumsAnswered());
    assertEquals(0, during.handlersRun());

    gate.countDown();
    server.await("nothing in work", metrics -> metrics.datumsInWork() == 0);
    assertEquals(2, server.metrics().datumsAnswered());
    assertEquals(2, server.metrics().handlersRun());
  }

  @Test
  void waitsInEmitAreCountedWhileTheyLastAndTimedAfterwards() throws Exception {
    server.start((keys, datum, sink) -> {
      for (int i = 0; i < 400; i++) {
        sink.emit(new byte[50_000]);
      }
    });
    Call call = server.openPaused();
    call.send("1", "").send("2", "");
    ServerMetrics stalled = server.await("2 waiting emits", metrics -> metrics.emitsWaiting() == 2);

    assertTrue(stalled.results() < 800, stalled::toString);

    call.readAll();
    call.answer("1");
    call.answer("2");
    ServerMetrics after = server.await("nothing in work", metrics -> metrics.datumsInWork() == 0);
    assertEquals(800, after.results());
    assertEquals(0, after.emitsWaiting());
    assertTrue(after.emitWaitTime().isPositive(), after::toString);
    assertTrue(after.emitWaitTime().compareTo(after.handlerTime()) <= 0, after::toString);
  }

  @Test
  void aDatumAnsweredWithTheFailMarkCountsAsFailedAndAsAnswered() throws Exception {
    server
        .with(options -> options.errorPolicy(ServerOptions.ErrorPolicy.FAIL))
        .start((keys, datum, sink) -> {
          throw new IllegalStateException("played");
        });
    server.open().send("1", "").answer("1");
    server.await("nothing in work", metrics -> metrics.datumsInWork() == 0);

    assertEquals(Map.of(FailureKind.HANDLER_ANSWERED_WITH_FAIL, 1L), server.failures());
    assertEquals(1, server.metrics().datumsAnswered());
    assertEquals(1, server.metrics().results());
  }

  @Test
  void theFailureThatStopsTheServerAndALateOneAreCountedSeparately() throws Exception {
    Gate gate = new Gate();
    server.start((keys, datum, sink) -> {
      if (datum.text().equals("fails")) {
        throw new IllegalStateException("played");
      }
      try {
        gate.pass();
      } catch (InterruptedException e) {
        throw new IllegalArgumentException("of another kind");
      }
    });
    Call call = server.open().send("1", "waits");
    gate.awaitHandlers();
    call.send("2", "fails").endsWith(Status.Code.INTERNAL);
    assertThrows(ExecutionException.class, () -> server.server().awaitTermination(Waits.LIMIT));

    // The stop waits at most a second for interrupted handlers.
    server.await("nothing in work", metrics -> metrics.datumsInWork() == 0);
    assertEquals(
        Map.of(FailureKind.HANDLER_STOPPED_SERVER, 1L, FailureKind.HANDLER_LATE, 1L),
        server.failures());
    assertEquals(0, server.metrics().datumsAnswered());
    assertEquals(0, server.metrics().datumsInWork());
    assertEquals(2, server.metrics().handlersRun());
  }

  @Test
  void aRefusedRequestIsAFailureOfItsClient() throws Exception {
    server.start((keys, datum, sink) -> {});
    server.open().send(Codec.handshake()).endsWith(Status.Code.INVALID_ARGUMENT);

    server.await("no stream open", metrics -> metrics.streamsOpen() == 0);
    assertEquals(Map.of(FailureKind.REQUEST_REFUSED, 1L), server.failures());
  }

  @Test
  void aClientThatLeavesIsAFailureOnlyWithDatumsInWork() throws Exception {
    Gate gate = new Gate();
    server.start((keys, datum, sink) -> gate.pass());
    server.open().cancel();
    server.await("no stream open", metrics -> metrics.streamsOpen() == 0);
    assertEquals(Map.of(), server.failures());

    Call call = server.open().send("1", "");
    gate.awaitHandlers();
    call.cancel();
    server.await("nothing in work", metrics -> metrics.datumsInWork() == 0);
    server.await("no stream open", metrics -> metrics.streamsOpen() == 0);

    assertEquals(Map.of(FailureKind.CLIENT_GONE, 1L), server.failures());
    assertEquals(2, server.metrics().streamsOpened());
    assertEquals(1, server.metrics().handlersRun());
  }

  @Test
  void snapshotsAreImmutable() {
    Map<FailureKind, Long> failures = new HashMap<>(Map.of(FailureKind.CLIENT_GONE, 1L));
    ServerMetrics.Values values = new ServerMetrics.Values();
    values.failures = failures;
    ServerMetrics metrics = new ServerMetrics(values);
    failures.put(FailureKind.CLIENT_GONE, 2L);

    assertEquals(1, metrics.failures(FailureKind.CLIENT_GONE));
    assertEquals(0, metrics.failures(FailureKind.WRITE_FAILED));
    assertThrows(
        UnsupportedOperationException.class,
        () -> metrics.failures().put(FailureKind.CLIENT_GONE, 2L));
    assertEquals(
        "kind",
        assertThrows(NullPointerException.class, () -> metrics.failures(null)).getMessage());
  }

  /** Each number has an accessor, and is part of equality and of the text. */
  @Test
  void snapshotsAreEqualByAllTheirNumbers() throws Exception {
    ServerMetrics zero = new ServerMetrics(new ServerMetrics.Values());
    assertEquals(zero, new ServerMetrics(new ServerMetrics.Values()));
    assertEquals(zero.hashCode(), new ServerMetrics(new ServerMetrics.Values()).hashCode());
    assertNotEquals(null, zero);
    assertNotEquals("zero", zero);

    for (Field field : ServerMetrics.Values.class.getDeclaredFields()) {
      Object number =
          field.getType() == Duration.class
              ? Duration.ofMillis(7)
              : field.getType() == Map.class ? Map.of(FailureKind.CLIENT_GONE, 7L) : (Object) 7L;
      ServerMetrics.Values values = new ServerMetrics.Values();
      field.set(values, number);
      ServerMetrics other = new ServerMetrics(values);

      assertNotEquals(zero, other, field.getName());
      assertTrue(other.toString().contains(field.getName() + "="), other::toString);
      Object shown = ServerMetrics.class.getMethod(field.getName()).invoke(other);
      assertEquals(
          number,
          shown instanceof Map<?, ?>
              ? Map.of(FailureKind.CLIENT_GONE, other.failures(FailureKind.CLIENT_GONE))
              : shown);
    }
  }
}
