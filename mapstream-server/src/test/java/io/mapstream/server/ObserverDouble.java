package io.mapstream.server;

import io.grpc.stub.ServerCallStreamObserver;
import io.mapstream.proto.map.v1.MapResponse;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * gRPC's side of a stream, played by a test: it decides about readiness and goodbyes, and keeps
 * what it is given. Belongs to one thread, as the real one does.
 */
class ObserverDouble extends ServerCallStreamObserver<Response> {

  final List<MapResponse> responses = new ArrayList<>();
  boolean ready = true;
  boolean ended;
  Throwable error;
  int requested;
  Runnable onReady = () -> {};
  Runnable onCancel = () -> {};
  Runnable onClose = () -> {};

  @Override
  public void onNext(Response response) {
    if (ended) {
      throw new AssertionError("written after the end");
    }
    try {
      responses.add(MapResponse.parseFrom(response.open()));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void onError(Throwable t) {
    error = t;
    end();
  }

  @Override
  public void onCompleted() {
    end();
  }

  private void end() {
    if (ended) {
      throw new AssertionError("a second end");
    }
    ended = true;
  }

  @Override
  public boolean isReady() {
    return ready && !ended;
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
  public void setOnReadyHandler(Runnable handler) {
    onReady = handler;
  }

  @Override
  public void setOnCancelHandler(Runnable handler) {
    onCancel = handler;
  }

  @Override
  public void setOnCloseHandler(Runnable handler) {
    onClose = handler;
  }

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
