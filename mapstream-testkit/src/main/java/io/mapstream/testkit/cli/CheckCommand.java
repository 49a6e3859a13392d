package io.mapstream.testkit.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.mapstream.testkit.cli.Contract.Outcome;
import io.mapstream.testkit.cli.Contract.Row;
import java.io.IOException;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Tells whether a function honours the contract with the platform. */
@Command(
    name = "check",
    description = {
      "Tells whether a running function honours the contract with the platform, whatever it"
          + " computes and whichever language it is written in. A row for each rule: PASS, FAIL"
          + " or WARN (the platform takes it) with what was seen, or SKIP with the reason.",
      "",
      "The function gets --value many times, on several streams; choose one that does no harm.",
      ""
    })
final class CheckCommand implements Callable<Integer> {

  private final Terminal terminal;

  @Mixin private Target target = new Target();

  @Option(
      names = "--value",
      paramLabel = "TEXT",
      description = "The value of each datum; one that the function takes.")
  private String value = "check";

  @Mixin private DatumOptions options = new DatumOptions();

  @Option(
      names = "--datums",
      paramLabel = "N",
      description = "How many datums are sent at once where many are.")
  private int datums = 100;

  @Option(
      names = "--big-message",
      paramLabel = "SIZE",
      defaultValue = "8MiB",
      converter = Units.SizeConverter.class,
      description = "The size of the big message, which is big by a header; up to 60MiB.")
  private int bigMessage = 8 * 1024 * 1024;

  @Option(names = "--empty-value", description = "Sends an empty value, too.")
  private boolean emptyValue;

  @Option(
      names = "--drain",
      description =
          "Ends the function of --pid by SIGTERM and looks how it drains. A function of --class is"
              + " ended so in any case.")
  private boolean drain;

  @Option(names = "--pid", paramLabel = "PID", description = "The function's process, for --drain.")
  private @Nullable Long pid;

  @Option(names = "--json", description = "Prints one JSON object in place of the table.")
  private boolean json;

  /** What the row before was told with. */
  private String seenBefore = "";

  CheckCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    Units.requireAtLeastOne("--datums", datums);
    Units.requirePositive("--timeout", target.timeout);
    if (bigMessage > 60 * 1024 * 1024) {
      throw new UsageFault("--big-message must be at most 60MiB but was " + bigMessage);
    }
    if (pid != null && !drain) {
      throw new UsageFault("--pid " + pid + " is of no use without --drain");
    }
    if (drain && target.functionClass != null) {
      throw new UsageFault("--drain is of no use with --class, which is drained in any case");
    }
    if (drain && pid == null) {
      throw new UsageFault("--drain needs --pid");
    }
    try (Function function = target.open(terminal, pid)) {
      Contract.Setup setup =
          new Contract.Setup(
              function,
              () -> options.builder(null).value(value.getBytes(UTF_8)),
              datums,
              bigMessage,
              emptyValue,
              target.timeout,
              drain || target.functionClass != null);
      List<Row> rows = Contract.check(setup, this::print);
      String name = function.name();
      terminal.out().println(json ? json(name, rows) : text(name, rows));
      return count(rows, Outcome.FAIL) == 0 ? Main.OK : Main.FAILED;
    }
  }

  private void print(Row row) {
    if (json) {
      return;
    }
    PrintStream out = terminal.out();
    out.println("%-4s  %-17s %s".formatted(row.outcome(), row.name(), row.rule()).strip());
    // One reason not to try the whole rest is told once.
    boolean told = row.outcome() == Outcome.SKIP && row.seen().equals(seenBefore);
    if (!row.seen().isEmpty() && !told) {
      out.println(" ".repeat(24) + row.seen().replaceAll("\\s*\\R\\s*", "; "));
    }
    seenBefore = row.seen();
  }

  private static String text(String name, List<Row> rows) {
    return "%s: %d passed, %d tolerated, %d failed, %d not checked"
        .formatted(
            name,
            count(rows, Outcome.PASS),
            count(rows, Outcome.WARN),
            count(rows, Outcome.FAIL),
            count(rows, Outcome.SKIP));
  }

  private static long count(List<Row> rows, Outcome outcome) {
    return rows.stream().filter(row -> row.outcome() == outcome).count();
  }

  private static String json(String name, List<Row> rows) {
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("function", name);
    report.put("passed", count(rows, Outcome.PASS));
    report.put("tolerated", count(rows, Outcome.WARN));
    report.put("failed", count(rows, Outcome.FAIL));
    report.put("notChecked", count(rows, Outcome.SKIP));
    report.put("rows", rows);
    return JsonValue.write(report);
  }
}
