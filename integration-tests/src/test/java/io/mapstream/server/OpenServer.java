package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The engine behind {@link MapStreamServer} with a {@link ScriptedHandler}, assembled so that a
 * test can inspect it: what is in work, and whether past calls can be collected. A handler's
 * failure is recorded and stops nothing.
 */
final class OpenServer extends ServerFixture {

  private final ScriptedHandler handler = new ScriptedHandler();
  private final SocketTransport transport =
      new SocketTransport(socket(), InternalSocketKind.best(), () -> {});
  private final StreamContext context;
  private final Collection<Throwable> failures = new ConcurrentLinkedQueue<>();
  private final Collection<WeakReference<ServerCall<?, ?>>> calls = new ConcurrentLinkedQueue<>();

  /** A server that accepts connections. */
  OpenServer(Consumer<MapStreamServerBuilder> settings) throws IOException {
    LoggingBridge.install();
    MapStreamServerBuilder builder = MapStreamServer.builder(handler).socketPath(socket());
    settings.accept(builder);
    ServerOptions options = builder.build().options();
    Counters counters = new Counters();
    context =
        StreamContext.builder(handler, options, transport.loop())
            .onRequestSize(transport::sizeReads)
            .counters(counters)
            .failures(
                new Failures(options, counters, (failure, kind) -> failures.add(failure.cause())))
            .build();
    transport.makeWay();
    transport.listen(
        ServerInterceptors.intercept(
            new MapService(new StreamRegistry(context)).definition(), new CallLog()),
        context.inbound(),
        options.maxMessageSize());
  }

  ScriptedHandler handler() {
    return handler;
  }

  /** Datums in work, across all streams. */
  int inWork() {
    try {
      return CompletableFuture.supplyAsync(() -> context.admission().datums(), transport.loop())
          .get(10, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new AssertionError("the event loop does not answer", e);
    }
  }

  /** Waits until nothing is in work; no handler may have failed, except on purpose. */
  void verifyIdle() {
    Waits.until("no handlers", handler.running()::isEmpty, handler::running);
    Waits.until("nothing is in work", () -> inWork() == 0, this::inWork);
    // A handler that throws on purpose may do so after its stream has ended; that is also reported.
    failures.removeIf(ScriptedHandler.OnPurpose.class::isInstance);
    assertEquals(List.of(), List.copyOf(failures), "handlers failed");
  }

  /** Waits until nothing refers to past datums and calls. */
  void verifyCollected() {
    Waits.untilCollected(
        "datums and calls can be collected",
        () -> handler.reachableDatums() == 0 && reachableCalls() == 0,
        () -> handler.reachableDatums() + " datums, " + reachableCalls() + " calls");
  }

  private long reachableCalls() {
    return calls.stream().filter(call -> call.get() != null).count();
  }

  @Override
  void end() {
    try {
      transport.close(Duration.ofSeconds(1));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new AssertionError("the test was stopped", e);
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
