package io.mapstream.testkit.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.mapstream.testkit.cli.Contract.Outcome;
import io.mapstream.testkit.cli.Contract.Row;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
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
      defaultValue = "check",
      description = "The value of each datum; one that the function takes.")
  private String value = "check";

  @Mixin private DatumOptions options = new DatumOptions();

  @Option(
      names = "--datums",
      paramLabel = "N",
      defaultValue = "100",
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
      throw new UsageFault("--big-message has to be at most 60MiB but was " + bigMessage);
    }
    Optional<Contract.Drained> drained = processOfPid();
    try (Function function = target.open(terminal)) {
      Contract.Setup setup =
          new Contract.Setup(
              function.socketPath(),
              function.serverInfo(),
              () -> options.builder(null).value(value.getBytes(UTF_8)),
              datums,
              bigMessage,
              emptyValue,
              target.timeout,
              drained.or(() ->
                  function
                      .process()
                      .map(own ->
                          new Contract.Drained(
                              own.toHandle(),
                              Optional.of(own.onExit().thenApply(Process::exitValue))))));
      List<Row> rows = Contract.check(setup, this::print);
      finish(function.name(), rows);
      return count(rows, Outcome.FAIL) == 0 ? Main.OK : Main.FAILED;
    }
  }

  private Optional<Contract.Drained> processOfPid() {
    if (!drain) {
      if (pid != null) {
        throw new UsageFault("--pid " + pid + " is of no use without --drain");
      }
      return Optional.empty();
    }
    if (target.functionClass != null) {
      throw new UsageFault("--drain is of no use with --class, which is drained in any case");
    }
    if (pid == null) {
      throw new UsageFault("--drain needs --pid");
    }
    return Optional.of(new Contract.Drained(ServerProcess.handle(pid), Optional.empty()));
  }

  private void print(Row row) {
    if (!json) {
      terminal
          .out()
          .println("%-4s  %-17s %s".formatted(row.outcome(), row.name(), row.rule()).strip());
      // One reason for the whole rest is told once.
      if (!row.seen().isEmpty() && !row.seen().equals(seenBefore)) {
        terminal.out().println(" ".repeat(24) + row.seen().replaceAll("\\s*\\R\\s*", "; "));
      }
      seenBefore = row.seen();
    }
  }

  private void finish(String name, List<Row> rows) {
    if (json) {
      terminal.out().println(json(name, rows));
    } else {
      terminal
          .out()
          .println(
              "%s: %d passed, %d tolerated, %d failed, %d not checked"
                  .formatted(
                      name,
                      count(rows, Outcome.PASS),
                      count(rows, Outcome.WARN),
                      count(rows, Outcome.FAIL),
                      count(rows, Outcome.SKIP)));
    }
  }

  private static long count(List<Row> rows, Outcome outcome) {
    return rows.stream().filter(row -> row.outcome() == outcome).count();
  }

  private static JsonObject json(String name, List<Row> rows) {
    JsonObject report = new JsonObject();
    report.addProperty("function", name);
    report.addProperty("passed", count(rows, Outcome.PASS));
    report.addProperty("tolerated", count(rows, Outcome.WARN));
    report.addProperty("failed", count(rows, Outcome.FAIL));
    report.addProperty("notChecked", count(rows, Outcome.SKIP));
    JsonArray array = new JsonArray();
    for (Row row : rows) {
      JsonObject each = new JsonObject();
      each.addProperty("name", row.name());
      each.addProperty("rule", row.rule());
      each.addProperty("outcome", row.outcome().name());
      each.addProperty("seen", row.seen());
      array.add(each);
    }
    report.add("rows", array);
    return report;
  }
}
