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
 * Continues the platform's trace: wraps any handler, and creates an OpenTelemetry span for each
 * datum, as a child of the platform's span for the call. The span is current on the handler's
 * thread, so calls that the handler makes with instrumented clients become part of the trace. A
 * datum without a trace starts one; a trace that is not sampled stays that way.
 *
 * <p>It is an example and not part of the library, so functions without tracing do not depend on
 * OpenTelemetry. Copy the class up to and including {@code extract}. {@code docs/tracing.md} lists
 * the dependencies and the settings for a collector.
 *
 * <p>{@code main} serves a function that answers each part of a line together with the header that
 * a call to another service would carry. Spans are logged unless {@code OTEL_TRACES_EXPORTER} and
 * the other variables of OpenTelemetry are set otherwise.
 */
public final class Traced implements MapStreamer {

  private final Tracer tracer;
  private final MapStreamer handler;

  /** Creates a function that runs a handler in a span. */
  public Traced(Tracer tracer, MapStreamer handler) {
    this.tracer = tracer;
    this.handler = handler;
  }

  @Override
  @SuppressWarnings("try") // The scope is never used, only closed.
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

  /** Starts from the root, since a current context could only belong to other work. */
  private static Context extract(Map<String, String> headers) {
    return W3CTraceContextPropagator.getInstance()
        .extract(Context.root(), headers, (from, name) -> from == null ? null : from.get(name));
  }

  /** Serves a traced function until the process is stopped. */
  public static void main(String[] args) throws Exception {
    // Closed after the last datum, so that its span is exported too.
    try (OpenTelemetrySdk telemetry = telemetry()) {
      Tracer tracer = telemetry.getTracer(Traced.class.getPackageName());
      MapStreamServer.run(new Traced(tracer, Traced::split));
    }
  }

  /** The environment overrides these settings. */
  private static OpenTelemetrySdk telemetry() {
    return AutoConfiguredOpenTelemetrySdk.builder()
        .addPropertiesSupplier(() ->
            Map.of(
                "otel.service.name", "traced",
                "otel.traces.exporter", "console",
                "otel.exporter.otlp.protocol", "http/protobuf",
                "otel.metrics.exporter", "none",
                "otel.logs.exporter", "none"))
        // The hook would not wait for the datums that are open when the process is stopped.
        .disableShutdownHook()
        .build()
        .getOpenTelemetrySdk();
  }

  /** A function to try out: emits each part of a line with the header of a call made for it. */
  static void split(List<String> keys, Datum datum, MessageSink sink) {
    for (String part : datum.text().split(",", -1)) {
      sink.emit(part + "  " + headers().get("traceparent"));
    }
  }

  /** Returns the headers for a request to another service, so that the trace continues there. */
  static Map<String, String> headers() {
    Map<String, String> headers = new HashMap<>();
    W3CTraceContextPropagator.getInstance()
        .inject(Context.current(), headers, (to, name, value) -> headers.put(name, value));
    return headers;
  }
}
