package io.mapstream.testkit.cli;

import io.mapstream.Datum;
import io.mapstream.Message;
import io.mapstream.testkit.ClientStream;
import io.mapstream.testkit.MapStreamClient;
import io.mapstream.testkit.ReplyListener;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Feeds lines to a function and prints what comes back, as it comes. */
@Command(
    name = "drive",
    description = {
      "Feeds lines to a function, a datum each, and prints its results as they arrive.",
      "",
      "With --json a line is an object, of which every member may be missing:",
      "  {\"id\":\"7\",\"keys\":[\"k\"],\"value\":\"text\",\"headers\":{\"n\":\"v\"},",
      "   \"eventTime\":\"2026-01-01T00:00:00Z\",\"watermark\":\"2026-01-01T00:00:00Z\",",
      "   \"traceContext\":{\"traceparent\":\"00-...-01\"}}",
      "with \"valueBase64\" in place of \"value\" for bytes that are no text.",
      ""
    })
final class DriveCommand implements Callable<Integer> {

  private final Terminal terminal;

  @Mixin private Target target = new Target();

  @Option(names = "--json", description = "Reads JSON Lines.")
  private boolean json;

  @Option(
      names = "--output",
      paramLabel = "FORMAT",
      defaultValue = "TEXT",
      description = {
        "What is printed of a result: text (id, value, keys, tags and mark, control characters"
            + " escaped), value (its bytes and a line break) or json (a line with all it has)."
      })
  private ResultPrinter.Format output = ResultPrinter.Format.TEXT;

  @Mixin private DatumOptions options = new DatumOptions();

  @Option(
      names = "--id-prefix",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "What ids begin with; the number of the line follows.")
  private String idPrefix = "";

  @Option(
      names = "--in-flight",
      paramLabel = "N",
      defaultValue = "500",
      description = "How many datums are open at most; 1 keeps their order.")
  private int inFlight = 500;

  @Option(
      names = {"-q", "--quiet"},
      description = "Doesn't say at the end how much it was.")
  private boolean quiet;

  @Parameters(
      paramLabel = "FILE",
      arity = "0..*",
      description =
          "Files to read, one after the other; standard input if there is none, or for -.")
  private List<Path> files = List.of();

  DriveCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws Exception {
    Units.requireAtLeastOne("--in-flight", inFlight);
    DatumLines datums = new DatumLines(json, idPrefix, options);
    // Files are looked at before a function is started for them.
    LineReader lines = LineReader.of(files, terminal.in());
    try (Function function = target.open(terminal);
        MapStreamClient client = function.connect()) {
      drive(client.stream(), lines, datums);
    }
    return Main.OK;
  }

  private void drive(ClientStream stream, LineReader lines, DatumLines datums) throws Exception {
    OpenDatums open = new OpenDatums(target.timeout);
    ResultPrinter printer = new ResultPrinter(terminal.out(), output);
    AtomicLong results = new AtomicLong();
    long sent = 0;
    lines.start();
    try {
      LineReader.Line line;
      while ((line = lines.next(open::throwFailure)) != null) {
        DatumLines.Identified next = datums.read(line);
        if (next != null) {
          open.awaitFewerThan(inFlight);
          Datum datum = next.datum();
          stream.send(next.id(), datum, open.enter(printing(next.id(), printer, results)));
          sent++;
        }
      }
    } catch (UsageFault e) {
      // What was sent before the line that can't be read is still answered.
      open.awaitFewerThan(1);
      throw e;
    }
    open.awaitFewerThan(1);
    stream.complete(target.timeout);
    if (!quiet) {
      terminal.err().println(sent + " datum(s), " + results + " result(s)");
    }
  }

  private static ReplyListener printing(String id, ResultPrinter printer, AtomicLong results) {
    return new ReplyListener() {
      @Override
      public void message(Message message) {
        printer.print(id, message);
        results.incrementAndGet();
      }

      @Override
      public void ended() {}

      @Override
      public void failed(Throwable reason) {}
    };
  }
}
