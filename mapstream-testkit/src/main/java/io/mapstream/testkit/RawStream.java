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
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A {@code MapFn} stream for testing servers. It sends any request, even one that a client must not
 * send, and nothing automatically, not even the handshake. It keeps the responses as they arrive,
 * or passes them to a receiver, and collects their {@linkplain #faults() protocol faults} instead
 * of ending at the first.
 *
 * <p>Its requests, responses and faults are classes of {@code mapstream-proto}, which may change in
 * any release; the promise of compatibility does not cover the methods that use them. To test a
 * handler, use {@link ClientStream} instead.
 *
 * <p>All methods may be called from any thread. Only {@link #await} and {@link #awaitEnd} wait:
 * requests that the connection does not accept yet are queued (see {@link #isReady()}).
 */
public final class RawStream implements AutoCloseable {

  private final ClientCall<MapRequest, MapResponse> call;
  private final Duration patience;

  /** Receives the responses; null if they are kept here. */
  private final @Nullable Consumer<MapResponse> receiver;

  /** Guards everything below, and what the call sends and requests. */
  private final InternalGuard guard = new InternalGuard();

  private final StreamRules rules = new StreamRules();
  private final List<StreamRules.Fault> faults = new ArrayList<>();
  private final List<MapResponse> responses = new ArrayList<>();
  private int eots;
  private @Nullable StreamStatus status;

  RawStream(Channel channel, Duration patience, @Nullable Consumer<MapResponse> receiver) {
    this.patience = patience;
    this.receiver = receiver;
    this.call = channel.newCall(MapGrpc.getMapFnMethod(), CallOptions.DEFAULT);
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onMessage(MapResponse response) {
            if (receiver != null) {
              receiver.accept(response);
            }
            guard.update(() -> received(response));
          }

          @Override
          public void onClose(Status closed, Metadata trailers) {
            guard.update(() -> closed(StreamStatus.of(closed, trailers)));
          }
        },
        new Metadata());
  }

  /**
   * Requests responses and does not wait for them. No response is read before this is called.
   *
   * @param most the largest number of responses to read, at least 1
   * @return this stream
   * @throws IllegalArgumentException if it is less than 1
   */
  public RawStream read(int most) {
    Arguments.atLeastOne("most", most);
    guard.run(() -> call.request(most));
    return this;
  }

  /**
   * Sends a request as it is. Does nothing if the server has ended the stream.
   *
   * @param request any request
   * @return this stream
   * @throws IllegalStateException after {@link #halfClose()} or {@link #close()}; gRPC's own
   */
  public RawStream send(MapRequest request) {
    Objects.requireNonNull(request, "request");
    guard.run(() -> {
      if (request.hasRequest()) {
        rules.sent(request.getId());
      }
      call.sendMessage(request);
    });
    return this;
  }

  /**
   * Sends a datum as {@link #send(MapRequest)} does.
   *
   * @param id its id, which may already be in use
   * @param datum the datum
   * @return this stream
   */
  public RawStream send(String id, Datum datum) {
    return send(
        Codec.request(Objects.requireNonNull(id, "id"), Objects.requireNonNull(datum, "datum")));
  }

  /** {@return whether the connection accepts more now; otherwise requests are queued} */
  public boolean isReady() {
    return call.isReady();
  }

  /**
   * Half-closes the stream: no more requests follow.
   *
   * @throws IllegalStateException after {@code halfClose()} or {@link #close()}; gRPC's own
   */
  public void halfClose() {
    guard.run(call::halfClose);
  }

  /**
   * Cancels the stream unless it has ended, and does not wait. Calls of {@link #await} return soon
   * afterwards. A second call does nothing.
   */
  @Override
  public void close() {
    call.cancel("cancelled by the test", null);
  }

  /**
   * Waits until a condition holds, the stream has ended, or no response arrived for the client's
   * timeout. An interruption ends the wait.
   *
   * @param reached the condition, checked after each response. It is called with this stream's lock
   *     held, so it must not block; it may call this stream's other methods.
   * @return whether the condition holds
   * @throws InterruptedException if the thread was interrupted
   */
  public boolean await(BooleanSupplier reached) throws InterruptedException {
    Objects.requireNonNull(reached, "reached");
    guard.awaitWhileChanging(patience, () -> reached.getAsBoolean() || status != null);
    return guard.get(reached::getAsBoolean);
  }

  private void received(MapResponse response) {
    List<StreamRules.Fault> seen = rules.received(response);
    faults.addAll(seen);
    boolean known = seen.stream().noneMatch(fault -> fault.rule() == StreamRules.Rule.KNOWN_ID);
    eots += known && response.getStatus().getEot() ? 1 : 0;
    if (receiver == null) {
      responses.add(response);
    }
  }

  private void closed(StreamStatus how) {
    status = how;
    if (how.isOk()) {
      faults.addAll(rules.closedWithOk());
    }
  }

  /**
   * Waits until the stream has ended, or no response arrived for the client's timeout. An
   * interruption ends the wait.
   *
   * @return whether it has ended
   * @throws InterruptedException if the thread was interrupted
   */
  public boolean awaitEnd() throws InterruptedException {
    return await(() -> status != null);
  }

  /** {@return the responses so far, including the handshake; empty if there is a receiver} */
  public List<MapResponse> responses() {
    return guard.get(() -> List.copyOf(responses));
  }

  /** {@return how many EOTs have arrived for datums that were sent} */
  public int eots() {
    return guard.get(() -> eots);
  }

  /** {@return the server's violations of the protocol} */
  public List<StreamRules.Fault> faults() {
    return guard.get(() -> List.copyOf(faults));
  }

  /** {@return the ids that were sent and have no EOT} */
  public Set<String> unanswered() {
    return guard.get(rules::unanswered);
  }

  /** {@return how the stream ended, if it has} */
  public Optional<StreamStatus> status() {
    return guard.get(() -> Optional.ofNullable(status));
  }

  /** {@return whether the stream has ended with OK} */
  public boolean isOk() {
    return status().map(StreamStatus::isOk).orElse(false);
  }

  /** {@return a description of how the stream ended} */
  @Override
  public String toString() {
    return status()
        .map(how -> "the stream ended with " + how)
        .orElse(
            "the stream is still open after " + Durations.text(patience) + " without a response");
  }
}
