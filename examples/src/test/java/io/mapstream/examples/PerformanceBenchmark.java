package io.mapstream.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.mapstream.testkit.MapStreamClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Measures {@link Fanout} in separate server processes and prints the tables of
 * docs/performance.md: {@code mvn -q -DskipTests -Pbench package}. Next to each figure is the
 * ceiling, {@link ReadyMade}. The client is in this process and takes most of the processor, so
 * that datums per second say less than the server's processor time per datum.
 *
 * <p>A figure is marked if it is more than a tenth worse than the committed one of the same
 * machine.
 */
public final class PerformanceBenchmark {

  /** Until the JIT compiler has done most of its work: see the page. */
  private static final Duration WARM_UP = Duration.ofSeconds(8);

  private static final Duration ROUND = Duration.ofSeconds(1);
  private static final int ROUNDS = 5;
  private static final double WORSE = 1.1;
  private static final String MACHINE = "machine";

  /** What one row measures: a load, and the JVM that the server runs on. */
  private record Row(String name, BenchWork work, List<String> java) {}

  private record Table(String name, String column, List<Row> rows) {}

  /** A table with other columns. */
  private interface Lines {
    List<String> measure() throws IOException, InterruptedException;
  }

  /** A server of a row with its client, and the figures of each round. */
  private static final class Side implements AutoCloseable {
    private final BenchWork work;
    private final FunctionProcess server;
    private final MapStreamClient client;
    private final double[] perSecond = new double[ROUNDS];
    private final double[] micros = new double[ROUNDS];

    private Side(BenchWork work, List<String> command) throws IOException, InterruptedException {
      this.work = work;
      server = FunctionProcess.start(command, Map.of());
      client = server.connect();
    }

    static Side ours(Row row) throws IOException, InterruptedException {
      return new Side(row.work(), command(row.java(), Fanout.class));
    }

    static Side readyMade(Row row) throws IOException, InterruptedException {
      return new Side(row.work(), ReadyMade.command(row.java(), row.work(), 0));
    }

    void round(int number, Duration time) throws InterruptedException {
      long cpu = server.cpuNanos();
      long begin = System.nanoTime();
      long datums = work.run(client, time);
      perSecond[number] = datums * 1e9 / (System.nanoTime() - begin);
      micros[number] = (server.cpuNanos() - cpu) / 1e3 / datums;
    }

    @Override
    public void close() throws IOException {
      try (server) {
        client.close();
      }
    }
  }

  private final String java;
  private final @Nullable String java21;
  private final Map<String, String> committed;
  private final Map<String, String> measured = new TreeMap<>();
  private final String machineAtStart;

  private PerformanceBenchmark(String java, @Nullable String java21, Map<String, String> committed)
      throws IOException {
    this.java = java;
    this.java21 = java21;
    this.committed = committed;
    this.machineAtStart = describe();
  }

  /**
   * Prints the tables, and writes them to the page if requested.
   *
   * @param args the page, the file of the committed figures, the tables' names separated by commas
   *     or {@code all}, {@code true} to write page and figures, and a Java 21 to compare with or
   *     {@code none}
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    Path page = Path.of(args[0]);
    Path figures = Path.of(args[1]);
    List<String> names = List.of(args[2].split(",", -1));
    boolean writes = Boolean.parseBoolean(args[3]);
    String java21 = args[4].equals("none") ? null : args[4];
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    PerformanceBenchmark benchmark = new PerformanceBenchmark(java, java21, read(figures));
    String text = Files.readString(page, UTF_8);
    System.out.println(benchmark.machineAtStart);
    for (Table table : benchmark.tables()) {
      if (names.contains("all") || names.contains(table.name())) {
        text = replace(text, table.name(), benchmark.measure(table));
      }
    }
    List<String> command = benchmark.java(java, "1g");
    Map<String, Lines> others = new LinkedHashMap<>();
    others.put("warm-up", () -> warmUp(command));
    others.put("process", () -> ProcessBenchmark.table(command, benchmark.java(java, "64m")));
    others.put("fairness", () -> FairnessBenchmark.table(command));
    for (Map.Entry<String, Lines> table : others.entrySet()) {
      if (names.contains("all") || names.contains(table.getKey())) {
        List<String> lines = table.getValue().measure();
        lines.forEach(System.out::println);
        text = replace(text, table.getKey(), lines);
      }
    }
    if (writes) {
      text = replace(text, MACHINE, List.of(benchmark.machineAtStart));
      Files.writeString(page, text, UTF_8);
      benchmark.write(figures);
    }
  }

  private List<Table> tables() {
    List<Table> tables = new ArrayList<>();
    tables.add(
        table(
            "in-flight",
            "datums in flight",
            Stream.of(1, 50, 500, 5_000).map(PerformanceBenchmark::inFlight)));
    tables.add(
        table(
            "results",
            "results per datum",
            Stream.of(1, 10, 100, 1_000, 10_000).map(n -> BenchWork.of(number(n), n, 100))));
    tables.add(
        table(
            "payload",
            "bytes of datum and result",
            Stream.of(10, 1_000, 65_536, 1_048_576, 4_000_000)
                .map(n -> BenchWork.of(number(n), 1, n))));
    tables.add(
        table(
            "keys",
            "keys, headers and metadata values",
            Stream.of(0, 3, 30).map(PerformanceBenchmark::keys)));
    tables.add(table("streams", "streams", Stream.of(1, 4, 16).map(PerformanceBenchmark::streams)));
    BenchWork large = BenchWork.ALL.getLast();
    tables.add(
        new Table(
            "heap",
            "heap (64 KiB in, two of 64 KiB out)",
            Stream.of("64m", "256m", "1g")
                .map(heap -> new Row(heap, large, java(java, heap)))
                .toList()));
    List<Row> versions = new ArrayList<>();
    for (BenchWork work : BenchWork.ALL) {
      versions.add(new Row(work.name() + ", this Java", work, java(java, "1g")));
      if (java21 != null) {
        versions.add(new Row(work.name() + ", Java 21", work, java(java21, "1g")));
      }
    }
    tables.add(new Table("java", "work and Java", versions));
    return tables;
  }

  private Table table(String name, String column, Stream<BenchWork> works) {
    return new Table(
        name, column, works.map(work -> new Row(work.name(), work, java(java, "1g"))).toList());
  }

  private static BenchWork inFlight(int datums) {
    return new BenchWork(number(datums), datums, 1, 100, 100, 1, 1);
  }

  private static BenchWork keys(int keys) {
    return new BenchWork(number(keys), 500, 1, 100, 100, keys, 1);
  }

  private static BenchWork streams(int streams) {
    return new BenchWork(number(streams), 500, 1, 100, 100, 1, streams);
  }

  private List<String> java(String executable, String heap) {
    return List.of(
        executable,
        "-Xmx" + heap,
        "--enable-native-access=ALL-UNNAMED",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-cp",
        System.getProperty("java.class.path"));
  }

  /** Returns the command of a process that runs this function. */
  static List<String> command(List<String> java, Class<?> function) {
    List<String> command = new ArrayList<>(java);
    command.add(function.getName());
    return command;
  }

  private List<String> measure(Table table) throws IOException, InterruptedException {
    List<String> lines = new ArrayList<>();
    add(
        lines,
        "| "
            + table.column()
            + " | datums/s | CPU µs/datum | ready-made: datums/s | CPU µs/datum | ratio |");
    add(lines, "|---|---|---|---|---|---|");
    for (Row row : table.rows()) {
      add(lines, measure(table.name(), row));
    }
    return lines;
  }

  /** Prints a line, and keeps it for the page without its mark: the page has the new figure. */
  private static void add(List<String> lines, String line) {
    System.out.println(line);
    lines.add(line.replaceAll(" \\*\\*.*\\*\\*", ""));
  }

  /** Alternates the rounds of both servers, so that a slow minute of the machine affects both. */
  private String measure(String table, Row row) throws IOException, InterruptedException {
    BenchWork work = row.work();
    try (Side ours = Side.ours(row);
        Side ceiling = Side.readyMade(row)) {
      work.run(ours.client, WARM_UP);
      work.run(ceiling.client, WARM_UP);
      double[] ratios = new double[ROUNDS];
      for (int i = 0; i < ROUNDS; i++) {
        ours.round(i, ROUND);
        ceiling.round(i, ROUND);
        ratios[i] = ours.micros[i] / ceiling.micros[i];
      }
      String key = (table + "." + row.name()).replace(' ', '_');
      double cpuMicros = median(ours.micros);
      measured.put(key, String.format(Locale.ROOT, "%.2f", cpuMicros));
      return String.format(
          Locale.ROOT,
          "| %s | %,.0f | %s%s | %,.0f | %s | %.1f |",
          row.name(),
          median(ours.perSecond),
          micros(cpuMicros),
          mark(key, cpuMicros),
          median(ceiling.perSecond),
          micros(median(ceiling.micros)),
          median(ratios));
    }
  }

  /** Returns the lines of a table of the cost while the JIT compiler works. */
  private static List<String> warmUp(List<String> java) throws IOException, InterruptedException {
    List<String> lines = new ArrayList<>();
    lines.add(
        "| seconds under load | datums/s | CPU µs/datum | ready-made: datums/s | CPU µs/datum |");
    lines.add("|---|---|---|---|---|");
    Row row = new Row("warm-up", BenchWork.FAN20, java);
    try (Side client = Side.readyMade(row)) {
      client.round(0, WARM_UP); // warms the client up
    }
    try (Side ours = Side.ours(row);
        Side ceiling = Side.readyMade(row)) {
      int from = 0;
      for (int i = 0; i < ROUNDS; i++) {
        int to = 2 << i;
        ours.round(i, Duration.ofSeconds(to - from));
        ceiling.round(i, Duration.ofSeconds(to - from));
        lines.add(
            String.format(
                Locale.ROOT,
                "| %d to %d | %,.0f | %s | %,.0f | %s |",
                from,
                to,
                ours.perSecond[i],
                micros(ours.micros[i]),
                ceiling.perSecond[i],
                micros(ceiling.micros[i])));
        from = to;
      }
    }
    return lines;
  }

  /** Sorts the values, and returns the one in the middle. */
  static double median(double[] values) {
    Arrays.sort(values);
    return values[values.length / 2];
  }

  private String mark(String key, double cpuMicros) {
    String before = committed.get(key);
    if (before == null || !machine().equals(committed.get(MACHINE))) {
      return "";
    }
    double ratio = cpuMicros / Double.parseDouble(before);
    return ratio > WORSE ? String.format(Locale.ROOT, " **%.2f of %s**", ratio, before) : "";
  }

  /** Returns the machine and its load, since figures of a busy machine are useless. */
  private static String describe() throws IOException {
    String loads = Files.readString(Path.of("/proc/loadavg"), UTF_8);
    return "%s; Java %s; load at the start %s."
        .formatted(
            machine(),
            System.getProperty("java.runtime.version"),
            loads.substring(0, loads.indexOf(' ')));
  }

  private static String machine() {
    return "%d x %s, %s"
        .formatted(
            Runtime.getRuntime().availableProcessors(), processor(), System.getProperty("os.name"));
  }

  private static String processor() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"), UTF_8)) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse(System.getProperty("os.arch"));
    } catch (IOException e) {
      return System.getProperty("os.arch");
    }
  }

  private static String number(int number) {
    return String.format(Locale.ROOT, "%,d", number);
  }

  private static String micros(double micros) {
    return String.format(Locale.ROOT, micros < 100 ? "%.1f" : "%,.0f", micros);
  }

  /** Returns the page with the lines between the table's two comments. */
  private static String replace(String page, String table, List<String> lines) {
    String begin = "<!-- " + table + " -->\n";
    String end = "<!-- end -->";
    int from = page.indexOf(begin);
    int to = page.indexOf(end, from);
    if (from < 0 || to < 0) {
      throw new IllegalArgumentException("the page has no place for the table " + table);
    }
    return page.substring(0, from + begin.length())
        + "\n"
        + String.join("\n", lines)
        + "\n\n"
        + page.substring(to);
  }

  private static Map<String, String> read(Path figures) throws IOException {
    Map<String, String> read = new TreeMap<>();
    if (Files.exists(figures)) {
      for (String line : Files.readAllLines(figures, UTF_8)) {
        if (!line.startsWith("#") && line.contains("=")) {
          read.put(line.substring(0, line.indexOf('=')), line.substring(line.indexOf('=') + 1));
        }
      }
    }
    return read;
  }

  private void write(Path figures) throws IOException {
    Map<String, String> all = new TreeMap<>();
    if (machine().equals(committed.get(MACHINE))) {
      all.putAll(committed);
    }
    all.putAll(measured);
    all.put(MACHINE, machine());
    List<String> lines = new ArrayList<>();
    lines.add("# Server CPU per datum in microseconds; written by -Pbench with -Dbench.write=true");
    all.forEach((key, value) -> lines.add(key + "=" + value));
    Files.write(figures, lines, UTF_8);
  }
}
