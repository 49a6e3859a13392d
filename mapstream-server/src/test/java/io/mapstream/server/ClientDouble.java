package io.mapstream.server;

import io.grpc.Status;
import io.grpc.stub.CallStreamObserver;
import io.mapstream.proto.map.v1.MapResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;

/**
 * A response observer whose readiness the test controls, and an event loop that runs when the test
 * says so.
 */
final class ClientDouble extends CallStreamObserver<Response> {

  private final List<MapResponse> responses = new ArrayList<>();
  private final Queue<Runnable> loop = new ConcurrentLinkedQueue<>();
  private int readyFor = Integer.MAX_VALUE;
  private Status end;

  Executor loop() {
    return loop::add;
  }

  /** Tasks that the loop was given since it ran last. */
  int due() {
    return loop.size();
  }

  /** Runs what the loop was given, and what that gives it. */
  void runLoop() {
    for (Runnable task = loop.poll(); task != null; task = loop.poll()) {
      task.run();
    }
  }

  /** From now on ready for so many responses. */
  ClientDouble readyFor(int responses) {
    readyFor = responses;
    return this;
  }

  List<MapResponse> responses() {
    return responses;
  }

  /** The responses since the last call, in short: {@code a:x,y} for results, {@code a.} for EOT. */
  List<String> taken() {
    List<String> taken = new ArrayList<>();
    for (MapResponse response : responses) {
      String results =
          String.join(
              ",",
              response.getResultsList().stream().map(r -> r.getValue().toStringUtf8()).toList());
      if (response.hasHandshake()) {
        taken.add("handshake");
      } else if (response.hasStatus()) {
        taken.add(response.getId() + "." + results);
      } else {
        taken.add(response.getId() + ":" + results);
      }
    }
    responses.clear();
    return taken;
  }

  Status end() {
    return end;
  }

  @Override
  public boolean isReady() {
    return readyFor > 0;
  }

  @Override
  public void onNext(Response response) {
    if (end != null) {
      throw new IllegalStateException("a response after the end");
    }
    readyFor--;
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
      throw new IllegalStateException("a second end: " + status);
    }
    end = status;
  }

  @Override
  public void setOnReadyHandler(Runnable handler) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void disableAutoInboundFlowControl() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void request(int count) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void setMessageCompression(boolean enable) {
    throw new UnsupportedOperationException();
  }
}
