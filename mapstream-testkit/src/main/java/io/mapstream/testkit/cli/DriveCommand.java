package io.mapstream.testkit.cli;

import io.mapstream.testkit.ClientStream;
import io.mapstream.testkit.MapStreamClient;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Sends lines to a function and prints the results as they arrive. */
@Command(
    name = "drive",
    description = {
      "Sends lines to a function, one datum per line, and prints its results as they arrive.",
      "",
      "With --json each line is an object; all members are optional. Lines written by",
      "--output json are accepted; those with a mark are not sent.",
      "  {\"id\":\"7\",\"keys\":[\"k\"],\"value\":\"text\",\"headers\":{\"n\":\"v\"},",
      "   \"eventTime\":\"2026-01-01T00:00:00Z\",\"watermark\":\"2026-01-01T00:00:00Z\",",
      "   \"traceContext\":{\"traceparent\":\"00-...-01\"},",
      "   \"userMetadata\":{\"group\":{\"key\":\"text\"}},\"systemMetadata\":{}}",
      "Use \"valueBase64\" instead of \"value\" for bytes that are not text, and",
      "{\"base64\":\"...\"} instead of a string in metadata.",
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
      description =
          "How a result is printed: text (the default: id, value, keys, tags, mark and metadata,"
              + " with control characters escaped), value (its bytes and a line break) or json (one"
              + " line with everything).")
  private ResultPrinter.Format output = ResultPrinter.Format.TEXT;

  @Mixin private DatumOptions options = new DatumOptions();

  @Option(
      names = "--id-prefix",
      paramLabel = "TEXT",
      description = "A prefix of the ids; the number of the line follows it.")
  private String idPrefix = "";

  @Option(
      names = "--in-flight",
      paramLabel = "N",
      description = "The maximum number of open datums, 500 by default; 1 keeps their order.")
  private int inFlight = 500;

  @Option(
      names = "--progress",
      description = "Prints a line per second, even if standard error is not a terminal.")
  private boolean progress;

  @Option(
      names = {"-q", "--quiet"},
      description = "Prints neither progress nor a summary.")
  private boolean quiet;

  @Parameters(
      paramLabel = "FILE",
      arity = "0..*",
      description = "Files to read, one after another; standard input if none is given, or for -.")
  private List<Path> files = List.of();

  DriveCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws Exception {
    Units.requireAtLeastOne("--in-flight", inFlight);
    DatumLines datums = new DatumLines(json, idPrefix, options);
    // Check the files before starting a function.
    LineReader lines = LineReader.of(files, terminal.in());
    try (FunctionProcess function = target.open(terminal, null);
        MapStreamClient client = function.connect(target.timeout)) {
      drive(client.stream(), lines, datums);
      return Main.OK;
    } catch (UncheckedIOException e) {
      if (String.valueOf(e.getMessage()).contains("Broken pipe")) {
        return Main.OK; // As with "| head".
      }
      throw e;
    }
  }

  private void drive(ClientStream stream, LineReader lines, DatumLines datums) throws Exception {
    LoadMeter meter = new LoadMeter(target.timeout);
    Supplier<String> line = () -> progress(meter.measured());
    try (ProgressLine shown = quiet ? null : new ProgressLine(terminal, progress, 2, line)) {
      Runnable erase = shown == null ? () -> {} : shown::erase;
      send(stream, lines, datums, new ResultPrinter(terminal, output, erase), meter);
    } catch (InterruptedException e) {
      sumUp(meter);
      throw e;
    }
    sumUp(meter);
  }

  private void send(
      ClientStream stream,
      LineReader lines,
      DatumLines datums,
      ResultPrinter printer,
      LoadMeter meter)
      throws Exception {
    lines.start();
    try {
      LineReader.Line line;
      while ((line = lines.next(meter::verify)) != null) {
        DatumLines.Identified next = datums.read(line);
        if (next != null) {
          meter.awaitFewerThan(inFlight);
          AtomicInteger results = new AtomicInteger();
          meter.send(
              stream,
              next.id(),
              next.datum(),
              System.nanoTime(),
              message -> printer.print(next, results.incrementAndGet(), message));
        }
      }
    } catch (UsageFault e) {
      // Datums sent before the unreadable line are still answered.
      try {
        meter.awaitFewerThan(1);
      } catch (RuntimeException | Error failure) {
        e.addSuppressed(failure);
      }
      throw e;
    }
    meter.awaitFewerThan(1);
    if (datums.marked() > 0 && !quiet) {
      terminal.err().println(datums.marked() + " line(s) with a mark were not sent");
    }
    target.complete(stream);
  }

  private void sumUp(LoadMeter meter) {
    if (!quiet) {
      terminal.err().println(summary(meter.measured()));
    }
  }

  private static String progress(LoadMeter.Measured now) {
    return LoadReport.format(
        "%.0f s: %,d datum(s), %,d result(s)", now.nanos() / 1e9, now.requests(), now.results());
  }

  private static String summary(LoadMeter.Measured all) {
    String counts = all.requests() + " datum(s), " + all.results() + " result(s)";
    return all.results() == 0
        ? counts
        : counts
            + LoadReport.format(
                " in %.2f s, %s results/s; to the first result p50 %s ms, p99 %s ms",
                all.nanos() / 1e9,
                LoadReport.rate(all.perSecond(all.results())),
                LoadReport.shown(all.first(), 50),
                LoadReport.shown(all.first(), 99));
  }
}
