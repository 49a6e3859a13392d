package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.mapstream.proto.Codec;
import io.mapstream.proto.map.v1.MapRequest;
import io.mapstream.proto.map.v1.MapResponse;
import io.mapstream.testkit.RawStream;
import io.mapstream.testkit.StreamStatus;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/**
 * One {@code MapFn} stream, with what was received for each id. Every wait fails when the server
 * breaks a rule of the stream, at the end of the stream, and at a time limit.
 */
final class Call {

  private final RawStream stream;
  private final Map<String, Received> received = new ConcurrentHashMap<>();
  private final List<MapResponse> echoes = new CopyOnWriteArrayList<>();
  private final AtomicInteger responses = new AtomicInteger();

  /** What was received for one id, for all its datums together. */
  static final class Received {
    private final List<MapResponse.Result> results =
        Collections.synchronizedList(new java.util.ArrayList<>());
    private final AtomicInteger sent = new AtomicInteger();
    private final AtomicInteger eots = new AtomicInteger();
    private final AtomicInteger responses = new AtomicInteger();
    private final AtomicInteger largest = new AtomicInteger();

    List<MapResponse.Result> results() {
      return List.copyOf(results);
    }

    List<String> texts() {
      return results().stream().map(result -> result.getValue().toStringUtf8()).toList();
    }

    int eots() {
      return eots.get();
    }

    /** Responses that carried results. */
    int responses() {
      return responses.get();
    }

    /** Bytes of the largest response. */
    int largest() {
      return largest.get();
    }

    @Override
    public String toString() {
      return results.size() + " results, " + eots + " of " + sent + " EOTs";
    }
  }

  Call(WireClient client, int responsesToRead) {
    stream = client.client().openRawStream(this::take).read(responsesToRead);
  }

  /** Called on the client's event loop. */
  private void take(MapResponse response) {
    responses.incrementAndGet();
    Received id = received.get(response.getId());
    if (response.hasHandshake()) {
      echoes.add(response);
    } else if (id != null && response.getStatus().getEot()) {
      id.eots.incrementAndGet();
    } else if (id != null) {
      id.responses.incrementAndGet();
      id.largest.accumulateAndGet(response.getSerializedSize(), Math::max);
      id.results.addAll(response.getResultsList());
    }
  }

  // What the client does.

  Call send(MapRequest request) {
    if (!request.getId().isEmpty()) {
      received.computeIfAbsent(request.getId(), id -> new Received()).sent.incrementAndGet();
    }
    stream.send(request);
    return this;
  }

  Call send(String id, String text) {
    return send(Requests.datum(id, text));
  }

  Call shakeHands() throws InterruptedException {
    send(Codec.handshake());
    await("the handshake's echo", () -> !echoes.isEmpty());
    return this;
  }

  void halfClose() {
    stream.halfClose();
  }

  void cancel() {
    stream.close();
  }

  void request(int more) {
    stream.read(more);
  }

  // What the server does.

  /** Waits until every datum of {@code id} that was sent has its EOT. */
  Received answer(String id) throws InterruptedException {
    Received its = received.get(id);
    await("the EOT of " + id, () -> its.eots.get() == its.sent.get());
    return its;
  }

  /** Waits for at least that many results of {@code id}. */
  Received results(String id, int count) throws InterruptedException {
    Received its = received.get(id);
    await(count + " results of " + id, () -> its.results.size() >= count);
    return its;
  }

  /** Waits for that many responses or that many EOTs, in case there are no more responses. */
  void responsesOrEots(int count, int eots) throws InterruptedException {
    await(count + " responses", () -> responses.get() >= count || eots() >= eots);
  }

  /** What was received for {@code id} so far. */
  Received received(String id) {
    return received.get(id);
  }

  /** EOTs for all ids so far. */
  int eots() {
    return received.values().stream().mapToInt(Received::eots).sum();
  }

  MapResponse echo() {
    return echoes.get(0);
  }

  boolean isOpen() {
    return stream.status().isEmpty();
  }

  /** Waits for the end of the stream. */
  StreamStatus ended() throws InterruptedException {
    assertTrue(stream.awaitEnd(), this::summary);
    assertEquals(List.of(), stream.faults());
    return stream.status().orElseThrow();
  }

  /** Like {@link #ended}, without the details. */
  Status end() throws InterruptedException {
    StreamStatus status = ended();
    return Status.Code.valueOf(status.code()).toStatus().withDescription(status.message());
  }

  void endsWith(Status.Code code) throws InterruptedException {
    Status status = end();
    assertEquals(code, status.getCode(), status::toString);
  }

  private void await(String what, BooleanSupplier done) throws InterruptedException {
    boolean reached = stream.await(() -> done.getAsBoolean() || !stream.faults().isEmpty());
    assertEquals(List.of(), stream.faults());
    assertTrue(reached, () -> "no " + what + ": " + summary());
  }

  private String summary() {
    return stream + "; " + responses + " responses; " + received;
  }
}
