package io.mapstream.testkit.cli;

import io.mapstream.Datum;
import io.mapstream.proto.Codec;
import io.mapstream.proto.StreamRules;
import io.mapstream.proto.map.v1.MapResponse;
import io.mapstream.testkit.MapStreamClient;
import io.mapstream.testkit.RawStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** The operations of the rules on streams, and their requirements. */
abstract sealed class CheckStreams implements AutoCloseable permits ContractRules {

  /** An action on a stream. */
  interface Step {
    void run(RawStream stream) throws InterruptedException;
  }

  /** The id, or prefix of the ids, of all datums. */
  static final String ID = "check";

  final CheckCommand settings;
  final FunctionProcess function;

  /** The ids of the datums that are sent at once. */
  final List<String> ids;

  /** Connected by the first rule. */
  private @Nullable MapStreamClient client;

  /** False after an unanswered half-close: waiting again each time would take too long. */
  private boolean closesAtHalfClose = true;

  CheckStreams(CheckCommand settings, FunctionProcess function) {
    this.settings = settings;
    this.function = function;
    this.ids = IntStream.rangeClosed(1, settings.datums).mapToObj(i -> ID + "-" + i).toList();
  }

  void connect() throws InterruptedException {
    client = builder().connect();
  }

  boolean isConnected() {
    return client != null;
  }

  @Override
  public void close() {
    if (client != null) {
      client.close();
    }
  }

  MapStreamClient client() {
    return Objects.requireNonNull(client, "not connected");
  }

  MapStreamClient.Builder builder() {
    return MapStreamClient.builder(function.socketPath()).timeout(settings.target.timeout);
  }

  Datum.Builder datum() {
    return settings.datum();
  }

  /** Opens a stream that reads all responses, and does the handshake. */
  RawStream open() throws InterruptedException {
    return open(client(), Integer.MAX_VALUE);
  }

  static RawStream open(MapStreamClient client, int responses) throws InterruptedException {
    RawStream stream = client.openRawStream().read(responses).send(Codec.handshake());
    // Another rule checks the echo.
    stream.await(() -> !stream.responses().isEmpty());
    return stream;
  }

  /** Runs a step on a stream, and then leaves the stream. */
  void on(RawStream stream, Step step) throws InterruptedException {
    try (stream) {
      try {
        step.run(stream);
      } catch (Verdict e) {
        leave(stream);
        throw e;
      }
      leave(stream);
    }
  }

  RawStream send(RawStream stream, String id) {
    return stream.send(id, datum().build());
  }

  RawStream sendAll(RawStream stream) {
    ids.forEach(id -> send(stream, id));
    return stream;
  }

  /** Half-closes the stream and waits for its end. */
  void finish(RawStream stream) throws InterruptedException {
    stream.halfClose();
    closesAtHalfClose = stream.awaitEnd();
  }

  /**
   * Half-closes a stream that is no longer needed: closing it cancels it, which makes some
   * functions exit.
   */
  void leave(RawStream stream) throws InterruptedException {
    if (closesAtHalfClose && stream.status().isEmpty()) {
      finish(stream);
    }
  }

  static void awaitFirstResult(RawStream stream) throws InterruptedException {
    stream.await(() -> stream.responses().size() > 1);
  }

  /**
   * Returns the results by id, in order, regardless of how they were packed into responses. Results
   * after an EOT are omitted; another rule reports them.
   */
  static Map<String, List<MapResponse.Result>> results(RawStream stream) {
    Map<String, List<MapResponse.Result>> results = new HashMap<>();
    Set<String> ended = new HashSet<>();
    for (MapResponse response : stream.responses()) {
      String id = response.getId();
      if (!ended.contains(id)) {
        results.computeIfAbsent(id, key -> new ArrayList<>()).addAll(response.getResultsList());
      }
      if (response.getStatus().getEot()) {
        ended.add(id);
      }
    }
    return results;
  }

  // Requirements.

  static void require(boolean kept, String seen) {
    if (!kept) {
      throw new Verdict(Contract.Outcome.FAIL, seen);
    }
  }

  static void requireNoFault(RawStream stream, StreamRules.Rule... rules) {
    for (StreamRules.Fault fault : stream.faults()) {
      require(!List.of(rules).contains(fault.rule()), fault.text());
    }
  }

  void requireAnswer(Datum.Builder datum) throws InterruptedException {
    on(open(), stream -> requireEots(stream.send(ID, datum.build()), 1, "one datum"));
  }

  static void requireOk(RawStream stream) {
    require(stream.isOk(), stream.toString());
  }

  static void requireEots(RawStream stream, int count, String when) throws InterruptedException {
    awaitEots(stream, count);
    if (stream.eots() < count) {
      requireNoFault(stream, StreamRules.Rule.KNOWN_ID);
    }
    require(
        stream.eots() >= count,
        "%s: %d of %d EOT(s); %s".formatted(when, stream.eots(), count, stream));
  }

  /**
   * Waits for EOTs, or for one with an id that was not sent, after which no correct one can be
   * expected.
   *
   * @return false if neither arrived
   */
  static boolean awaitEots(RawStream stream, int count) throws InterruptedException {
    return stream.await(() ->
        stream.eots() >= count
            || (!stream.faults().isEmpty()
                && stream.responses().stream()
                    .anyMatch(each -> each.getStatus().getEot() && !each.getId().startsWith(ID))));
  }

  void requireAllAnswered(RawStream stream, String end) {
    Set<String> left = new TreeSet<>(stream.unanswered());
    require(
        left.isEmpty(),
        "%d of %d datums have no EOT, such as %s; %s"
            .formatted(left.size(), ids.size(), left.stream().findFirst().orElse(""), end));
  }

  /** Thrown to report any outcome but PASS. */
  static final class Verdict extends RuntimeException {

    private static final long serialVersionUID = 1L;
    final Contract.Outcome outcome;

    Verdict(Contract.Outcome outcome, String seen) {
      super(seen);
      this.outcome = outcome;
    }
  }
}
