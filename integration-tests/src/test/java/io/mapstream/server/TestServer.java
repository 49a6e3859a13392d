package io.mapstream.server;

import io.mapstream.MapStreamer;
import io.mapstream.testkit.MapStreamClient;
import io.mapstream.testkit.StreamStatus;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** A server in the test's process, on a real Unix socket. */
final class TestServer extends ServerFixture {

  private final InternalSocketKind kind;
  private Consumer<MapStreamServerBuilder> options = options -> {};
  private MapStreamServer server;

  TestServer(InternalSocketKind kind) {
    this.kind = kind;
  }

  TestServer() {
    this(InternalSocketKind.best());
  }

  /** Changes settings; called before the server is built. */
  TestServer with(Consumer<MapStreamServerBuilder> settings) {
    options = settings;
    return this;
  }

  /** Builds a server and starts it. */
  void start(MapStreamer handler) throws IOException {
    build(handler);
    start();
  }

  /** Starts the server that was built. */
  void start() throws IOException {
    server.start(kind);
  }

  TestServer build(MapStreamer handler) {
    MapStreamServerBuilder builder =
        MapStreamServer.builder(handler)
            .socketPath(socket())
            .serverInfoFile(info())
            .shutdownGrace(Duration.ofSeconds(20));
    options.accept(builder);
    server = builder.build();
    return this;
  }

  MapStreamServer server() {
    return server;
  }

  ServerMetrics metrics() {
    return server.metrics();
  }

  /** The failures, without the kinds that did not occur. */
  Map<FailureKind, Long> failures() {
    Map<FailureKind, Long> occurred = new HashMap<>(metrics().failures());
    occurred.values().removeIf(count -> count == 0);
    return occurred;
  }

  /** Waits until {@code state} holds, and returns the metrics. */
  ServerMetrics await(String expected, Predicate<ServerMetrics> state) {
    Waits.until(expected, () -> state.test(metrics()), this::metrics);
    return metrics();
  }

  /** Whether the server has stopped; throws what a handler threw, if that stopped it. */
  boolean hasStopped() throws Exception {
    return server.awaitTermination(Duration.ZERO);
  }

  /** Closes the server on a separate thread. */
  Future<Void> closing() {
    return Waits.inBackground(server::close);
  }

  /** Closes the server and waits for it. */
  void stop() throws InterruptedException {
    Waits.get(closing());
  }

  /** Queries readiness until that is refused, which happens once a stop has begun. */
  static StreamStatus awaitRefusal(MapStreamClient client) throws InterruptedException {
    long deadline = System.nanoTime() + Waits.LIMIT.toNanos();
    StreamStatus answer = client.readiness();
    while (Set.of("OK", "DEADLINE_EXCEEDED").contains(answer.code())) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("still ready after " + Waits.LIMIT);
      }
      answer = client.readiness();
    }
    return answer;
  }

  @Override
  void end() {
    if (server != null) {
      try {
        stop();
      } catch (InterruptedException e) {
        throw new AssertionError("interrupted while the server was closing", e);
      }
    }
  }
}
