package io.mapstream.server;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.mapstream.proto.map.v1.MapResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.stream.Collectors;

/**
 * gRPC's side of a stream in a test without gRPC: it records what is written, and the test decides
 * how many responses it is ready for. With {@link #loop()} it also has an event loop that runs on
 * request. For one thread only, except {@link #loop()}.
 */
class FakeObserver extends ServerCallStreamObserver<Response> {

  private final List<MapResponse> responses = new ArrayList<>();
  private final Queue<Runnable> loop = new ConcurrentLinkedQueue<>();
  private int readyFor = Integer.MAX_VALUE;
  private Status end;
  private int requested;
  private Runnable onClose = () -> {};
  private Runnable onReady = () -> {};

  /** An event loop that keeps its tasks until {@link #runLoop}. */
  Executor loop() {
    return loop::add;
  }

  /** Tasks that were given to the loop since its last run. */
  int due() {
    return loop.size();
  }

  /** Runs the tasks of the loop, including those that they add. */
  void runLoop() {
    for (Runnable task = loop.poll(); task != null; task = loop.poll()) {
      task.run();
    }
  }

  /** From now on, accepts this many responses. */
  FakeObserver readyFor(int count) {
    readyFor = count;
    return this;
  }

  /** From now on, accepts everything, and says so. */
  void becomeReady() {
    readyFor = Integer.MAX_VALUE;
    onReady.run();
  }

  /** How many requests the stream has asked for. */
  int requested() {
    return requested;
  }

  /** Closes the call as gRPC itself does after an Error while a message is read. */
  void closeByGrpc() {
    onClose.run();
  }

  List<MapResponse> responses() {
    return responses;
  }

  /** The responses since the last call, in short: {@code a:x,y} for results, {@code a.} for EOT. */
  List<String> taken() {
    List<String> taken = responses.stream().map(FakeObserver::shown).toList();
    responses.clear();
    return taken;
  }

  private static String shown(MapResponse response) {
    String results =
        response.getResultsList().stream()
            .map(result -> result.getValue().toStringUtf8())
            .collect(Collectors.joining(","));
    return response.hasHandshake()
        ? "handshake"
        : response.getId() + (response.hasStatus() ? "." : ":") + results;
  }

  /** How the stream ended for the client, or null. */
  Status end() {
    return end;
  }

  @Override
  public boolean isReady() {
    return readyFor > 0 && end == null;
  }

  @Override
  public void onNext(Response response) {
    countWrite();
    try (var bytes = response.open()) {
      MapResponse parsed = MapResponse.parseFrom(bytes);
      if (parsed.getSerializedSize() != response.size()) {
        throw new IllegalStateException(response.size() + " bytes were announced");
      }
      responses.add(parsed);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Counts a response that the test reads itself. */
  final void countWrite() {
    if (end != null) {
      throw new AssertionError("a response after the end");
    }
    readyFor--;
  }

  @Override
  public void onError(Throwable t) {
    finish(Status.fromThrowable(t));
  }

  @Override
  public void onCompleted() {
    finish(Status.OK);
  }

  private void finish(Status status) {
    if (end != null) {
      throw new AssertionError("a second end: " + status);
    }
    end = status;
  }

  @Override
  public boolean isCancelled() {
    return false;
  }

  @Override
  public void request(int count) {
    requested += count;
  }

  @Override
  public void setOnCloseHandler(Runnable handler) {
    onClose = handler;
  }

  @Override
  public void setOnReadyHandler(Runnable handler) {
    onReady = handler;
  }

  @Override
  public void setOnCancelHandler(Runnable handler) {}

  @Override
  public void setOnReadyThreshold(int bytes) {}

  @Override
  public void disableAutoInboundFlowControl() {}

  @Override
  public void disableAutoRequest() {}

  @Override
  public void setCompression(String compression) {}

  @Override
  public void setMessageCompression(boolean enable) {}
}
