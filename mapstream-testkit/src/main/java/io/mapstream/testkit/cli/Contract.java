package io.mapstream.testkit.cli;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** Checks a function against the {@linkplain ContractRules rules} of the platform. */
final class Contract {

  /** How long a server may take to close its socket after it has reported that it is stopping. */
  private static final Duration CLOSES = Duration.ofSeconds(2);

  /** The rules that a function violates if it ends. */
  private static final Set<String> GOES_ON = Set.of("cancel", "disconnect");

  /** The outcome of a rule. */
  enum Outcome {
    PASS,
    /** Violated, but tolerated by the platform. */
    WARN,
    FAIL,
    SKIP
  }

  /**
   * A row of the table.
   *
   * @param name a short name
   * @param rule the requirement
   * @param seen what was observed instead, or why the rule was skipped; empty if it passed
   */
  record Row(String name, String rule, Outcome outcome, String seen) {}

  private final FunctionProcess function;
  private final Consumer<Row> reporter;
  private final List<Row> rows = new ArrayList<>();

  /** Why no further rules can be tried; empty as long as they can. */
  private String noMore = "";

  private Contract(FunctionProcess function, Consumer<Row> reporter) {
    this.function = function;
    this.reporter = reporter;
  }

  /** Tries all rules, and passes each row to {@code reporter} as soon as it is known. */
  static List<Row> check(CheckCommand settings, FunctionProcess function, Consumer<Row> reporter)
      throws InterruptedException {
    Contract contract = new Contract(function, reporter);
    try (ContractRules rules = new ContractRules(settings, function)) {
      for (ContractRules.Rule rule : rules.all()) {
        if (contract.noMore.isEmpty() || rules.hasSeen(rule)) {
          contract.add(rule, judge(rule), rules.isConnected());
        } else {
          contract.add(rule.row(Outcome.SKIP, contract.noMore));
        }
      }
      if (settings.drain || settings.target.functionClass != null) {
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
    reporter.accept(row);
  }

  /** Adds a row, and another one if the function ended during or after the rule. */
  private void add(ContractRules.Rule rule, Row row, boolean isConnected)
      throws InterruptedException {
    boolean failed = row.outcome() == Outcome.FAIL;
    if (!isConnected) {
      // Each of the other rules would only time out.
      noMore = "the function is not ready";
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
              "keeps running after each stream",
              Outcome.FAIL,
              "it ended after \"" + after + "\"" + in);
      // A rule cannot be judged if the function ended while it was tried.
      (failed ? List.of(ended, rule.row(Outcome.SKIP, noMore)) : List.of(row, ended))
          .forEach(this::add);
    }
  }

  /**
   * Returns true if nothing listens on the socket any more. A stopping server informs its client
   * before it closes the socket, so this method waits for the close.
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
      return channel.connect(UnixDomainSocketAddress.of(function.socketPath()));
    } catch (IOException e) {
      return false;
    }
  }
}
