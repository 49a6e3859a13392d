package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A separate JVM that runs {@link ChildMain}, in a folder with its socket and its output. */
final class ChildProcess implements AutoCloseable {

  /** For short-lived processes. */
  private static final List<String> QUICK =
      List.of(
          "-XX:TieredStopAtLevel=1",
          "-XX:+UseSerialGC",
          "-Xmx128m",
          "-Dorg.slf4j.simpleLogger.log.io.mapstream=info",
          "-Dorg.slf4j.simpleLogger.log.io.grpc=warn",
          "-Duser.language=en");

  private final Path folder;
  private boolean keepsFolder;
  private final Process process;
  private final List<WireClient> clients = new ArrayList<>();

  private ChildProcess(Path folder, Process process) {
    this.folder = folder;
    this.process = process;
  }

  /**
   * Starts a server with a {@link ScriptedHandler} on a JVM with the default options, and waits
   * until it announces itself. The test owns the folder, so another server may follow in it.
   */
  static ChildProcess scripted(Path folder, Map<String, String> settings, String... jvmOptions)
      throws IOException {
    Files.deleteIfExists(folder.resolve("info"));
    Map<String, String> all = new HashMap<>(settings);
    all.putAll(paths(folder));
    List<String> options = List.of(jvmOptions);
    return start(folder, List.of(), options, classPath(), ChildMain.class, "scripted", all)
        .keepFolder()
        .awaitFile("info");
  }

  private ChildProcess keepFolder() {
    keepsFolder = true;
    return this;
  }

  static ChildProcess start(Class<?> main, String mode, Map<String, String> environment)
      throws IOException {
    return start(List.of(), classPath(), main, mode, environment);
  }

  /**
   * Starts a process with more options of {@code java}; {@code FOLDER} in them is the child's
   * folder.
   */
  static ChildProcess startWith(List<String> options, Class<?> main, String mode)
      throws IOException {
    return start(options, classPath(), main, mode, Map.of());
  }

  /** Starts a process that logs by another binding than the build's. */
  static ChildProcess startLoggingBy(String binding, Class<?> main, String mode)
      throws IOException {
    String others = jars(Path.of("target", "bindings", binding));
    assertFalse(others.isEmpty(), binding);
    String rest = without("slf4j-simple");
    // Only Log4j 2 has a default level above INFO.
    List<String> options = List.of("-Dlog4j2.level=INFO");
    return start(options, others + File.pathSeparator + rest, main, mode, Map.of());
  }

  private static String jars(Path folder) throws IOException {
    try (Stream<Path> jars = Files.list(folder)) {
      return jars.map(Path::toString).collect(Collectors.joining(File.pathSeparator));
    }
  }

  /** Starts a process that lacks a dependency, as after a mistake in building an image. */
  static ChildProcess startWithout(String artifact, Class<?> main, String mode) throws IOException {
    return start(List.of(), without(artifact), main, mode, Map.of());
  }

  private static String without(String artifact) {
    String rest =
        Stream.of(classPath().split(File.pathSeparator))
            .filter(jar -> !Path.of(jar).getFileName().toString().startsWith(artifact + "-"))
            .collect(Collectors.joining(File.pathSeparator));
    assertNotEquals(classPath(), rest, artifact);
    return rest;
  }

  private static ChildProcess start(
      List<String> options,
      String classPath,
      Class<?> main,
      String mode,
      Map<String, String> environment)
      throws IOException {
    Path folder = TestServer.newFolder();
    Map<String, String> all = new HashMap<>(environment);
    all.putAll(paths(folder));
    return start(folder, List.of(), quick(folder, options), classPath, main, mode, all);
  }

  private static Map<String, String> paths(Path folder) {
    return Map.of(
        "MAPSTREAM_SOCKET_PATH", folder.resolve("s.sock").toString(),
        "MAPSTREAM_SERVER_INFO_FILE", folder.resolve("info").toString());
  }

  private static List<String> quick(Path folder, List<String> options) {
    return Stream.concat(QUICK.stream(), options.stream())
        .map(option -> option.replace("FOLDER", folder.toString()))
        .toList();
  }

  private static String classPath() {
    return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
  }

  /** Starts a process without configured paths, by a command that runs what follows it. */
  static ChildProcess startBy(
      Function<Path, List<String>> launcher,
      Class<?> main,
      String mode,
      Map<String, String> environment)
      throws IOException {
    Path folder = TestServer.newFolder();
    return start(
        folder,
        launcher.apply(folder),
        quick(folder, List.of()),
        classPath(),
        main,
        mode,
        environment);
  }

  private static ChildProcess start(
      Path folder,
      List<String> launcher,
      List<String> options,
      String classPath,
      Class<?> main,
      String mode,
      Map<String, String> environment)
      throws IOException {
    List<String> command = new ArrayList<>(launcher);
    command.add(tool("java").toString());
    command.addAll(options);
    command.addAll(List.of("-cp", classPath, main.getName(), mode));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putAll(environment);
    builder.redirectOutput(Redirect.appendTo(folder.resolve("out").toFile()));
    builder.redirectError(Redirect.appendTo(folder.resolve("err").toFile()));
    return new ChildProcess(folder, builder.start());
  }

  static Path tool(String name) {
    return Path.of(System.getProperty("java.home"), "bin", name);
  }

  Path file(String name) {
    return folder.resolve(name);
  }

  String out() throws IOException {
    return Files.readString(file("out"));
  }

  String err() throws IOException {
    return Files.readString(file("err"));
  }

  Path socket() {
    return file("s.sock");
  }

  boolean isAlive() {
    return process.isAlive();
  }

  long pid() {
    return process.pid();
  }

  /** What the process prints. */
  private interface Printed {
    String text() throws IOException;
  }

  void awaitOut(String text) {
    awaitText(text, this::out);
  }

  void awaitErr(String text) {
    awaitText(text, this::err);
  }

  private void awaitText(String text, Printed printed) {
    AtomicReference<String> last = new AtomicReference<>();
    Waits.until(
        "\"" + text + "\"",
        () -> {
          try {
            last.set(printed.text());
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
          return last.get().contains(text) || !process.isAlive();
        },
        last::get);
    assertTrue(last.get().contains(text), () -> "ended early: " + last);
  }

  ChildProcess awaitFile(String name) throws IOException {
    await(file(name));
    return this;
  }

  void await(Path file) throws IOException {
    Waits.until(file.toString(), () -> Files.exists(file) || !process.isAlive(), () -> "missing");
    assertTrue(Files.exists(file), "ended early: " + err());
  }

  /** A new client's stream, after the handshake. */
  Call open() throws IOException, InterruptedException {
    awaitFile("info");
    return open(file("s.sock"));
  }

  Call open(Path socket) throws InterruptedException {
    WireClient client = new WireClient(socket);
    clients.add(client);
    return client.open().shakeHands();
  }

  void signal(String name) throws IOException, InterruptedException {
    Process kill = new ProcessBuilder("kill", "-" + name, String.valueOf(pid())).start();
    assertTrue(kill.waitFor(Waits.LIMIT.toSeconds(), TimeUnit.SECONDS));
  }

  /** The CPU time that the process has used so far. */
  Duration cpuTime() {
    return process.info().totalCpuDuration().orElseThrow();
  }

  /** The peak resident memory of the process, in MiB. */
  long peakMebibytes() throws IOException {
    return status("VmHWM");
  }

  /** The current resident memory of the process, in MiB. */
  long residentMebibytes() throws IOException {
    return status("VmRSS");
  }

  private long status(String field) throws IOException {
    return Files.readAllLines(Path.of("/proc/" + pid() + "/status")).stream()
        .filter(line -> line.startsWith(field + ":"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) / 1024)
        .findFirst()
        .orElseThrow();
  }

  /** Lets time pass, during which the process must not end. */
  void runFor(Duration time) throws IOException, InterruptedException {
    boolean ended = process.waitFor(time.toMillis(), TimeUnit.MILLISECONDS);
    assertFalse(ended, "it has ended: " + err());
  }

  /**
   * Sends SIGTERM, which must end the process; nothing may have run out of memory or leaked before.
   */
  void stopAndVerify() throws IOException, InterruptedException {
    signal("TERM");
    int code = exitCode();
    String said = out() + err();
    assertTrue(code == 0 && !said.contains("OutOf") && !said.contains("LEAK"), said);
  }

  int exitCode() throws IOException, InterruptedException {
    return exitCode(Waits.LIMIT);
  }

  int exitCode(Duration limit) throws IOException, InterruptedException {
    assertTrue(
        process.waitFor(limit.toSeconds(), TimeUnit.SECONDS),
        "the process is still running: " + err());
    return process.exitValue();
  }

  void assertFilesGone() {
    assertFalse(Files.exists(file("s.sock")), "the socket still exists");
    assertFalse(Files.exists(file("info")), "the server info file still exists");
  }

  /** SIGKILL. */
  void kill() {
    process.destroyForcibly();
    Waits.until("its end", () -> !process.isAlive(), () -> process);
  }

  @Override
  public String toString() {
    try {
      return "%s, standard error:%n%s".formatted(process, err());
    } catch (IOException e) {
      return process.toString();
    }
  }

  @Override
  public void close() throws IOException {
    clients.forEach(WireClient::close);
    kill();
    if (!keepsFolder) {
      TestServer.delete(folder);
    }
  }
}
