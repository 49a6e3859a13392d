package io.mapstream.testkit.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.mapstream.Datum;
import io.mapstream.testkit.cli.Contract.Outcome;
import io.mapstream.testkit.cli.Contract.Row;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Checks whether a function keeps the contract with the platform. */
@Command(
    name = "check",
    description = {
      "Checks whether a running function, written in any language, keeps the contract with the"
          + " platform. Prints a row for each rule: PASS; FAIL, or WARN if the platform tolerates"
          + " the violation, with what was observed; or SKIP with the reason.",
      "",
      "The function gets --value many times, on several streams; choose a harmless one.",
      ""
    })
final class CheckCommand implements Callable<Integer> {

  private final Terminal terminal;

  @Mixin Target target = new Target();

  @Option(
      names = "--value",
      paramLabel = "TEXT",
      description = "The value of each datum, which the function must accept; 'check' by default.")
  private String value = "check";

  @Mixin private DatumOptions options = new DatumOptions();

  @Option(
      names = "--datums",
      paramLabel = "N",
      description = "How many datums are sent at once when a rule needs many; 100 by default.")
  int datums = 100;

  @Option(
      names = "--big-message",
      paramLabel = "SIZE",
      converter = Units.SizeConverter.class,
      description =
          "The size of the big message, most of it in a header; 8MiB by default, at most 60MiB.")
  int bigMessage = 8 * 1024 * 1024;

  @Option(names = "--empty-value", description = "Also sends an empty value.")
  boolean emptyValue;

  @Option(
      names = "--drain",
      description =
          "Stops the function of --pid with SIGTERM and checks that it drains. A function of"
              + " --class is always stopped this way.")
  boolean drain;

  @Option(names = "--pid", paramLabel = "PID", description = "The function's process, for --drain.")
  private @Nullable Long pid;

  @Option(names = "--json", description = "Prints one JSON object instead of the table.")
  private boolean json;

  /** What was observed for the previous row. */
  private String seenBefore = "";

  CheckCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    Units.requireAtLeastOne("--datums", datums);
    if (bigMessage > 60 * 1024 * 1024) {
      throw new UsageFault(
          "--big-message must be at most 62914560 bytes (60MiB) but was " + bigMessage + " bytes");
    }
    if (pid != null && !drain) {
      throw new UsageFault("--pid " + pid + " requires --drain");
    }
    if (drain && target.functionClass != null) {
      throw new UsageFault("--drain is not needed with --class, whose function is always drained");
    }
    if (drain && pid == null) {
      throw new UsageFault("--drain needs --pid");
    }
    try (FunctionProcess function = target.open(terminal, pid)) {
      List<Row> rows = Contract.check(this, function, this::print);
      String name = function.name();
      terminal.print((json ? json(name, rows) : text(name, rows)) + "\n");
      return count(rows, Outcome.FAIL) == 0 ? Main.OK : Main.FAILED;
    }
  }

  /** Returns a new datum, so that event times differ. */
  Datum.Builder datum() {
    return options.builder(null).value(value.getBytes(UTF_8));
  }

  private void print(Row row) {
    if (json) {
      return;
    }
    String text = "%-4s  %-17s %s".formatted(row.outcome(), row.name(), row.rule()).strip() + "\n";
    // If the same reason skips all remaining rules, print it only once.
    boolean reported = row.outcome() == Outcome.SKIP && row.seen().equals(seenBefore);
    if (!row.seen().isEmpty() && !reported) {
      text += " ".repeat(24) + row.seen().replaceAll("\\s*\\R\\s*", "; ") + "\n";
    }
    terminal.print(text);
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
