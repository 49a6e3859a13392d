package io.mapstream.examples;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.MessageSink;
import io.mapstream.server.MapStreamServer;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/**
 * Continues the platform's trace: wraps any handler, and makes each of its datums a span of
 * OpenTelemetry, the child of the platform's span around the call. The span is current on the
 * handler's thread, so what the handler calls by instrumented clients becomes part of the trace as
 * well. A datum that comes without a trace starts one; a trace that isn't sampled stays so.
 *
 * <p>It is an example and no part of the library, so functions that don't trace don't depend on
 * OpenTelemetry. Copy the class, up to its constructor and {@code handle}. {@code docs/tracing.md}
 * has the dependencies, and what to set for a collector.
 *
 * <p>{@code main} serves a function that answers each part of a line together with the header that
 * a call to another service would take along. Spans are logged, unless {@code OTEL_TRACES_EXPORTER}
 * and the other variables of OpenTelemetry say something else.
 */
public final class Traced implements MapStreamer {

  private final Tracer tracer;
  private final MapStreamer handler;

  /** Makes a function that does what another one does, in a span. */
  public Traced(Tracer tracer, MapStreamer handler) {
    this.tracer = tracer;
    this.handler = handler;
  }

  @Override
  @SuppressWarnings("try") // The scope is there to be closed, and for nothing else.
  public void handle(List<String> keys, Datum datum, MessageSink sink) throws Exception {
    Context platform = extract(datum.traceContext());
    Span span =
        tracer
            .spanBuilder("handle datum")
            .setParent(platform)
            .setSpanKind(SpanKind.SERVER)
            .setAttribute("mapstream.keys", keys.size())
            .setAttribute("mapstream.bytes", datum.value().length)
            .startSpan();
    LongAdder messages = new LongAdder();
    MessageSink counting =
        message -> {
          sink.emit(message);
          messages.increment();
          if (message.isFail()) {
            span.setStatus(StatusCode.ERROR, "marked as failed");
          }
        };
    try (Scope current = platform.with(span).makeCurrent()) {
      handler.handle(keys, datum, counting);
    } catch (Throwable e) {
      span.recordException(e);
      span.setStatus(StatusCode.ERROR, e.toString());
      throw e;
    } finally {
      span.setAttribute("mapstream.messages", messages.sum());
      span.end();
    }
  }

  /** Not added to the current context, which could only be that of another piece of work. */
  private static Context extract(Map<String, String> headers) {
    return W3CTraceContextPropagator.getInstance()
        .extract(Context.root(), headers, (from, name) -> from == null ? null : from.get(name));
  }

  /** Serves a function in spans until the process is told to end. */
  public static void main(String[] args) throws Exception {
    // Closed after the last datum, so that its span is exported as well.
    try (OpenTelemetrySdk telemetry = telemetry()) {
      Tracer tracer = telemetry.getTracer(Traced.class.getPackageName());
      MapStreamServer.run(new Traced(tracer, Traced::split));
    }
  }

  /** The environment wins over what is set here. */
  private static OpenTelemetrySdk telemetry() {
    return AutoConfiguredOpenTelemetrySdk.builder()
        .addPropertiesSupplier(() ->
            Map.of(
                "otel.service.name", "traced",
                "otel.traces.exporter", "console",
                "otel.exporter.otlp.protocol", "http/protobuf",
                "otel.metrics.exporter", "none",
                "otel.logs.exporter", "none"))
        // It would not wait for the datums that are open when the process is told to end.
        .disableShutdownHook()
        .build()
        .getOpenTelemetrySdk();
  }

  /** A function for people to try: each part of a line, and the header of a call made for it. */
  static void split(List<String> keys, Datum datum, MessageSink sink) {
    for (String part : datum.text().split(",", -1)) {
      sink.emit(part + "  " + headers().get("traceparent"));
    }
  }

  /** What a request to another service takes along, so that the trace goes on there. */
  static Map<String, String> headers() {
    Map<String, String> headers = new HashMap<>();
    W3CTraceContextPropagator.getInstance()
        .inject(Context.current(), headers, (to, name, value) -> headers.put(name, value));
    return headers;
  }
}
