package io.mapstream.server;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.mapstream.MapStreamer;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

/**
 * The engine behind {@link MapStreamServer}, assembled so that a test can inspect it: what is in
 * work, and whether past calls can be collected. A handler's failure is recorded and stops nothing.
 */
public final class OpenServer implements AutoCloseable {

  private final Path socket;
  private final SocketTransport transport;
  private final StreamContext context;
  private final Collection<Throwable> failures = new ConcurrentLinkedQueue<>();
  private final Collection<WeakReference<ServerCall<?, ?>>> calls = new ConcurrentLinkedQueue<>();

  private OpenServer(MapStreamer handler, ServerOptions options) {
    this.socket = options.socketPath();
    this.transport = new SocketTransport(socket, InternalSocketKind.best(), () -> {});
    Counters counters = new Counters();
    this.context =
        StreamContext.builder(handler, options, transport.loop())
            .onRequestSize(transport::sizeReads)
            .counters(counters)
            .failures(
                new Failures(options, counters, (failure, kind) -> failures.add(failure.cause())))
            .build();
  }

  /** A server that accepts connections on {@code options.socketPath()}. */
  public static OpenServer start(MapStreamer handler, ServerOptions options) throws IOException {
    LoggingBridge.install();
    OpenServer server = new OpenServer(handler, options);
    server.transport.makeWay();
    server.transport.listen(
        ServerInterceptors.intercept(
            new MapService(new StreamRegistry(server.context)).definition(), server.new CallLog()),
        server.context.inbound(),
        options.maxMessageSize());
    return server;
  }

  public Path socket() {
    return socket;
  }

  /** The failures of handlers. */
  public Collection<Throwable> failures() {
    return failures;
  }

  /** Datums in work, across all streams. */
  public int inWork() {
    try {
      return CompletableFuture.supplyAsync(() -> context.admission().datums(), transport.loop())
          .get(10, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new AssertionError("the event loop does not answer", e);
    }
  }

  /** Calls opened so far. */
  public int calls() {
    return calls.size();
  }

  /** Calls that something still refers to. */
  public long reachableCalls() {
    return calls.stream().filter(call -> call.get() != null).count();
  }

  @Override
  public void close() throws IOException {
    try {
      transport.close(Duration.ofSeconds(1));
    } catch (InterruptedException e) {
      throw new InterruptedIOException("the test was stopped");
    }
  }

  private final class CallLog implements ServerInterceptor {
    @Override
    public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(
        ServerCall<ReqT, RespT> call, Metadata headers, ServerCallHandler<ReqT, RespT> next) {
      calls.add(new WeakReference<>(call));
      return next.startCall(call, headers);
    }
  }
}
