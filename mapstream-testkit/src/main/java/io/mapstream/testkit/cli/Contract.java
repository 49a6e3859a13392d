package io.mapstream.testkit.cli;

import io.grpc.Status;
import io.mapstream.Datum;
import io.mapstream.proto.map.v1.MapResponse;
import io.mapstream.testkit.MapStreamClient;
import io.mapstream.testkit.ProtocolFaultException;
import io.mapstream.testkit.WaitTimeoutException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The rules between the platform and a function that can be seen from outside, each tried on
 * streams of its own. Nothing here depends on what the function computes, but that it takes the
 * datum that it is given.
 */
final class Contract {

  /** More than the grace period that servers have by default. */
  private static final Duration STOP = Duration.ofSeconds(40);

  /**
   * What is tried and with what.
   *
   * @param socketPath where the function is
   * @param serverInfo its server info file, if known
   * @param datum makes what is sent; a supplier, since event times should not be all the same
   * @param datums how many are sent at once
   * @param bigMessage bytes of a request that is big and within the limits
   * @param emptyValue whether the function takes an empty value
   * @param patience how long to wait for the next response
   * @param drained what is told to stop, if that is wanted
   */
  record Setup(
      Path socketPath,
      Optional<Path> serverInfo,
      Supplier<Datum.Builder> datum,
      int datums,
      int bigMessage,
      boolean emptyValue,
      Duration patience,
      Optional<Drained> drained) {}

  /**
   * A process that is told to stop.
   *
   * @param handle the process
   * @param exitCode its exit code, where it is ours to know
   */
  record Drained(ProcessHandle handle, Optional<CompletableFuture<Integer>> exitCode) {}

  /** What became of a rule. */
  enum Outcome {
    PASS,
    FAIL,
    SKIP
  }

  /**
   * A line of the table.
   *
   * @param name short
   * @param rule what has to be so
   * @param seen what was seen instead, or why it was not tried; empty if all is well
   */
  record Row(String name, String rule, Outcome outcome, String seen) {}

  private interface Probe {
    void run() throws Broken, Skipped, InterruptedException;
  }

  private record Rule(String name, String text, Probe probe) {}

  private static final class Broken extends Exception {
    private static final long serialVersionUID = 1L;

    Broken(String seen) {
      super(seen);
    }
  }

  private static final class Skipped extends Exception {
    private static final long serialVersionUID = 1L;

    Skipped(String reason) {
      super(reason);
    }
  }

  private final Setup setup;
  private final RawConnection connection;
  private final List<String> ids;

  /** Of many datums at once; made by the first rule that needs it. */
  private @Nullable Trace many;

  private String endOfMany = "";
  private boolean wasOk;

  private Contract(Setup setup, RawConnection connection) {
    this.setup = setup;
    this.connection = connection;
    this.ids = IntStream.rangeClosed(1, setup.datums()).mapToObj(i -> "check-" + i).toList();
  }

  /** Tries all rules; tells each row as soon as it is known. */
  static List<Row> check(Setup setup, Consumer<Row> told) throws InterruptedException {
    List<Row> rows = new ArrayList<>();
    try (RawConnection connection = new RawConnection(setup.socketPath(), setup.patience())) {
      Contract contract = new Contract(setup, connection);
      boolean isThere = true;
      for (Rule rule : contract.rules()) {
        Row row =
            isThere
                ? contract.judge(rule)
                : new Row(rule.name(), rule.text(), Outcome.SKIP, "nothing answers");
        // Without an answer to the first question, the others would each wait in vain.
        isThere = isThere && (!rows.isEmpty() || row.outcome() == Outcome.PASS);
        rows.add(row);
        told.accept(row);
      }
    }
    return rows;
  }

  private Row judge(Rule rule) throws InterruptedException {
    try {
      rule.probe().run();
      return new Row(rule.name(), rule.text(), Outcome.PASS, "");
    } catch (Broken e) {
      return new Row(rule.name(), rule.text(), Outcome.FAIL, String.valueOf(e.getMessage()));
    } catch (Skipped e) {
      return new Row(rule.name(), rule.text(), Outcome.SKIP, String.valueOf(e.getMessage()));
    }
  }

  private List<Rule> rules() {
    List<Rule> rules =
        new ArrayList<>(
            List.of(
                new Rule("ready", "answers IsReady with ready = true", this::ready),
                new Rule("server-info", "announces itself in its file", this::serverInfo),
                new Rule("handshake", "echoes the handshake first, with sot", this::handshake),
                new Rule("eot", "ends each datum with an EOT", this::everyDatumEnds),
                new Rule("eot-once", "ends each datum once", kept(Trace::endsOnce)),
                new Rule("eot-last", "sends nothing after an EOT", kept(Trace::endsLast)),
                new Rule("eot-alone", "sends no results with an EOT", kept(Trace::endsAlone)),
                new Rule("ids", "answers what was sent", kept(Trace::answersWhatWasSent)),
                new Rule("marks", "marks results rightly", kept(Trace::marksAreRight)),
                new Rule("complete", "closes with OK when all is answered", this::completes),
                new Rule("half-close", "drains at a half-close, then OK", this::halfClose),
                new Rule("half-close-empty", "OK too if nothing was sent", this::halfCloseEmpty),
                new Rule("order", "keeps the order within an id", this::order),
                new Rule("id-again", "takes an id again after its EOT", this::idAgain),
                new Rule("id-twice", "takes an id that is still open", this::idTwice),
                new Rule("two-streams", "keeps two streams apart", this::twoStreams),
                new Rule("no-keys", "takes a datum without keys, headers", this::noKeys),
                new Rule("empty-value", "takes an empty value", this::emptyValue),
                new Rule("big-message", "takes a big message", this::bigMessage),
                new Rule("slow-reader", "waits for a client that reads late", this::slowReader),
                new Rule("cancel", "goes on after a cancelled stream", this::cancel),
                new Rule("disconnect", "goes on after a cut connection", this::disconnect),
                new Rule(
                    "handshake-first",
                    "refuses a datum first, INVALID_ARGUMENT",
                    () -> refused(RawStream.request("check-1", datum()))),
                new Rule(
                    "handshake-sot",
                    "refuses a handshake without sot likewise",
                    () -> refused(RawStream.handshake(false))),
                new Rule("still-ready", "is ready and answers after all that", this::stillReady)));
    setup
        .drained()
        .ifPresent(process ->
            rules.add(new Rule("drain", "drains at SIGTERM, exits with 0", () -> drain(process))));
    return rules;
  }

  private Datum datum() {
    return setup.datum().get().build();
  }

  private static void require(boolean kept, String seen) throws Broken {
    if (!kept) {
      throw new Broken(seen);
    }
  }

  private static void requireNothing(String seen) throws Broken {
    require(seen.isEmpty(), seen);
  }

  // Who is there.

  private void ready() throws Broken, InterruptedException {
    String answer = connection.awaitReady();
    require(answer.equals(RawConnection.READY), answer);
  }

  private void serverInfo() throws Broken, Skipped, InterruptedException {
    Path file =
        setup.serverInfo().orElseThrow(() -> new Skipped("no file was named by --server-info"));
    try {
      MapStreamClient.builder(setup.socketPath())
          .serverInfoFile(file)
          .timeout(setup.patience())
          .connect()
          .close();
    } catch (ProtocolFaultException | WaitTimeoutException e) {
      throw new Broken(String.valueOf(e.getMessage()));
    }
  }

  private void handshake() throws Broken, InterruptedException {
    try (RawStream stream = connection.openWithHandshake()) {
      require(stream.await(responses -> !responses.isEmpty()), "no response; " + stream.end());
      MapResponse first = stream.responses().getFirst();
      require(first.hasHandshake(), "the first response has no handshake");
      require(first.getHandshake().getSot(), "its handshake has sot = false");
      require(
          first.getResultsCount() == 0 && !first.hasStatus(),
          "the handshake carries results or an EOT");
    }
  }

  private void refused(io.mapstream.proto.map.v1.MapRequest first)
      throws Broken, InterruptedException {
    try (RawStream stream = connection.open().reading().send(first)) {
      stream.awaitEnd();
      Status status = stream.status();
      require(
          status != null && status.getCode() == Status.Code.INVALID_ARGUMENT,
          stream.responses().size() + " response(s), and " + stream.end());
    }
  }

  // Many datums at once, seen from many sides.

  private Trace many() throws InterruptedException {
    Trace trace = many;
    if (trace == null) {
      try (RawStream stream = openAndShake()) {
        ids.forEach(id -> stream.send(RawStream.request(id, datum())));
        boolean answered = stream.await(responses -> Trace.eots(responses) >= ids.size());
        endOfMany = answered ? "" : stream.end();
        stream.halfClose();
        // Also to see what comes too much.
        stream.awaitEnd();
        wasOk = stream.status() != null && stream.status().isOk();
        endOfMany = answered ? stream.end() : endOfMany;
        trace = new Trace(ids, withoutHandshake(stream));
        many = trace;
      }
    }
    return trace;
  }

  /** Whether the echo is right is for another rule. */
  private RawStream openAndShake() throws InterruptedException {
    RawStream stream = connection.openWithHandshake();
    stream.await(responses -> !responses.isEmpty());
    return stream;
  }

  private static List<MapResponse> withoutHandshake(RawStream stream) {
    List<MapResponse> responses = List.copyOf(stream.responses());
    boolean shaken = !responses.isEmpty() && responses.getFirst().hasHandshake();
    return shaken ? responses.subList(1, responses.size()) : responses;
  }

  private Probe kept(java.util.function.Function<Trace, String> rule) {
    return () -> requireNothing(rule.apply(many()));
  }

  private void everyDatumEnds() throws Broken, InterruptedException {
    String seen = many().everyDatumEnds();
    require(seen.isEmpty(), seen + "; " + endOfMany);
  }

  private void completes() throws Broken, Skipped, InterruptedException {
    if (!many().everyDatumEnds().isEmpty()) {
      throw new Skipped("not all was answered");
    }
    require(wasOk, endOfMany);
  }

  private void halfClose() throws Broken, InterruptedException {
    try (RawStream stream = openAndShake()) {
      ids.forEach(id -> stream.send(RawStream.request(id, datum())));
      stream.halfClose().awaitEnd();
      String seen = new Trace(ids, withoutHandshake(stream)).everyDatumEnds();
      require(seen.isEmpty(), seen + "; " + stream.end());
      require(isOk(stream), stream.end());
    }
  }

  private void halfCloseEmpty() throws Broken, InterruptedException {
    try (RawStream stream = openAndShake()) {
      stream.halfClose().awaitEnd();
      require(isOk(stream), stream.end());
    }
  }

  private static boolean isOk(RawStream stream) {
    return stream.status() != null && stream.status().isOk();
  }

  private void order() throws Broken, Skipped, InterruptedException {
    // The same datum for all, times included.
    Datum datum = datum();
    List<MapResponse.Result> alone = alone(datum);
    if (!alone.equals(alone(datum))) {
      throw new Skipped("the function answers one datum in different ways");
    }
    try (RawStream stream = openAndShake()) {
      ids.forEach(id -> stream.send(RawStream.request(id, datum)));
      stream.await(responses -> Trace.ended(responses).size() >= ids.size());
      Trace trace = new Trace(ids, withoutHandshake(stream));
      for (String id : ids) {
        List<MapResponse.Result> among = trace.results().getOrDefault(id, List.of());
        require(
            among.equals(alone),
            "datum \""
                + id
                + "\" has "
                + among.size()
                + " result(s), which differ from the "
                + alone.size()
                + " for the same datum alone, or are in another order");
      }
    }
  }

  private List<MapResponse.Result> alone(Datum datum) throws InterruptedException {
    try (RawStream stream = openAndShake()) {
      stream.send(RawStream.request("check", datum));
      stream.await(responses -> Trace.eots(responses) >= 1);
      return new Trace(List.of("check"), withoutHandshake(stream))
          .results()
          .getOrDefault("check", List.of());
    }
  }

  // Ids and streams.

  private void idAgain() throws Broken, InterruptedException {
    try (RawStream stream = openAndShake()) {
      for (int times = 1; times <= 2; times++) {
        stream.send(RawStream.request("check", datum()));
        requireEots(stream, times, times == 1 ? "the first time" : "the second time");
      }
    }
  }

  private void idTwice() throws Broken, InterruptedException {
    try (RawStream stream = openAndShake()) {
      stream.send(RawStream.request("check", datum()));
      stream.send(RawStream.request("check", datum()));
      requireEots(stream, 2, "sent twice at once");
    }
  }

  private static void requireEots(RawStream stream, int count, String when)
      throws Broken, InterruptedException {
    require(
        stream.await(responses -> Trace.eots(responses) >= count),
        when
            + ": "
            + Trace.eots(stream.responses())
            + " EOT(s) where "
            + count
            + " are due; "
            + stream.end());
  }

  private void twoStreams() throws Broken, InterruptedException {
    try (RawStream one = openAndShake();
        RawStream other = openAndShake()) {
      for (String id : ids) {
        one.send(RawStream.request(id, datum()));
        other.send(RawStream.request(id, datum()));
      }
      requireEots(one, ids.size(), "first stream");
      requireEots(other, ids.size(), "second stream");
      for (RawStream stream : List.of(one, other)) {
        stream.halfClose().awaitEnd();
        Trace trace = new Trace(ids, withoutHandshake(stream));
        requireNothing(trace.endsOnce());
        requireNothing(trace.answersWhatWasSent());
      }
    }
  }

  // Datums.

  private void noKeys() throws Broken, InterruptedException {
    requireAnswer(setup.datum().get().keys(List.of()).headers(java.util.Map.of()).build());
  }

  private void emptyValue() throws Broken, Skipped, InterruptedException {
    if (!setup.emptyValue()) {
      throw new Skipped("not every function takes one; --empty-value tries it");
    }
    requireAnswer(setup.datum().get().value(new byte[0]).build());
  }

  /** It is a header that is big: a function may refuse a value that it doesn't expect. */
  private void bigMessage() throws Broken, InterruptedException {
    requireAnswer(
        setup.datum().get().header("x-check-padding", "x".repeat(setup.bigMessage())).build());
  }

  private void requireAnswer(Datum datum) throws Broken, InterruptedException {
    try (RawStream stream = openAndShake()) {
      stream.send(RawStream.request("check", datum));
      requireEots(stream, 1, "one datum");
    }
  }

  // A client that is not well.

  private void slowReader() throws Broken, InterruptedException {
    try (RawStream stream = connection.open().readingOne().send(RawStream.handshake(true))) {
      stream.await(responses -> !responses.isEmpty());
      ids.forEach(id -> stream.send(RawStream.request(id, datum())));
      stream.reading();
      requireEots(stream, ids.size(), "read late");
    }
  }

  private void cancel() throws Broken, InterruptedException {
    try (RawStream stream = openAndShake()) {
      ids.forEach(id -> stream.send(RawStream.request(id, datum())));
      stream.await(responses -> responses.size() > 1);
      stream.cancel();
    }
    requireAnswer(datum());
  }

  private void disconnect() throws Broken, InterruptedException {
    try (RawConnection other = new RawConnection(setup.socketPath(), setup.patience())) {
      RawStream stream = other.openWithHandshake();
      stream.await(responses -> !responses.isEmpty());
      ids.forEach(id -> stream.send(RawStream.request(id, datum())));
      stream.await(responses -> responses.size() > 1);
    }
    requireAnswer(datum());
  }

  private void stillReady() throws Broken, InterruptedException {
    ready();
    requireAnswer(datum());
  }

  // The stop.

  private void drain(Drained process) throws Broken, InterruptedException {
    try (RawStream stream = openAndShake()) {
      ids.forEach(id -> stream.send(RawStream.request(id, datum())));
      // A datum that has a result was taken, and has to be finished; others may be left.
      stream.await(responses -> responses.size() > 1);
      Set<String> taken = new HashSet<>();
      withoutHandshake(stream).forEach(response -> taken.add(response.getId()));
      require(process.handle().destroy(), "SIGTERM could not be sent to " + process.handle().pid());
      stream.awaitEnd();
      Trace trace = new Trace(ids, withoutHandshake(stream));
      taken.removeAll(trace.ended());
      require(
          taken.isEmpty(), taken.size() + " datum(s) had results and got no EOT; " + stream.end());
      require(
          !isOk(stream) || trace.everyDatumEnds().isEmpty(),
          "the stream was closed with OK, and " + trace.everyDatumEnds());
    }
    awaitExit(process);
  }

  private static void awaitExit(Drained process) throws Broken, InterruptedException {
    try {
      process.handle().onExit().get(STOP.toSeconds(), TimeUnit.SECONDS);
      if (process.exitCode().isPresent()) {
        int code = process.exitCode().get().get(STOP.toSeconds(), TimeUnit.SECONDS);
        require(code == 0, "the exit code was " + code);
      }
    } catch (TimeoutException e) {
      throw new Broken("the process still runs " + STOP.toSeconds() + " s after SIGTERM");
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    }
  }
}
