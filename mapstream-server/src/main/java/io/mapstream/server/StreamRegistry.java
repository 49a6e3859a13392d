package io.mapstream.server;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** The open streams of an engine, which it can end together. Belongs to the event loop. */
final class StreamRegistry {

  private final StreamContext context;
  private final Set<MapStream> streams = new LinkedHashSet<>();

  /** The streams that gRPC has closed and whose handlers have not all returned. */
  private final Set<MapStream> ended = new LinkedHashSet<>();

  private boolean aborting;
  private Runnable onIdle = () -> {};

  StreamRegistry(StreamContext context) {
    this.context = context;
  }

  Limits limits() {
    return context.limits();
  }

  /** Called when a client has opened a stream. */
  MapStream open(ServerCallStreamObserver<Response> client) {
    MapStream stream = new MapStream(context, this, client);
    streams.add(stream);
    context.counters().opened();
    if (isDraining()) {
      stream.abort(stopping());
    }
    return stream;
  }

  /** Called when gRPC has closed a stream; may be called more than once per stream. */
  void closed(MapStream stream) {
    if (streams.remove(stream)) {
      context.counters().closed();
      if (stream.hasHandlers()) {
        ended.add(stream);
      }
      tellIfIdle();
    }
  }

  /** Called when a datum of a stream is no longer in work. */
  void datumReleased(MapStream stream) {
    if (!stream.hasHandlers()) {
      ended.remove(stream);
    }
    tellIfIdle();
  }

  /** Returns whether datums are no longer accepted. */
  boolean isDraining() {
    return context.stopping().get();
  }

  static Status stopping() {
    return Status.UNAVAILABLE.withDescription("the server is stopping");
  }

  /**
   * Stops accepting datums and lets open handlers finish; {@code onIdle} runs once, when everything
   * is sent.
   */
  void drain(Runnable onIdle) {
    context.stopping().set(true);
    this.onIdle = onIdle;
    List.copyOf(streams).forEach(stream -> stream.drain(stopping()));
    tellIfIdle();
  }

  /**
   * Ends all open streams and interrupts their handlers; {@code onIdle} runs once, when everything
   * is sent and no handler is running. Called after {@link #drain}, or instead of it.
   */
  void abort(Runnable onIdle, String reason) {
    context.stopping().set(true);
    aborting = true;
    this.onIdle = onIdle;
    Status status = Status.UNAVAILABLE.withDescription(reason);
    List.copyOf(streams).forEach(stream -> stream.abort(status));
    tellIfIdle();
  }

  private void tellIfIdle() {
    if (streams.isEmpty() && (!aborting || context.admission().datums() == 0)) {
      Runnable told = onIdle;
      onIdle = () -> {};
      told.run();
    }
  }

  /**
   * Returns whether a handler in work matches; {@code otherwise} if the event loop does not answer
   * within the limit. Any thread but the loop's.
   */
  boolean anyHandler(Predicate<HandlerTask> matches, Duration limit, boolean otherwise)
      throws InterruptedException {
    try {
      return CompletableFuture.supplyAsync(
              () ->
                  Stream.concat(streams.stream(), ended.stream())
                      .anyMatch(stream -> stream.anyHandler(matches)),
              context.loop())
          .get(limit.toNanos(), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException | ExecutionException | TimeoutException e) {
      return otherwise;
    }
  }
}
