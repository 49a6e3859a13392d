package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.mapstream.proto.Codec;
import io.mapstream.proto.map.v1.MapRequest;
import io.mapstream.proto.map.v1.MapResponse;
import io.mapstream.testkit.MapStreamClient;
import io.mapstream.testkit.RawStream;
import io.mapstream.testkit.StreamStatus;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IntSummaryStatistics;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/**
 * One {@code MapFn} stream, with what was received for each id. Every wait fails when the server
 * breaks a rule of the stream, at the end of the stream, and at a time limit.
 */
class Call {

  final RawStream stream;
  private final Map<String, Received> received = new ConcurrentHashMap<>();
  private final AtomicInteger responses = new AtomicInteger();
  private volatile MapResponse echo;

  /** What was received for one id, for all its datums together. */
  static final class Received {
    private final List<MapResponse.Result> results =
        Collections.synchronizedList(new ArrayList<>());
    private final AtomicInteger sent = new AtomicInteger();
    private final AtomicInteger eots = new AtomicInteger();

    /** Bytes of the responses that carried results; to be read after a wait. */
    final IntSummaryStatistics sizes = new IntSummaryStatistics();

    List<MapResponse.Result> results() {
      return List.copyOf(results);
    }

    List<String> texts() {
      return results().stream().map(result -> result.getValue().toStringUtf8()).toList();
    }

    int eots() {
      return eots.get();
    }

    @Override
    public String toString() {
      return results.size() + " results, " + eots + " of " + sent + " EOTs";
    }
  }

  /** A stream without a handshake that reads everything. */
  Call(MapStreamClient client) {
    this(client, Integer.MAX_VALUE);
  }

  /** A stream without a handshake that reads {@code most} responses, and more by {@link #read}. */
  Call(MapStreamClient client, int most) {
    stream =
        client
            .openRawStream(response -> {
              responses.incrementAndGet();
              if (response.hasHandshake()) {
                echo = response;
              }
              take(response);
            })
            .read(most);
  }

  /** A stream after the handshake. */
  static Call open(MapStreamClient client) throws InterruptedException {
    return new Call(client).shakeHands();
  }

  /** Called on the client's event loop. */
  void take(MapResponse response) {
    Received id = received.get(response.getId());
    if (id != null && response.getStatus().getEot()) {
      id.eots.incrementAndGet();
    } else if (id != null) {
      id.sizes.accept(response.getSerializedSize());
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
    echo();
    return this;
  }

  /** Whether most of what was sent has left, so that it does not accumulate here. */
  boolean isReady() {
    return stream.isReady();
  }

  void halfClose() {
    stream.halfClose();
  }

  void cancel() {
    stream.close();
  }

  /** Reads this many more responses. */
  void read(int more) {
    stream.read(more);
  }

  /** Reads everything, after one response. */
  void readAll() {
    read(Integer.MAX_VALUE - 1);
  }

  // What the server does.

  /** Waits for the handshake's echo. */
  MapResponse echo() throws InterruptedException {
    await("the handshake's echo", () -> echo != null);
    return echo;
  }

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

  /** What was received for {@code id} so far. */
  Received received(String id) {
    return received.get(id);
  }

  /** Responses so far. */
  int responses() {
    return responses.get();
  }

  /** EOTs for all ids so far. */
  int eots() {
    return received.values().stream().mapToInt(Received::eots).sum();
  }

  boolean isOpen() {
    return stream.status().isEmpty();
  }

  /** Waits for the end of the stream. */
  StreamStatus ended() throws InterruptedException {
    assertTrue(stream.awaitEnd(), this::toString);
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
    assertEquals(code, status.getCode(), () -> status + "; " + this);
  }

  void completes() throws InterruptedException {
    halfClose();
    endsWith(Status.Code.OK);
  }

  void await(String what, BooleanSupplier done) throws InterruptedException {
    boolean reached = stream.await(() -> done.getAsBoolean() || !stream.faults().isEmpty());
    assertEquals(List.of(), stream.faults());
    assertTrue(reached, () -> "no " + what + ": " + this);
  }

  @Override
  public String toString() {
    return stream + "; " + responses + " responses; " + received;
  }
}
