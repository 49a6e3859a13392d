package io.mapstream.testkit.cli;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.mapstream.Datum;
import io.mapstream.proto.map.v1.Handshake;
import io.mapstream.proto.map.v1.MapGrpc;
import io.mapstream.proto.map.v1.MapRequest;
import io.mapstream.proto.map.v1.MapResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A stream that sends what it is told, also what no client should, and keeps what comes as it came.
 * For one thread.
 */
final class RawStream implements AutoCloseable {

  /** What came: a response, or the end of the stream. */
  private sealed interface Event {
    record Response(MapResponse response) implements Event {}

    record Closed(Status status) implements Event {}
  }

  private final ClientCall<MapRequest, MapResponse> call;
  private final Duration patience;
  private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();

  private final List<MapResponse> responses = new ArrayList<>();
  private @Nullable Status status;

  RawStream(Channel channel, Duration patience) {
    this.patience = patience;
    this.call = channel.newCall(MapGrpc.getMapFnMethod(), CallOptions.DEFAULT);
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onMessage(MapResponse response) {
            events.add(new Event.Response(response));
          }

          @Override
          public void onClose(Status closed, Metadata trailers) {
            events.add(new Event.Closed(closed));
          }
        },
        new Metadata());
  }

  static MapRequest handshake(boolean sot) {
    return MapRequest.newBuilder().setHandshake(Handshake.newBuilder().setSot(sot)).build();
  }

  static MapRequest request(String id, Datum datum) {
    return MapRequest.newBuilder()
        .setId(id)
        .setRequest(
            MapRequest.Request.newBuilder()
                .addAllKeys(datum.keys())
                .setValue(ByteString.copyFrom(datum.value()))
                .setEventTime(timestamp(datum.eventTime()))
                .setWatermark(timestamp(datum.watermark()))
                .putAllHeaders(datum.headers()))
        .build();
  }

  private static Timestamp timestamp(Instant time) {
    return Timestamp.newBuilder()
        .setSeconds(time.getEpochSecond())
        .setNanos(time.getNano())
        .build();
  }

  /** Reads all that comes, from now on; before this is called, nothing is read. */
  RawStream reading() {
    call.request(Integer.MAX_VALUE);
    return this;
  }

  /** Reads one response and no more. */
  RawStream readingOne() {
    call.request(1);
    return this;
  }

  RawStream send(MapRequest request) {
    call.sendMessage(request);
    return this;
  }

  RawStream halfClose() {
    call.halfClose();
    return this;
  }

  void cancel() {
    call.cancel("cancelled by the check", null);
  }

  @Override
  public void close() {
    cancel();
  }

  /**
   * Reads until all responses so far satisfy a condition, the stream has ended, or nothing came for
   * too long.
   *
   * @return whether the condition holds
   */
  boolean await(Predicate<List<MapResponse>> condition) throws InterruptedException {
    while (!condition.test(responses)) {
      if (status != null) {
        return false;
      }
      switch (events.poll(patience.toNanos(), TimeUnit.NANOSECONDS)) {
        case null -> {
          return false;
        }
        case Event.Response response -> responses.add(response.response());
        case Event.Closed closed -> status = closed.status();
      }
    }
    return true;
  }

  /** Reads until the stream has ended, or nothing came for too long. */
  boolean awaitEnd() throws InterruptedException {
    await(any -> false);
    return status != null;
  }

  /** What has been read, the handshake included. */
  List<MapResponse> responses() {
    return responses;
  }

  /** How the stream ended, if it has. */
  @Nullable Status status() {
    return status;
  }

  /** The end of the stream in words. */
  String end() {
    if (status == null) {
      return "the stream is still open after " + patience.toMillis() + " ms without a response";
    }
    return "the stream ended with "
        + status.getCode()
        + (status.getDescription() == null ? "" : ": " + status.getDescription())
        + (status.getCause() == null ? "" : " (" + status.getCause().getMessage() + ")");
  }
}
