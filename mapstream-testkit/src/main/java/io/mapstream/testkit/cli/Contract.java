package io.mapstream.testkit.cli;

import io.mapstream.Datum;
import io.mapstream.Metadata;
import io.mapstream.proto.Codec;
import io.mapstream.proto.StreamRules;
import io.mapstream.proto.map.v1.MapRequest;
import io.mapstream.proto.map.v1.MapResponse;
import io.mapstream.testkit.MapStreamClient;
import io.mapstream.testkit.ProtocolFaultError;
import io.mapstream.testkit.RawStream;
import io.mapstream.testkit.StreamStatus;
import io.mapstream.testkit.WaitTimeoutError;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
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
 * streams of its own. Nothing here depends on what the function computes, except that it accepts
 * the datum that it is given.
 */
final class Contract {

  /** More than the grace period that servers have by default. */
  private static final Duration STOP = Duration.ofSeconds(40);

  /** How long a server that says that it stops may take to close its socket. */
  private static final Duration CLOSES = Duration.ofSeconds(2);

  private static final String DRAIN = "drain";

  /** The rules that are judged by one stream with many datums. */
  private static final Set<String> OF_MANY =
      Set.of("eot", "eot-once", "eot-last", "eot-alone", "ids", "content", "marks", "complete");

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
    /** Not as it should be, but the platform takes it. */
    WARN,
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
    void run() throws Broken, Tolerated, Skipped, InterruptedException;
  }

  private record Rule(String name, String text, Probe probe) {}

  private static final class Broken extends Exception {
    private static final long serialVersionUID = 1L;

    Broken(String seen) {
      super(seen);
    }
  }

  private static final class Tolerated extends Exception {
    private static final long serialVersionUID = 1L;

    Tolerated(String seen) {
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
  private final List<String> ids;

  /** Connected by the first rule. */
  private @Nullable MapStreamClient client;

  /** Many datums at once, seen to the end; sent by the first rule that needs it. */
  private @Nullable RawStream many;

  private String endOfMany = "";

  private Contract(Setup setup) {
    this.setup = setup;
    this.ids = IntStream.rangeClosed(1, setup.datums()).mapToObj(i -> "check-" + i).toList();
  }

  /** Tries all rules; tells each row as soon as it is known. */
  static List<Row> check(Setup setup, Consumer<Row> told) throws InterruptedException {
    List<Row> rows = new ArrayList<>();
    Contract contract = new Contract(setup);
    try {
      String noMore = "";
      for (Rule rule : contract.rules()) {
        Row row = noMore.isEmpty() || contract.hasSeen(rule) ? judge(rule) : skipped(rule, noMore);
        if (contract.client == null) {
          // Without an answer to the first question, each of the others would wait for nothing.
          noMore = "nothing answers";
        } else if (noMore.isEmpty() && !rule.name().equals(DRAIN) && contract.hasEnded(row)) {
          noMore = "the function has ended";
          String seen =
              row.outcome() == Outcome.FAIL
                  ? "it has ended after \""
                      + rows.getLast().name()
                      + "\", in \""
                      + row.name()
                      + "\": "
                      + row.seen()
                  : "it has ended after \"" + row.name() + "\"";
          Row ended = new Row("runs-on", "runs on after each stream", Outcome.FAIL, seen);
          // Whether the rule is kept can't be told when nobody was there to keep it.
          row = row.outcome() == Outcome.FAIL ? skipped(rule, noMore) : row;
          for (Row each :
              row.outcome() == Outcome.SKIP ? List.of(ended, row) : List.of(row, ended)) {
            rows.add(each);
            told.accept(each);
          }
          continue;
        }
        rows.add(row);
        told.accept(row);
      }
    } finally {
      if (contract.client != null) {
        contract.client.close();
      }
    }
    return rows;
  }

  /** Whether a rule is judged by the stream of many datums, which is already seen to its end. */
  private boolean hasSeen(Rule rule) {
    return many != null && many.unanswered().isEmpty() && OF_MANY.contains(rule.name());
  }

  private static Row skipped(Rule rule, String reason) {
    return new Row(rule.name(), rule.text(), Outcome.SKIP, reason);
  }

  /**
   * Whether nobody listens on the socket any more. A server that stops has told its client so
   * before it closes the socket, which is then waited for.
   */
  private boolean hasEnded(Row row) throws InterruptedException {
    boolean isStopping = row.outcome() == Outcome.FAIL && row.seen().contains("UNAVAILABLE");
    long end = System.nanoTime() + (isStopping ? CLOSES.toNanos() : 0);
    while (isListening()) {
      if (System.nanoTime() - end >= 0) {
        return false;
      }
      TimeUnit.MILLISECONDS.sleep(10);
    }
    return true;
  }

  private boolean isListening() {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      return channel.connect(UnixDomainSocketAddress.of(setup.socketPath()));
    } catch (IOException e) {
      return false;
    }
  }

  private static Row judge(Rule rule) throws InterruptedException {
    try {
      rule.probe().run();
      return new Row(rule.name(), rule.text(), Outcome.PASS, "");
    } catch (Broken e) {
      return new Row(rule.name(), rule.text(), Outcome.FAIL, String.valueOf(e.getMessage()));
    } catch (Tolerated e) {
      return new Row(rule.name(), rule.text(), Outcome.WARN, String.valueOf(e.getMessage()));
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
                new Rule("eot-once", "ends each datum once", kept(StreamRules.Rule.ONE_EOT)),
                new Rule("eot-last", "sends nothing after an EOT", kept(StreamRules.Rule.EOT_LAST)),
                new Rule(
                    "eot-alone", "sends no results with an EOT", kept(StreamRules.Rule.EOT_ALONE)),
                new Rule("ids", "answers what was sent", kept(StreamRules.Rule.KNOWN_ID)),
                new Rule("content", "sends results or an EOT", kept(StreamRules.Rule.CONTENT)),
                new Rule("marks", "marks results rightly", kept(StreamRules.Rule.MARKS)),
                new Rule("complete", "closes with OK when all is answered", this::completes),
                new Rule("half-close", "drains at a half-close, then OK", this::halfClose),
                new Rule("half-close-empty", "OK too if nothing was sent", this::halfCloseEmpty),
                new Rule("order", "keeps the order within an id", this::order),
                new Rule("id-again", "takes an id again after its EOT", this::idAgain),
                new Rule("id-twice", "takes an id that is still open", this::idTwice),
                new Rule("two-streams", "keeps two streams apart", this::twoStreams),
                new Rule("no-keys", "takes a datum without keys, headers", this::noKeys),
                new Rule("metadata", "takes metadata, sends no system part back", this::metadata),
                new Rule("empty-value", "takes an empty value", this::emptyValue),
                new Rule("big-message", "takes a big message", this::bigMessage),
                new Rule("slow-reader", "waits for a client that reads late", this::slowReader),
                new Rule("cancel", "goes on after a cancelled stream", this::cancel),
                new Rule("disconnect", "goes on after a cut connection", this::disconnect),
                new Rule(
                    "handshake-first",
                    "refuses a datum first, INVALID_ARGUMENT",
                    () -> refused(Codec.request("check-1", datum()))),
                new Rule(
                    "handshake-sot",
                    "refuses a handshake without sot likewise",
                    () -> refused(Codec.handshake(false))),
                new Rule("still-ready", "is ready and answers after all that", this::stillReady)));
    setup
        .drained()
        .ifPresent(process ->
            rules.add(new Rule(DRAIN, "drains at SIGTERM, exits with 0", () -> drain(process))));
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

  private static void requireNoFault(RawStream stream, Set<StreamRules.Rule> rules) throws Broken {
    for (StreamRules.Fault fault : stream.faults()) {
      require(!rules.contains(fault.rule()), fault.text());
    }
  }

  // Streams.

  private MapStreamClient.Builder client() {
    return MapStreamClient.builder(setup.socketPath()).timeout(setup.patience());
  }

  private RawStream open() {
    return Objects.requireNonNull(client, "not connected").openRawStream();
  }

  /** A stream that reads all and has the echo of its handshake. */
  private RawStream openAndShake() throws InterruptedException {
    RawStream stream = open().read(Integer.MAX_VALUE).send(Codec.handshake());
    // Whether the echo is right is for another rule.
    stream.await(() -> !stream.responses().isEmpty());
    return stream;
  }

  private RawStream sendAll(RawStream stream) {
    ids.forEach(id -> stream.send(id, datum()));
    return stream;
  }

  private static void awaitFirstResult(RawStream stream) throws InterruptedException {
    stream.await(() -> stream.responses().size() > 1);
  }

  private static void requireEots(RawStream stream, int count, String when)
      throws Broken, InterruptedException {
    require(
        stream.await(() -> stream.eots() >= count),
        when + ": " + stream.eots() + " of " + count + " EOT(s); " + stream);
  }

  // Who is there.

  private void ready() throws Broken, InterruptedException {
    try {
      client = client().connect();
    } catch (WaitTimeoutError e) {
      throw new Broken(String.valueOf(e.getMessage()));
    }
  }

  private void serverInfo() throws Broken, Tolerated, Skipped, InterruptedException {
    Path file =
        setup.serverInfo().orElseThrow(() -> new Skipped("no file was named by --server-info"));
    try (MapStreamClient announced = client().serverInfoFile(file).connect()) {
      if (announced.serverInfo().orElseThrow().minimumNumaflowVersion().isEmpty()) {
        throw new Tolerated(
            "minimum_numaflow_version is empty: the platform logs a warning and checks no release");
      }
    } catch (ProtocolFaultError | WaitTimeoutError e) {
      throw new Broken(String.valueOf(e.getMessage()));
    }
  }

  private void handshake() throws Broken, InterruptedException {
    try (RawStream stream = openAndShake()) {
      require(!stream.responses().isEmpty(), "no response; " + stream);
      requireNoFault(stream, Set.of(StreamRules.Rule.HANDSHAKE));
    }
  }

  private void refused(MapRequest first) throws Broken, InterruptedException {
    try (RawStream stream = open().read(Integer.MAX_VALUE).send(first)) {
      stream.awaitEnd();
      require(
          stream.status().map(StreamStatus::code).orElse("").equals("INVALID_ARGUMENT"),
          stream.responses().size() + " response(s), and " + stream);
    }
  }

  // Many datums at once, seen from many sides.

  private RawStream many() throws InterruptedException {
    RawStream seen = many;
    if (seen == null) {
      try (RawStream stream = openAndShake()) {
        sendAll(stream);
        boolean answered = stream.await(() -> stream.eots() >= ids.size());
        endOfMany = answered ? "" : stream.toString();
        stream.halfClose();
        // Also to see what comes after the last EOT.
        stream.awaitEnd();
        endOfMany = answered ? stream.toString() : endOfMany;
        seen = stream;
        many = seen;
      }
    }
    return seen;
  }

  private Probe kept(StreamRules.Rule rule) {
    return () -> requireNoFault(many(), Set.of(rule));
  }

  private void everyDatumEnds() throws Broken, InterruptedException {
    requireAllAnswered(many(), endOfMany);
  }

  private void requireAllAnswered(RawStream stream, String end) throws Broken {
    Set<String> left = new TreeSet<>(stream.unanswered());
    require(
        left.isEmpty(),
        left.size()
            + " of "
            + ids.size()
            + " datums have no EOT, such as "
            + left.stream().findFirst().orElse("")
            + "; "
            + end);
  }

  private void completes() throws Broken, Skipped, InterruptedException {
    if (!many().unanswered().isEmpty()) {
      throw new Skipped("not all was answered");
    }
    require(many().isOk(), endOfMany);
  }

  private void halfClose() throws Broken, InterruptedException {
    try (RawStream stream = sendAll(openAndShake())) {
      stream.halfClose();
      stream.awaitEnd();
      requireAllAnswered(stream, stream.toString());
      require(stream.isOk(), stream.toString());
    }
  }

  private void halfCloseEmpty() throws Broken, InterruptedException {
    try (RawStream stream = openAndShake()) {
      stream.halfClose();
      stream.awaitEnd();
      require(stream.isOk(), stream.toString());
    }
  }

  private void order() throws Broken, Skipped, InterruptedException {
    // The same datum for all, times included.
    Datum datum = datum();
    List<MapResponse.Result> alone = alone(datum);
    if (!alone.equals(alone(datum))) {
      throw new Skipped("the function answers one datum in different ways");
    }
    try (RawStream stream = openAndShake()) {
      ids.forEach(id -> stream.send(id, datum));
      stream.await(() -> stream.unanswered().isEmpty());
      Map<String, List<MapResponse.Result>> results = results(stream);
      for (String id : ids) {
        List<MapResponse.Result> among = results.getOrDefault(id, List.of());
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
    try (RawStream stream = openAndShake().send("check", datum)) {
      stream.await(() -> stream.eots() >= 1);
      return results(stream).getOrDefault("check", List.of());
    }
  }

  /**
   * The results by their ids, in order, however they were packed into responses. What follows an
   * EOT is a fault of its own and left out.
   */
  private static Map<String, List<MapResponse.Result>> results(RawStream stream) {
    Map<String, List<MapResponse.Result>> results = new HashMap<>();
    Set<String> ended = new HashSet<>();
    for (MapResponse response : stream.responses()) {
      if (!ended.contains(response.getId())) {
        results
            .computeIfAbsent(response.getId(), id -> new ArrayList<>())
            .addAll(response.getResultsList());
      }
      if (response.getStatus().getEot()) {
        ended.add(response.getId());
      }
    }
    return results;
  }

  // Ids and streams.

  private void idAgain() throws Broken, InterruptedException {
    try (RawStream stream = openAndShake()) {
      for (int times = 1; times <= 2; times++) {
        stream.send("check", datum());
        requireEots(stream, times, times == 1 ? "the first time" : "the second time");
      }
    }
  }

  private void idTwice() throws Broken, InterruptedException {
    try (RawStream stream = openAndShake()) {
      stream.send("check", datum()).send("check", datum());
      requireEots(stream, 2, "sent twice at once");
    }
  }

  private void twoStreams() throws Broken, InterruptedException {
    try (RawStream one = openAndShake();
        RawStream other = openAndShake()) {
      for (String id : ids) {
        one.send(id, datum());
        other.send(id, datum());
      }
      requireEots(one, ids.size(), "first stream");
      requireEots(other, ids.size(), "second stream");
      for (RawStream stream : List.of(one, other)) {
        stream.halfClose();
        stream.awaitEnd();
        requireNoFault(stream, Set.of(StreamRules.Rule.KNOWN_ID, StreamRules.Rule.ONE_EOT));
      }
    }
  }

  // Datums.

  private void noKeys() throws Broken, InterruptedException {
    requireAnswer(setup.datum().get().keys(List.of()).headers(Map.of()).build());
  }

  private void metadata() throws Broken, Tolerated, InterruptedException {
    Datum datum =
        setup
            .datum()
            .get()
            .userMetadata(
                Metadata.empty().with("check", "text", "x").with("check", "bytes", new byte[] {-1}))
            .systemMetadata(Metadata.empty().with("check", "text", "x"))
            .traceContext(
                Map.of("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
            .build();
    try (RawStream stream = openAndShake().send("check", datum)) {
      requireEots(stream, 1, "one datum");
      if (results(stream).getOrDefault("check", List.of()).stream()
          .anyMatch(result -> result.getMetadata().getSysMetadataCount() > 0)) {
        throw new Tolerated("a result has system metadata, which the platform ignores");
      }
    }
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
    try (RawStream stream = openAndShake().send("check", datum)) {
      requireEots(stream, 1, "one datum");
    }
  }

  // A client that is slow or goes away.

  private void slowReader() throws Broken, InterruptedException {
    try (RawStream stream = open().read(1).send(Codec.handshake())) {
      stream.await(() -> !stream.responses().isEmpty());
      sendAll(stream).read(Integer.MAX_VALUE);
      requireEots(stream, ids.size(), "read late");
    }
  }

  private void cancel() throws Broken, InterruptedException {
    try (RawStream stream = sendAll(openAndShake())) {
      awaitFirstResult(stream);
    }
    requireAnswer(datum());
  }

  private void disconnect() throws Broken, InterruptedException {
    try (MapStreamClient other = client().connect()) {
      RawStream stream = other.openRawStream().read(Integer.MAX_VALUE).send(Codec.handshake());
      stream.await(() -> !stream.responses().isEmpty());
      awaitFirstResult(sendAll(stream));
    }
    requireAnswer(datum());
  }

  private void stillReady() throws Broken, InterruptedException {
    try {
      client().connect().close();
    } catch (WaitTimeoutError e) {
      throw new Broken(String.valueOf(e.getMessage()));
    }
    requireAnswer(datum());
  }

  // The stop.

  private void drain(Drained process) throws Broken, InterruptedException {
    try (RawStream stream = sendAll(openAndShake())) {
      // A datum that has a result was taken, and has to be finished; others may be left.
      awaitFirstResult(stream);
      Set<String> taken = new HashSet<>(results(stream).keySet());
      require(process.handle().destroy(), "SIGTERM could not be sent to " + process.handle().pid());
      stream.awaitEnd();
      taken.retainAll(stream.unanswered());
      require(taken.isEmpty(), taken.size() + " datum(s) had results and got no EOT; " + stream);
      requireNoFault(stream, Set.of(StreamRules.Rule.ALL_ANSWERED));
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
