package io.mapstream.testkit.cli;

import io.mapstream.Datum;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Judges a function by the {@linkplain ContractRules rules} between it and the platform. */
final class Contract {

  /** How long a server that says that it stops may take to close its socket. */
  private static final Duration CLOSES = Duration.ofSeconds(2);

  /** The rules that a function breaks by ending. */
  private static final Set<String> GOES_ON = Set.of("cancel", "disconnect");

  /**
   * What is tried and with what.
   *
   * @param function what is judged
   * @param datum makes what is sent; a supplier, since event times should not be all the same
   * @param datums how many are sent at once
   * @param bigMessage bytes of a request that is big and within the limits
   * @param emptyValue whether the function takes an empty value
   * @param patience how long to wait for the next response
   * @param drain whether to tell the function's process to stop
   */
  record Setup(
      Function function,
      Supplier<Datum.Builder> datum,
      int datums,
      int bigMessage,
      boolean emptyValue,
      Duration patience,
      boolean drain) {}

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

  private final Setup setup;
  private final Consumer<Row> told;
  private final List<Row> rows = new ArrayList<>();

  /** Why no further rule can be tried; empty while they can. */
  private String noMore = "";

  private Contract(Setup setup, Consumer<Row> told) {
    this.setup = setup;
    this.told = told;
  }

  /** Tries all rules; tells each row as soon as it is known. */
  static List<Row> check(Setup setup, Consumer<Row> told) throws InterruptedException {
    Contract contract = new Contract(setup, told);
    try (ContractRules rules = new ContractRules(setup)) {
      for (ContractRules.Rule rule : rules.all()) {
        if (contract.noMore.isEmpty() || rules.hasSeen(rule)) {
          contract.add(rule, judge(rule), rules.isConnected());
        } else {
          contract.add(rule.row(Outcome.SKIP, contract.noMore));
        }
      }
      if (setup.drain()) {
        ContractRules.Rule drain = rules.drain();
        boolean runs = contract.noMore.isEmpty();
        contract.add(runs ? judge(drain) : drain.row(Outcome.SKIP, contract.noMore));
      }
    }
    return contract.rows;
  }

  private static Row judge(ContractRules.Rule rule) throws InterruptedException {
    try {
      rule.probe().run();
      return rule.row(Outcome.PASS, "");
    } catch (CheckStreams.Verdict e) {
      return rule.row(e.outcome, String.valueOf(e.getMessage()));
    } catch (AssertionError e) {
      return rule.row(Outcome.FAIL, String.valueOf(e.getMessage()));
    }
  }

  private void add(Row row) {
    rows.add(row);
    told.accept(row);
  }

  /** Adds a row, and another one where the function has ended after it or in it. */
  private void add(ContractRules.Rule rule, Row row, boolean isConnected)
      throws InterruptedException {
    boolean failed = row.outcome() == Outcome.FAIL;
    if (!isConnected) {
      // Without an answer to the first question, each of the others would wait for nothing.
      noMore = "nothing answers";
      add(row);
    } else if (!noMore.isEmpty() || !hasEnded(failed ? row.seen() : "")) {
      add(row);
    } else {
      noMore = "the function has ended";
      if (GOES_ON.contains(rule.name())) {
        add(rule.row(Outcome.FAIL, failed ? noMore + ": " + row.seen() : noMore));
        return;
      }
      String after = failed ? rows.getLast().name() : row.name();
      String in = failed ? ", in \"" + row.name() + "\": " + row.seen() : "";
      Row ended =
          new Row(
              "runs-on",
              "runs on after each stream",
              Outcome.FAIL,
              "it has ended after \"" + after + "\"" + in);
      // Whether a rule is kept can't be told when nobody was there to keep it.
      (failed ? List.of(ended, rule.row(Outcome.SKIP, noMore)) : List.of(row, ended))
          .forEach(this::add);
    }
  }

  /**
   * Whether nobody listens on the socket any more. A server that stops has told its client so
   * before it closes the socket, which is then waited for.
   */
  private boolean hasEnded(String seen) throws InterruptedException {
    boolean isStopping = seen.contains("UNAVAILABLE") || seen.contains("CANCELLED");
    long end = System.nanoTime() + (isStopping ? CLOSES.toNanos() : 0);
    while (isListening()) {
      if (System.nanoTime() - end >= 0) {
        return false;
      }
      Thread.sleep(10);
    }
    return true;
  }

  private boolean isListening() {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      return channel.connect(UnixDomainSocketAddress.of(setup.function().socketPath()));
    } catch (IOException e) {
      return false;
    }
  }
}
