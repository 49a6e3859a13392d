package io.mapstream.server;

import io.mapstream.testkit.MapStreamClient;
import io.mapstream.testkit.StreamStatus;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;

/** The test kit's client, for tests of the server. */
final class WireClient implements AutoCloseable {

  private final MapStreamClient client;

  /** Connects to a server that is ready, or will be soon. */
  WireClient(Path socket) {
    try {
      client =
          MapStreamClient.builder(socket)
              .timeout(Waits.LIMIT)
              .maxMessageSize(Integer.MAX_VALUE)
              .connect();
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted while the client connected", e);
    }
  }

  MapStreamClient client() {
    return client;
  }

  /** A {@code MapFn} stream that reads everything. */
  Call open() {
    return openReading(Integer.MAX_VALUE);
  }

  /** A stream that reads {@code responses}, and more only by {@link Call#request}. */
  Call openReading(int responses) {
    return new Call(this, responses);
  }

  boolean isReady() {
    return readiness().isOk();
  }

  private StreamStatus readiness() {
    try {
      return client.readiness();
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted while the server was asked", e);
    }
  }

  /** Queries readiness until that is refused, which happens once a stop has begun. */
  StreamStatus awaitRefusal() {
    var answer = new AtomicReference<StreamStatus>();
    Waits.until(
        "a refusal",
        () -> {
          answer.set(readiness());
          return !Set.of("OK", "DEADLINE_EXCEEDED").contains(answer.get().code());
        },
        answer::get);
    return answer.get();
  }

  @Override
  public void close() {
    client.close();
  }
}
