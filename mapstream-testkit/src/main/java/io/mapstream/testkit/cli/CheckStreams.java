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

/** What the rules do on streams, and what they require of them. */
abstract sealed class CheckStreams implements AutoCloseable permits ContractRules {

  /** Something to try on a stream. */
  interface Step {
    void run(RawStream stream) throws InterruptedException;
  }

  /** What each id is or begins with. */
  static final String ID = "check";

  final Contract.Setup setup;

  /** The ids of as many datums as are sent at once. */
  final List<String> ids;

  /** Connected by the first rule. */
  private @Nullable MapStreamClient client;

  /** False after a half-close that was not answered, since to wait for each would take too long. */
  private boolean closesAtHalfClose = true;

  CheckStreams(Contract.Setup setup) {
    this.setup = setup;
    this.ids = IntStream.rangeClosed(1, setup.datums()).mapToObj(i -> ID + "-" + i).toList();
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
    return MapStreamClient.builder(setup.function().socketPath()).timeout(setup.patience());
  }

  Datum.Builder datum() {
    return setup.datum().get();
  }

  /** Opens a stream that reads all, and shakes hands on it. */
  RawStream open() throws InterruptedException {
    return open(client(), Integer.MAX_VALUE);
  }

  static RawStream open(MapStreamClient client, int responses) throws InterruptedException {
    RawStream stream = client.openRawStream().read(responses).send(Codec.handshake());
    // Whether the echo is right is for another rule.
    stream.await(() -> !stream.responses().isEmpty());
    return stream;
  }

  /** Tries something on a stream, and leaves that. */
  void on(RawStream stream, Step step) throws InterruptedException {
    try (stream) {
      try {
        step.run(stream);
      } finally {
        leave(stream);
      }
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
   * Ends a stream as a client does that needs no more: a cancel, which a close is, ends some
   * functions.
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
   * The results by their ids, in order, however they were packed into responses. What follows an
   * EOT is a fault of its own and left out.
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
   * Waits for EOTs, or for one with an id that nobody sent, after which no right one will follow.
   *
   * @return false if nothing more came
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

  /** Says anything but that a rule is kept. */
  static final class Verdict extends RuntimeException {

    private static final long serialVersionUID = 1L;
    final Contract.Outcome outcome;

    Verdict(Contract.Outcome outcome, String seen) {
      super(seen);
      this.outcome = outcome;
    }
  }
}
