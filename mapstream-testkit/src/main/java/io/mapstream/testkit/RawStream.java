package io.mapstream.testkit;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.mapstream.Datum;
import io.mapstream.proto.Codec;
import io.mapstream.proto.Durations;
import io.mapstream.proto.StreamRules;
import io.mapstream.proto.map.v1.MapGrpc;
import io.mapstream.proto.map.v1.MapRequest;
import io.mapstream.proto.map.v1.MapResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A {@code MapFn} stream for tests of servers. It sends what it is told, also what no client should
 * send, and nothing by itself, not even the handshake. It keeps the responses as they come, and
 * collects what they do against the {@linkplain #faults() rules} instead of ending at the first.
 *
 * <p>Its requests and responses are the generated classes of {@code mapstream-proto}, which may
 * change with each release. A test of a handler needs {@link ClientStream} and not this class.
 *
 * <p>For one thread.
 */
public final class RawStream implements AutoCloseable {

  /** What came: a response, or the end of the stream. */
  private sealed interface Event {
    record Response(MapResponse response) implements Event {}

    record Closed(StreamStatus status) implements Event {}
  }

  private final ClientCall<MapRequest, MapResponse> call;
  private final Duration patience;
  private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private final StreamRules rules = new StreamRules();
  private final List<StreamRules.Fault> faults = new ArrayList<>();
  private final List<MapResponse> responses = new ArrayList<>();
  private int eots;
  private @Nullable StreamStatus status;

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
            events.add(new Event.Closed(StreamStatus.of(closed, trailers)));
          }
        },
        new Metadata());
  }

  /**
   * Asks for responses; before this is called, none is read.
   *
   * @param most how many, at least 1
   * @return this stream
   */
  public RawStream read(int most) {
    call.request(most);
    return this;
  }

  /**
   * Sends a request as it is.
   *
   * @param request any
   * @return this stream
   */
  public RawStream send(MapRequest request) {
    if (request.hasRequest()) {
      rules.sent(request.getId());
    }
    call.sendMessage(request);
    return this;
  }

  /**
   * Sends a datum.
   *
   * @param id its id, which may be in use
   * @param datum the datum
   * @return this stream
   */
  public RawStream send(String id, Datum datum) {
    return send(Codec.request(id, datum));
  }

  /** Sends nothing more. */
  public void halfClose() {
    call.halfClose();
  }

  /** Cancels the stream. */
  @Override
  public void close() {
    call.cancel("cancelled by the test", null);
  }

  /**
   * Reads until something is reached, the stream has ended, or nothing came for as long as the
   * client's timeout.
   *
   * @param reached asked after each response
   * @return whether it is reached
   * @throws InterruptedException if the thread was interrupted
   */
  public boolean await(BooleanSupplier reached) throws InterruptedException {
    while (!reached.getAsBoolean()) {
      if (status != null) {
        return false;
      }
      switch (events.poll(patience.toNanos(), TimeUnit.NANOSECONDS)) {
        case null -> {
          return false;
        }
        case Event.Response response -> received(response.response());
        case Event.Closed closed -> closed(closed.status());
      }
    }
    return true;
  }

  private void received(MapResponse response) {
    responses.add(response);
    faults.addAll(rules.received(response));
    eots += response.getStatus().getEot() ? 1 : 0;
  }

  private void closed(StreamStatus how) {
    status = how;
    if (how.isOk()) {
      faults.addAll(rules.closedWithOk());
    }
  }

  /**
   * Reads until the stream has ended, or nothing came for as long as the client's timeout.
   *
   * @return whether it has ended
   * @throws InterruptedException if the thread was interrupted
   */
  public boolean awaitEnd() throws InterruptedException {
    return await(() -> status != null);
  }

  /** {@return what has been read, the handshake included} */
  public List<MapResponse> responses() {
    return responses;
  }

  /** {@return how many EOTs have been read} */
  public int eots() {
    return eots;
  }

  /** {@return what the server did against the protocol} */
  public List<StreamRules.Fault> faults() {
    return faults;
  }

  /** {@return the ids that were sent and have no EOT} */
  public Set<String> unanswered() {
    return rules.unanswered();
  }

  /** {@return how the stream ended, if that was read} */
  public Optional<StreamStatus> status() {
    return Optional.ofNullable(status);
  }

  /** {@return whether the stream has ended with OK} */
  public boolean isOk() {
    return status != null && status.isOk();
  }

  /** {@return the end of the stream in words} */
  @Override
  public String toString() {
    return status == null
        ? "the stream is still open after " + Durations.text(patience) + " without a response"
        : "the stream ended with " + status;
  }
}
