package io.mapstream.testkit.cli;

import static io.mapstream.testkit.cli.Contract.Outcome.FAIL;
import static io.mapstream.testkit.cli.Contract.Outcome.SKIP;
import static io.mapstream.testkit.cli.Contract.Outcome.WARN;

import io.mapstream.Datum;
import io.mapstream.Metadata;
import io.mapstream.proto.Codec;
import io.mapstream.proto.StreamRules;
import io.mapstream.proto.map.v1.MapRequest;
import io.mapstream.proto.map.v1.MapResponse;
import io.mapstream.testkit.MapStreamClient;
import io.mapstream.testkit.RawStream;
import io.mapstream.testkit.StreamStatus;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * The rules of the platform that can be checked from outside a function, each tried on its own
 * streams. They do not depend on what the function computes, except that it must accept the datum.
 */
final class ContractRules extends CheckStreams {

  /** Longer than the default grace period of servers. */
  private static final Duration STOP = Duration.ofSeconds(40);

  private static final String NOT_ANSWERED = "not all datums were answered";

  /** Tries a rule. Throws a {@link Verdict} or an AssertionError unless it passes. */
  interface Probe {
    void run() throws InterruptedException;
  }

  /** A rule; {@code ofMany} if it is judged by the shared stream with many datums. */
  record Rule(boolean ofMany, String name, String text, Probe probe) {
    Contract.Row row(Contract.Outcome outcome, String seen) {
      return new Contract.Row(name, text, outcome, seen);
    }
  }

  /** The shared stream with many datums; sent and awaited by the first rule that needs it. */
  private @Nullable RawStream many;

  private String endOfMany = "";

  ContractRules(CheckCommand settings, FunctionProcess function) {
    super(settings, function);
  }

  /** Returns all rules but the drain, in the order in which they are tried. */
  List<Rule> all() {
    return List.of(
        rule("ready", "answers IsReady with ready = true", this::connect),
        rule("server-info", "announces itself in its file", this::serverInfo),
        rule("handshake", "echoes the handshake first, with sot", on(ContractRules::handshake)),
        ofMany("eot", "ends each datum with an EOT", this::everyDatumEnds),
        ofMany("eot-once", "ends each datum only once", StreamRules.Rule.ONE_EOT),
        ofMany("eot-last", "sends nothing after an EOT", StreamRules.Rule.EOT_LAST),
        ofMany("eot-alone", "sends no results with an EOT", StreamRules.Rule.EOT_ALONE),
        ofMany("ids", "answers only ids that were sent", StreamRules.Rule.KNOWN_ID),
        ofMany("content", "sends results or an EOT in each response", StreamRules.Rule.CONTENT),
        ofMany("marks", "marks results correctly", StreamRules.Rule.MARKS),
        ofMany("complete", "closes with OK when all are answered", this::completes),
        rule("half-close", "drains at a half-close, closes with OK", on(this::halfClose)),
        rule("half-close-empty", "closes with OK if nothing was sent", on(this::halfCloseEmpty)),
        rule("order", "keeps the order within an id", this::order),
        rule("id-again", "accepts an id again after its EOT", on(this::idAgain)),
        rule("id-twice", "accepts an id that is still open", on(this::idTwice)),
        rule("two-streams", "keeps two streams apart", on(this::twoStreams)),
        rule("no-keys", "accepts a datum without keys and headers", this::noKeys),
        rule("metadata", "accepts metadata, returns no system part", on(this::metadata)),
        rule("empty-value", "accepts an empty value", this::emptyValue),
        rule("big-message", "accepts a big message", this::bigMessage),
        rule("slow-reader", "waits for a client that reads late", this::slowReader),
        rule("cancel", "keeps serving after a cancelled stream", this::cancel),
        rule("disconnect", "keeps serving after a lost connection", this::disconnect),
        rule("handshake-first", "refuses a datum first: INVALID_ARGUMENT", this::datumFirst),
        rule("handshake-sot", "refuses a missing sot: INVALID_ARGUMENT", this::noSot),
        rule("still-ready", "is still ready and answers at the end", this::stillReady));
  }

  /** Returns the last rule, after which the function has ended. */
  Rule drain() {
    // The exit code of another process can't be read.
    String exit = function.child() == null ? "" : ", exits with 0";
    return rule("drain", "drains at SIGTERM" + exit, this::stop);
  }

  private static Rule rule(String name, String text, Probe probe) {
    return new Rule(false, name, text, probe);
  }

  private static Rule ofMany(String name, String text, Probe probe) {
    return new Rule(true, name, text, probe);
  }

  private Rule ofMany(String name, String text, StreamRules.Rule rule) {
    return ofMany(name, text, () -> requireNoFault(many(), rule));
  }

  private Probe on(Step step) {
    return () -> on(open(), step);
  }

  /** Whether a rule is judged by the stream with many datums and that stream is complete. */
  boolean hasSeen(Rule rule) {
    return many != null && many.unanswered().isEmpty() && rule.ofMany();
  }

  // Readiness and handshake.

  private void serverInfo() throws InterruptedException {
    Path file = function.serverInfo();
    if (file == null) {
      throw new Verdict(SKIP, "--server-info was not given");
    }
    try (MapStreamClient announced = builder().serverInfoFile(file).connect()) {
      if (announced.serverInfo().orElseThrow().minimumNumaflowVersion().isEmpty()) {
        throw new Verdict(
            WARN,
            "minimum_numaflow_version is empty: the platform logs a warning and skips its check");
      }
    }
  }

  private static void handshake(RawStream stream) {
    require(!stream.responses().isEmpty(), "no response; " + stream);
    requireNoFault(stream, StreamRules.Rule.HANDSHAKE);
  }

  private void datumFirst() throws InterruptedException {
    requireRefusal(Codec.request(ID + "-1", datum().build()));
  }

  private void noSot() throws InterruptedException {
    requireRefusal(Codec.handshake(false));
  }

  private void requireRefusal(MapRequest first) throws InterruptedException {
    try (RawStream stream = client().openRawStream().read(Integer.MAX_VALUE).send(first)) {
      stream.awaitEnd();
      require(
          stream.status().map(StreamStatus::code).orElse("").equals("INVALID_ARGUMENT"),
          stream.responses().size() + " response(s), and " + stream);
    }
  }

  private void stillReady() throws InterruptedException {
    builder().connect().close();
    requireAnswer(datum());
  }

  // Many datums at once.

  private RawStream many() throws InterruptedException {
    if (many == null) {
      try (RawStream stream = open()) {
        boolean came = awaitEots(sendAll(stream), settings.datums);
        endOfMany = stream.toString();
        finish(stream); // Also shows what follows the last EOT.
        endOfMany = came ? stream.toString() : endOfMany;
        many = stream;
      }
    }
    return many;
  }

  private void everyDatumEnds() throws InterruptedException {
    requireAllAnswered(many(), endOfMany);
  }

  private void completes() throws InterruptedException {
    if (!many().unanswered().isEmpty()) {
      throw new Verdict(SKIP, NOT_ANSWERED);
    }
    require(many().isOk(), endOfMany);
  }

  private void halfClose(RawStream stream) throws InterruptedException {
    finish(sendAll(stream));
    requireAllAnswered(stream, stream.toString());
    requireOk(stream);
  }

  private void halfCloseEmpty(RawStream stream) throws InterruptedException {
    finish(stream);
    requireOk(stream);
  }

  private void order() throws InterruptedException {
    Datum datum = datum().build(); // the same for all, including the times
    List<MapResponse.Result> alone = alone(datum);
    if (!alone.equals(alone(datum))) {
      throw new Verdict(SKIP, "the function answers the same datum differently each time");
    }
    on(
        open(),
        stream -> {
          ids.forEach(id -> stream.send(id, datum));
          stream.await(() -> stream.unanswered().isEmpty());
          Map<String, List<MapResponse.Result>> results = results(stream);
          for (String id : ids) {
            List<MapResponse.Result> among = results.getOrDefault(id, List.of());
            require(
                among.equals(alone),
                ("datum \"%s\" has %d result(s), which differ from the %d for the same datum alone,"
                        + " or are in another order")
                    .formatted(id, among.size(), alone.size()));
          }
        });
  }

  private List<MapResponse.Result> alone(Datum datum) throws InterruptedException {
    List<MapResponse.Result> alone = new ArrayList<>();
    on(
        open().send(ID, datum),
        stream -> {
          awaitEots(stream, 1);
          if (stream.eots() == 0) {
            throw new Verdict(SKIP, NOT_ANSWERED);
          }
          alone.addAll(results(stream).getOrDefault(ID, List.of()));
        });
    return alone;
  }

  // Ids and streams.

  private void idAgain(RawStream stream) throws InterruptedException {
    requireEots(send(stream, ID), 1, "the first time");
    requireEots(send(stream, ID), 2, "the second time");
  }

  private void idTwice(RawStream stream) throws InterruptedException {
    send(stream, ID);
    requireEots(send(stream, ID), 2, "sent twice at once");
  }

  private void twoStreams(RawStream one) throws InterruptedException {
    on(
        open(),
        other -> {
          ids.forEach(id -> {
            send(one, id);
            send(other, id);
          });
          requireEots(one, settings.datums, "first stream");
          requireEots(other, settings.datums, "second stream");
          for (RawStream stream : List.of(one, other)) {
            leave(stream); // to receive everything
            requireNoFault(stream, StreamRules.Rule.KNOWN_ID, StreamRules.Rule.ONE_EOT);
          }
        });
  }

  // Datums.

  private void noKeys() throws InterruptedException {
    requireAnswer(datum().keys(List.of()).headers(Map.of()));
  }

  private void metadata(RawStream stream) throws InterruptedException {
    Metadata system = Metadata.empty().with("check", "text", "x");
    String parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    Datum.Builder datum =
        datum()
            .userMetadata(system.with("check", "bytes", new byte[] {-1}))
            .systemMetadata(system)
            .traceContext(Map.of("traceparent", parent));
    requireEots(stream.send(ID, datum.build()), 1, "one datum");
    if (results(stream).getOrDefault(ID, List.of()).stream()
        .anyMatch(result -> result.getMetadata().getSysMetadataCount() > 0)) {
      throw new Verdict(WARN, "a result has system metadata, which the platform ignores");
    }
  }

  private void emptyValue() throws InterruptedException {
    if (!settings.emptyValue) {
      throw new Verdict(SKIP, "not every function accepts one; --empty-value tries it");
    }
    requireAnswer(datum().value(new byte[0]));
  }

  /** Pads a header, since a function may refuse an unexpected value. */
  private void bigMessage() throws InterruptedException {
    requireAnswer(datum().header("x-check-padding", "x".repeat(settings.bigMessage)));
  }

  // A client that is slow or goes away.

  private void slowReader() throws InterruptedException {
    on(
        open(client(), 1),
        stream -> {
          sendAll(stream).read(Integer.MAX_VALUE);
          requireEots(stream, settings.datums, "read late");
        });
  }

  private void cancel() throws InterruptedException {
    try (RawStream stream = open()) {
      awaitFirstResult(sendAll(stream));
    }
    requireAnswer(datum());
  }

  private void disconnect() throws InterruptedException {
    try (MapStreamClient other = builder().connect()) {
      awaitFirstResult(sendAll(open(other, Integer.MAX_VALUE)));
    }
    requireAnswer(datum());
  }

  // The stop.

  private void stop() throws InterruptedException {
    try (RawStream stream = sendAll(open())) {
      // A datum with a result was accepted and must be finished; others may be left.
      awaitFirstResult(stream);
      Set<String> taken = new HashSet<>(results(stream).keySet());
      require(function.terminate(), "SIGTERM could not be sent");
      stream.awaitEnd();
      taken.retainAll(stream.unanswered());
      require(taken.isEmpty(), taken.size() + " datum(s) had results and got no EOT; " + stream);
      requireNoFault(stream, StreamRules.Rule.ALL_ANSWERED);
    }
    try {
      int code = function.exit().get(STOP.toSeconds(), TimeUnit.SECONDS).orElse(0);
      require(code == 0, "the exit code was " + code);
    } catch (TimeoutException e) {
      throw new Verdict(FAIL, "the process still runs " + STOP.toSeconds() + " s after SIGTERM");
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    }
  }
}
