package io.mapstream.server;

import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.mapstream.MapStreamer;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The gRPC service {@code map.v1.Map}: readiness, and one {@link MapStream} per call. Knows what
 * all streams share; belongs to the event loop, except where a method says otherwise.
 */
final class MapService {

  /** {@code ReadyResponse{ready: true}}. */
  private static final byte[] READY = {1 << 3, 1};

  private static final String NAME = "map.v1.Map";

  private static final MethodDescriptor<Request, Response> MAP_FN =
      MethodDescriptor.<Request, Response>newBuilder()
          .setType(MethodType.BIDI_STREAMING)
          .setFullMethodName(MethodDescriptor.generateFullMethodName(NAME, "MapFn"))
          .setRequestMarshaller(readOnly(WireMapping::readRequest))
          .setResponseMarshaller(writeOnly(Response::open))
          .build();

  private static final MethodDescriptor<Boolean, byte[]> IS_READY =
      MethodDescriptor.<Boolean, byte[]>newBuilder()
          .setType(MethodType.UNARY)
          .setFullMethodName(MethodDescriptor.generateFullMethodName(NAME, "IsReady"))
          .setRequestMarshaller(readOnly(empty -> true))
          .setResponseMarshaller(writeOnly(ByteArrayInputStream::new))
          .build();

  private static final Logger log = LoggerFactory.getLogger(MapService.class);

  private final MapStreamer handler;
  private final ServerOptions options;
  private final Executor loop;
  private final IntConsumer onRequestSize;
  private final Consumer<HandlerFailure> onFailure;
  private final Consumer<HandlerFailure> onLateFailure;
  private final Admission admission;
  private final ResponseWriter.Limits limits;
  private final @Nullable SlowHandlers slow;
  private final Counters counters;
  private final Set<MapStream> streams = new LinkedHashSet<>();
  private StartQueue starts;
  private HandlerTask.Threads threads = HandlerTask.Threads::virtual;
  private boolean draining;
  private boolean aborting;
  private Runnable onQuiet = () -> {};

  /**
   * A service that is not bound yet.
   *
   * @param loop the event loop on which gRPC calls back
   * @param onRequestSize told of the encoded bytes of each datum that comes; on the loop
   * @param counters where all that happens is counted
   * @param onFailure told of a handler's failure that is to stop the server; on any thread
   * @param onLateFailure told of a handler's failure after the end of its stream; on any thread
   */
  MapService(
      MapStreamer handler,
      ServerOptions options,
      Executor loop,
      IntConsumer onRequestSize,
      Counters counters,
      Consumer<HandlerFailure> onFailure,
      Consumer<HandlerFailure> onLateFailure) {
    this.handler = handler;
    this.options = options;
    this.loop = loop;
    this.onRequestSize = onRequestSize;
    this.counters = counters;
    this.onFailure = onFailure;
    this.onLateFailure = onLateFailure;
    this.admission = new Admission(options.maxConcurrency(), Tuning.bytesInWork());
    this.limits = new ResponseWriter.Limits(Tuning.pendingBytes(), options.maxMessageSize());
    this.starts = new StartQueue(loop, System::nanoTime);
    this.slow = slowHandlers(options.slowHandlerWarning(), loop);
  }

  private static @Nullable SlowHandlers slowHandlers(Duration limit, Executor loop) {
    return limit.isZero()
        ? null
        : new SlowHandlers(
            limit,
            (nanos, look) ->
                CompletableFuture.delayedExecutor(nanos, TimeUnit.NANOSECONDS, loop).execute(look),
            System::nanoTime,
            new SlowHandlerWarning(limit)::of);
  }

  ServerServiceDefinition bind() {
    return ServerServiceDefinition.builder(NAME)
        .addMethod(
            MAP_FN,
            ServerCalls.asyncBidiStreamingCall(
                client -> open((ServerCallStreamObserver<Response>) client)))
        .addMethod(
            IS_READY,
            ServerCalls.asyncUnaryCall((empty, client) -> {
              if (draining) {
                client.onError(stopping().asRuntimeException());
              } else {
                client.onNext(READY);
                client.onCompleted();
              }
            }))
        .build();
  }

  private MapStream open(ServerCallStreamObserver<Response> client) {
    MapStream stream = new MapStream(this, client);
    streams.add(stream);
    counters.opened();
    if (draining) {
      stream.abort(stopping());
    }
    return stream;
  }

  void arrived(Request.Data datum) {
    onRequestSize.accept(datum.size());
  }

  void closed(MapStream stream) {
    if (streams.remove(stream)) {
      counters.closed();
      tellIfQuiet();
    }
  }

  /** A datum is in work no more. */
  void released(HandlerTask task) {
    if (task.hasRun()) {
      counters.released(task.nanos());
    } else {
      counters.released();
    }
    if (slow != null) {
      slow.left(task);
    }
    tellIfQuiet();
  }

  private void tellIfQuiet() {
    if (streams.isEmpty() && (!aborting || admission.datums() == 0)) {
      Runnable told = onQuiet;
      onQuiet = () -> {};
      told.run();
    }
  }

  private static Status stopping() {
    return Status.UNAVAILABLE.withDescription("the server is stopping");
  }

  /**
   * Accepts no new datum, lets open handlers finish; {@code onQuiet} runs, once, when all is sent.
   */
  void drain(Runnable onQuiet) {
    draining = true;
    this.onQuiet = onQuiet;
    List.copyOf(streams).forEach(stream -> stream.drain(stopping()));
    tellIfQuiet();
  }

  /**
   * Ends what is open, handlers interrupted; {@code onQuiet} runs, once, when all is sent and no
   * handler runs any more. Follows {@link #drain}, or takes its place.
   */
  void abort(Runnable onQuiet, String reason) {
    draining = true;
    aborting = true;
    this.onQuiet = onQuiet;
    Status status = Status.UNAVAILABLE.withDescription(reason);
    List.copyOf(streams).forEach(stream -> stream.abort(status));
    tellIfQuiet();
  }

  /** Whether {@code thread} runs a handler. */
  boolean isHandler(Thread thread) {
    return streams.stream().anyMatch(stream -> stream.isHandler(thread));
  }

  /** Starts a task soon. */
  void start(HandlerTask task) {
    if (slow != null) {
      slow.started(task);
    }
    starts.add(task);
  }

  // What streams share.

  MapStreamer handler() {
    return handler;
  }

  HandlerTask.Threads threads() {
    return threads;
  }

  /** For a test that decides which thread runs when; before the first stream opens. */
  void handleOn(HandlerTask.Threads threads, LongSupplier clock) {
    this.threads = threads;
    this.starts = new StartQueue(loop, clock);
  }

  Executor loop() {
    return loop;
  }

  Admission admission() {
    return admission;
  }

  ResponseWriter.Limits limits() {
    return limits;
  }

  int readyThreshold() {
    return Tuning.READY_THRESHOLD;
  }

  Counters counters() {
    return counters;
  }

  /** Whether handlers find their datum's id in the MDC. Any thread. */
  boolean namesDatumsInLog() {
    return options.datumIdInMdc();
  }

  /** Whether this failure concerns its datum alone, by the error policy. Any thread. */
  boolean isAnsweredWithFail(Throwable failure) {
    return options.errorPolicy() == ServerOptions.ErrorPolicy.FAIL
        && (failure instanceof Exception || failure instanceof StackOverflowError);
  }

  /** A handler's failure was answered with the fail mark. Any thread. */
  void failedAlone(HandlerTask task, Throwable failure) {
    log.warn(
        "the handler failed on datum \"{}\", answered with the fail mark",
        task.id(),
        failure(task, failure).printable());
  }

  /** What a handler threw, as the platform is to see it. Any thread. */
  HandlerFailure failure(HandlerTask task, Throwable cause) {
    return new HandlerFailure(task.id(), cause, options.containerType());
  }

  /** A handler's failure ends the server. Any thread. */
  void failed(HandlerFailure failure) {
    counters.failed(FailureKind.HANDLER_STOPPED_SERVER);
    onFailure.accept(failure);
  }

  /**
   * A handler failed whose stream had ended: kept with the failure that stops the server, if any.
   */
  void failedLate(HandlerFailure failure) {
    counters.failed(FailureKind.HANDLER_LATE);
    onLateFailure.accept(failure);
  }

  private static <T> MethodDescriptor.Marshaller<T> readOnly(Function<InputStream, T> parse) {
    return new OneWay<>(
        parse,
        value -> {
          throw new UnsupportedOperationException("a server reads requests");
        });
  }

  private static <T> MethodDescriptor.Marshaller<T> writeOnly(Function<T, InputStream> stream) {
    return new OneWay<>(
        bytes -> {
          throw new UnsupportedOperationException("a server writes responses");
        },
        stream);
  }

  /** A marshaller for the one direction that a server needs. */
  private record OneWay<T>(Function<InputStream, T> reader, Function<T, InputStream> writer)
      implements MethodDescriptor.Marshaller<T> {
    @Override
    public InputStream stream(T value) {
      return writer.apply(value);
    }

    @Override
    public T parse(InputStream stream) {
      return reader.apply(stream);
    }
  }
}
