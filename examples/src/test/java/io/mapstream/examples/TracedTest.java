package io.mapstream.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.Messages;
import io.mapstream.testkit.HandlerFailedException;
import io.mapstream.testkit.MapStreamHarness;
import io.mapstream.testkit.MapStreamTestServer;
import io.mapstream.testkit.RecordingSink;
import io.mapstream.testkit.Reply;
import io.mapstream.testkit.TestDatum;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.EventData;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.data.StatusData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TracedTest {

  private static final Duration LIMIT = Duration.ofSeconds(30);

  private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
  private static final String PLATFORM_SPAN = "00f067aa0ba902b7";
  private static final String SAMPLED = "00-" + TRACE + "-" + PLATFORM_SPAN + "-01";
  private static final String NOT_SAMPLED = "00-" + TRACE + "-" + PLATFORM_SPAN + "-00";

  private final InMemorySpanExporter exporter = InMemorySpanExporter.create();
  private final SdkTracerProvider telemetry =
      SdkTracerProvider.builder().addSpanProcessor(SimpleSpanProcessor.create(exporter)).build();
  private final Tracer tracer = telemetry.get("test");

  @AfterEach
  void close() {
    telemetry.close();
  }

  private Messages process(MapStreamer handler, Datum datum) {
    try (var harness = MapStreamHarness.of(new Traced(tracer, handler))) {
      return harness.process(datum);
    }
  }

  private static Datum.Builder datum(String traceparent) {
    return TestDatum.builder().text("a,b").traceContext(Map.of("traceparent", traceparent));
  }

  private SpanData onlySpan() {
    List<SpanData> spans = exporter.getFinishedSpanItems();
    assertEquals(1, spans.size(), spans::toString);
    return spans.getFirst();
  }

  @Test
  void aDatumIsAChildOfThePlatformsSpan() {
    Map<String, String> context = Map.of("traceparent", SAMPLED);
    Datum datum = TestDatum.builder().text("a,b").traceContext(context).build();
    try (var harness = MapStreamHarness.of(new Traced(tracer, Traced::split))) {
      assertEquals(2, harness.process(datum).size());
    }
    SpanData span = onlySpan();
    assertEquals(TRACE, span.getTraceId());
    assertEquals(PLATFORM_SPAN, span.getParentSpanId());
    assertTrue(span.getParentSpanContext().isRemote());
    assertEquals(SpanKind.SERVER, span.getKind());
    assertEquals("handle datum", span.getName());
    assertEquals(StatusData.unset(), span.getStatus());
    assertTrue(span.hasEnded());
  }

  @Test
  void theTraceContinuesInTheHandlersCalls() {
    Messages messages = process(Traced::split, datum(SAMPLED).build());

    String header = "00-" + TRACE + "-" + onlySpan().getSpanId() + "-01";
    assertEquals(List.of("a  " + header, "b  " + header), messages.texts());
  }

  @Test
  void tracestateIsPassedOn() {
    var headers = new AtomicReference<Map<String, String>>();
    Datum datum =
        TestDatum.builder()
            .traceContext(Map.of("traceparent", SAMPLED, "tracestate", "vendor=opaque,other=2"))
            .build();
    process((keys, given, sink) -> headers.set(Traced.headers()), datum);

    assertEquals("opaque", onlySpan().getSpanContext().getTraceState().get("vendor"));
    assertEquals("vendor=opaque,other=2", headers.get().get("tracestate"));
  }

  @Test
  void attributesAreCountsAndNotContents() {
    process(Traced::split, datum(SAMPLED).keys("k1", "k2").build());

    Map<String, Object> attributes =
        onlySpan().getAttributes().asMap().entrySet().stream()
            .collect(Collectors.toMap(entry -> entry.getKey().getKey(), Map.Entry::getValue));
    assertEquals(
        Map.of("mapstream.keys", 2L, "mapstream.bytes", 3L, "mapstream.messages", 2L), attributes);
  }

  @Test
  void spansOfAllThreadsOfTheHandlerAreChildren() {
    MapStreamer withWork =
        (keys, given, sink) -> {
          tracer.spanBuilder("here").startSpan().end();
          Runnable there = () -> tracer.spanBuilder("there").startSpan().end();
          Thread.startVirtualThread(Context.current().wrap(there)).join();
        };
    process(withWork, datum(SAMPLED).build());

    List<SpanData> spans = exporter.getFinishedSpanItems();
    assertEquals(
        List.of("here", "there", "handle datum"), spans.stream().map(SpanData::getName).toList());
    String parent = spans.getLast().getSpanId();
    assertEquals(parent, spans.get(0).getParentSpanId());
    assertEquals(parent, spans.get(1).getParentSpanId());
  }

  @Test
  void anUnsampledTraceStaysUnsampled() {
    Messages messages = process(Traced::split, datum(NOT_SAMPLED).build());

    assertEquals(List.of(), exporter.getFinishedSpanItems());
    String header = messages.texts().getFirst();
    assertTrue(header.matches("a  00-" + TRACE + "-[0-9a-f]{16}-00"), header);
  }

  @Test
  void aDatumWithoutATraceStartsOne() {
    try (var harness = MapStreamHarness.of(new Traced(tracer, Traced::split))) {
      assertEquals(1, harness.process("one").size());
      assertEquals(1, harness.process("other").size());
    }

    List<SpanData> spans = exporter.getFinishedSpanItems();
    assertEquals(2, spans.size());
    assertFalse(spans.getFirst().getParentSpanContext().isValid());
    assertNotEquals(spans.getFirst().getTraceId(), spans.getLast().getTraceId());
  }

  @ParameterizedTest
  @ValueSource(strings = {"nonsense", "00-0-0-01", "ff-" + TRACE + "-" + PLATFORM_SPAN + "-01"})
  void anInvalidTraceparentStartsATrace(String traceparent) {
    process(Traced::split, datum(traceparent).build());

    assertFalse(onlySpan().getParentSpanContext().isValid());
    assertNotEquals(TRACE, onlySpan().getTraceId());
  }

  @Test
  @SuppressWarnings("try")
  void aSurroundingSpanIsNotTheParentAndIsRestored() throws Exception {
    Span around = tracer.spanBuilder("around").startSpan();
    try (Scope current = around.makeCurrent()) {
      new Traced(tracer, Traced::split).handle(List.of(), TestDatum.of("a"), new RecordingSink());

      assertSame(around, Span.current());
    }
    assertFalse(onlySpan().getParentSpanContext().isValid());
  }

  @Test
  void anExceptionIsRecordedAndThrown() {
    var cause = new IOException("disk on fire");
    MapStreamer failing =
        (keys, given, sink) -> {
          sink.emit(Message.of("before"));
          throw cause;
        };
    var failed =
        assertThrows(HandlerFailedException.class, () -> process(failing, datum(SAMPLED).build()));

    assertSame(cause, failed.getCause());
    assertEquals(
        StatusData.create(StatusCode.ERROR, "java.io.IOException: disk on fire"),
        onlySpan().getStatus());
    assertEquals("java.io.IOException", exceptionOf(onlySpan()));
    assertEquals(1, messagesOf(onlySpan()));
  }

  @Test
  void anErrorIsRecordedAndThrown() {
    MapStreamer failing =
        (keys, given, sink) -> {
          throw new StackOverflowError();
        };
    assertThrows(HandlerFailedException.class, () -> process(failing, datum(SAMPLED).build()));

    assertEquals("java.lang.StackOverflowError", exceptionOf(onlySpan()));
    assertEquals(StatusCode.ERROR, onlySpan().getStatus().getStatusCode());
  }

  @Test
  void aFailMarkIsAnErrorOfTheSpan() {
    process((keys, given, sink) -> sink.emit(Message.toFail()), datum(SAMPLED).build());

    assertEquals(StatusData.create(StatusCode.ERROR, "marked as failed"), onlySpan().getStatus());
  }

  @Test
  void aCancelledDatumEndsItsSpan() throws Exception {
    CountDownLatch never = new CountDownLatch(1);
    MapStreamer waiting =
        (keys, given, sink) -> {
          sink.emit(Message.of("started"));
          never.await();
        };
    try (var harness = MapStreamHarness.of(new Traced(tracer, waiting))) {
      Reply reply = harness.send(datum(SAMPLED).build());
      assertEquals("started", reply.next().text());

      reply.cancel();

      assertTrue(reply.failure().isPresent());
    }
    assertEquals("java.lang.InterruptedException", exceptionOf(onlySpan()));
  }

  @Test
  void concurrentDatumsKeepTheirTraces() throws Exception {
    int many = 100;
    CountDownLatch allStarted = new CountDownLatch(many);
    MapStreamer together =
        (keys, given, sink) -> {
          allStarted.countDown();
          allStarted.await();
          Traced.split(keys, given, sink);
        };
    List<String> answers = new ArrayList<>();
    try (var server = MapStreamTestServer.start(new Traced(tracer, together))) {
      List<Reply> replies = new ArrayList<>();
      for (int i = 0; i < many; i++) {
        replies.add(server.client().send(datum(traceparent(i)).build()));
      }
      for (Reply reply : replies) {
        answers.add(reply.remaining(LIMIT).texts().getLast());
      }
    }

    Map<String, SpanData> spans =
        exporter.getFinishedSpanItems().stream()
            .collect(Collectors.toMap(SpanData::getTraceId, span -> span));
    assertEquals(many, spans.size());
    for (int i = 0; i < many; i++) {
      String sent = traceparent(i);
      SpanData span = spans.get(sent.substring(3, 35));
      assertEquals(sent.substring(36, 52), span.getParentSpanId());
      assertEquals(
          "b  " + sent.substring(0, 36) + span.getSpanId() + sent.substring(52), answers.get(i));
    }
  }

  private static String traceparent(int number) {
    String hex = HexFormat.of().toHexDigits(number + 1L);
    return "00-" + hex + hex + "-" + hex + "-01";
  }

  private static String exceptionOf(SpanData span) {
    EventData event = span.getEvents().getFirst();
    assertEquals("exception", event.getName());
    return event.getAttributes().get(AttributeKey.stringKey("exception.type"));
  }

  private static long messagesOf(SpanData span) {
    return span.getAttributes().get(AttributeKey.longKey("mapstream.messages"));
  }
}
