package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.mapstream.proto.map.v1.MapGrpc;
import io.mapstream.proto.map.v1.MapRequest;
import io.mapstream.proto.map.v1.MapResponse;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * One {@code MapFn} stream as a client sees it. It keeps what came for each id, and at once notes
 * what the contract forbids: results on an EOT, anything for an id that is not open, more EOTs than
 * datums, anything before the echo of the handshake. Every wait fails on a violation, at the end of
 * the stream, and at a limit.
 */
final class Call implements ClientResponseObserver<MapRequest, MapResponse> {

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final int firstRequest;

  private ClientCallStreamObserver<MapRequest> requests;
  private final Map<String, Received> received = new HashMap<>();
  private final List<String> violations = new ArrayList<>();
  private final List<MapResponse> echoes = new ArrayList<>();
  private int responses;
  private Status end;
  private Metadata trailers;

  /** What came for one id, all datums of that id together. */
  static final class Received {
    private final List<MapResponse.Result> results = new ArrayList<>();
    private int sent;
    private int eots;
    private int responses;
    private int largest;

    List<MapResponse.Result> results() {
      return results;
    }

    List<String> texts() {
      return results.stream().map(result -> result.getValue().toStringUtf8()).toList();
    }

    int eots() {
      return eots;
    }

    /** Responses that carried results. */
    int responses() {
      return responses;
    }

    /** Bytes of the largest response. */
    int largest() {
      return largest;
    }
  }

  private Call(int firstRequest) {
    this.firstRequest = firstRequest;
  }

  static Call open(MapGrpc.MapStub stub, int firstRequest) {
    Call call = new Call(firstRequest);
    stub.mapFn(call);
    return call;
  }

  @Override
  public void beforeStart(ClientCallStreamObserver<MapRequest> stream) {
    requests = stream;
    stream.disableAutoRequestWithInitial(firstRequest);
  }

  // What the client does.

  Call send(MapRequest request) {
    lock.lock();
    try {
      if (!request.getId().isEmpty()) {
        received.computeIfAbsent(request.getId(), id -> new Received()).sent++;
      }
    } finally {
      lock.unlock();
    }
    requests.onNext(request);
    return this;
  }

  Call send(String id, String text) {
    return send(Frames.datum(id, text));
  }

  Call shakeHands() throws InterruptedException {
    send(Frames.handshake());
    await("the handshake's echo", () -> !echoes.isEmpty());
    return this;
  }

  void halfClose() {
    requests.onCompleted();
  }

  void cancel() {
    requests.cancel("cancelled by the test", null);
  }

  void request(int more) {
    requests.request(more);
  }

  // What comes back.

  /** Waits until every datum of {@code id} that was sent has its EOT. */
  Received answer(String id) throws InterruptedException {
    await("the EOT of " + id, () -> received.get(id).eots == received.get(id).sent);
    return received.get(id);
  }

  /** Waits for that many results of {@code id}, whether there will be more or not. */
  Received results(String id, int count) throws InterruptedException {
    await(count + " results of " + id, () -> received.get(id).results.size() >= count);
    return received.get(id);
  }

  /** Waits for that many responses of any kind. */
  void responses(int count) throws InterruptedException {
    await(count + " responses", () -> responses >= count);
  }

  /** Waits for that many responses, or for that many EOTs where there are no more responses. */
  void responsesOrEots(int count, int eots) throws InterruptedException {
    await(count + " responses", () -> responses >= count || countEots() >= eots);
  }

  int responses() {
    return read(() -> responses);
  }

  /** What came for {@code id} so far. */
  Received received(String id) {
    return read(() -> received.get(id));
  }

  /** EOTs for all ids so far. */
  int eots() {
    return read(this::countEots);
  }

  private int countEots() {
    return received.values().stream().mapToInt(Received::eots).sum();
  }

  MapResponse echo() {
    return read(() -> echoes.get(0));
  }

  boolean isOpen() {
    return read(() -> end == null);
  }

  /** Waits for the end of the stream. */
  Status end() throws InterruptedException {
    lock.lock();
    try {
      long left = Waits.LIMIT.toNanos();
      while (end == null) {
        assertTrue(left > 0, () -> "the stream goes on after " + Waits.LIMIT + ": " + summary());
        left = changed.awaitNanos(left);
      }
      assertEquals(List.of(), violations);
      return end;
    } finally {
      lock.unlock();
    }
  }

  void endsWith(Status.Code code) throws InterruptedException {
    Status status = end();
    assertEquals(code, status.getCode(), status::toString);
  }

  Metadata trailers() {
    return read(() -> trailers);
  }

  private <T> T read(Supplier<T> state) {
    lock.lock();
    try {
      return state.get();
    } finally {
      lock.unlock();
    }
  }

  private void await(String what, BooleanSupplier done) throws InterruptedException {
    lock.lock();
    try {
      long deadline = System.nanoTime() + Waits.LIMIT.toNanos();
      while (!done.getAsBoolean()) {
        if (!violations.isEmpty() || end != null) {
          fail("no " + what + ": " + summary());
        }
        long left = deadline - System.nanoTime();
        if (left <= 0 || !changed.await(left, TimeUnit.NANOSECONDS)) {
          fail("no " + what + " after " + Waits.LIMIT + ": " + summary());
        }
      }
      assertEquals(List.of(), violations);
    } finally {
      lock.unlock();
    }
  }

  private String summary() {
    String ids =
        received.entrySet().stream()
            .limit(20)
            .map(e ->
                "%s: %d results, %d of %d EOTs"
                    .formatted(
                        e.getKey(),
                        e.getValue().results.size(),
                        e.getValue().eots,
                        e.getValue().sent))
            .collect(Collectors.joining("; "));
    return "ended with %s, violations %s, %d responses; %s"
        .formatted(end, violations, responses, ids);
  }

  private void note(Runnable what) {
    lock.lock();
    try {
      what.run();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void onNext(MapResponse response) {
    note(() -> {
      responses++;
      if (response.hasHandshake()) {
        echoes.add(response);
      } else {
        take(response);
      }
    });
  }

  private void take(MapResponse response) {
    Received id = received.get(response.getId());
    if (echoes.size() != 1) {
      violations.add(echoes.size() + " echoes before " + response.getId());
    } else if (id == null || id.eots >= id.sent) {
      violations.add("a response for \"" + response.getId() + "\", which is not open");
    } else if (response.hasStatus() && response.getResultsCount() > 0) {
      violations.add("results on the EOT of " + response.getId());
    } else if (response.hasStatus()) {
      id.eots++;
      if (!response.getStatus().getEot()) {
        violations.add("a status without eot for " + response.getId());
      }
    } else if (response.getResultsCount() == 0) {
      violations.add("an empty response for " + response.getId());
    } else {
      id.responses++;
      id.largest = Math.max(id.largest, response.getSerializedSize());
      id.results.addAll(response.getResultsList());
    }
  }

  @Override
  public void onError(Throwable t) {
    note(() -> {
      end = Status.fromThrowable(t);
      trailers = Status.trailersFromThrowable(t);
    });
  }

  @Override
  public void onCompleted() {
    note(() -> end = Status.OK);
  }
}
