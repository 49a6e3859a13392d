package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.testkit.MapStreamClient;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A separate JVM, usually with {@link ChildMain}, in a folder with its socket and its output. What
 * is set up applies to each start.
 */
final class ChildProcess extends ServerFixture {

  /** For short-lived processes. */
  private static final List<String> QUICK =
      List.of(
          "-XX:TieredStopAtLevel=1",
          "-XX:+UseSerialGC",
          "-Xmx128m",
          "-Dorg.slf4j.simpleLogger.log.io.mapstream=info",
          "-Dorg.slf4j.simpleLogger.log.io.grpc=warn",
          "-Duser.language=en");

  private final List<String> launcher = new ArrayList<>();
  private final List<String> options = new ArrayList<>(QUICK);
  private final Map<String, String> environment = new HashMap<>();
  private String classPath =
      System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
  private Process process;

  ChildProcess() {
    env("MAPSTREAM_SOCKET_PATH", socket().toString());
    env("MAPSTREAM_SERVER_INFO_FILE", info().toString());
  }

  // How it starts.

  ChildProcess env(String name, String value) {
    environment.put(name, value);
    return this;
  }

  /** Adds options of {@code java}. */
  ChildProcess java(String... more) {
    Collections.addAll(options, more);
    return this;
  }

  /** Runs without configured paths, by a command that runs what follows it. */
  ChildProcess by(String... command) {
    environment.clear();
    Collections.addAll(launcher, command);
    return this;
  }

  /** Runs by a shell in the process's folder; the script ends with {@code exec "$@"}. */
  ChildProcess byShell(String script) {
    launcher.addAll(List.of("sh", "-c", "cd '" + file("") + "' && " + script, "sh"));
    return this;
  }

  /** Logs by another binding than the build's. */
  ChildProcess loggingBy(String binding) throws IOException {
    try (Stream<Path> jars = Files.list(Path.of("target", "bindings", binding))) {
      String others = jars.map(Path::toString).collect(Collectors.joining(File.pathSeparator));
      assertFalse(others.isEmpty(), binding);
      without("slf4j-simple").classPath = others + File.pathSeparator + classPath;
    }
    // Only Log4j 2 has a default level above INFO.
    return java("-Dlog4j2.level=INFO");
  }

  /** Lacks a dependency, as after a mistake in building an image. */
  ChildProcess without(String artifact) {
    String rest =
        Stream.of(classPath.split(File.pathSeparator))
            .filter(jar -> !Path.of(jar).getFileName().toString().startsWith(artifact + "-"))
            .collect(Collectors.joining(File.pathSeparator));
    assertNotEquals(classPath, rest, artifact);
    classPath = rest;
    return this;
  }

  ChildProcess start(String mode) throws IOException {
    return start(ChildMain.class, mode);
  }

  ChildProcess start(Class<?> main, String mode) throws IOException {
    Files.deleteIfExists(info());
    List<String> command = new ArrayList<>(launcher);
    command.add(tool("java").toString());
    command.addAll(options);
    command.addAll(List.of("-cp", classPath, main.getName(), mode));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putAll(environment);
    builder.redirectOutput(Redirect.appendTo(file("out").toFile()));
    builder.redirectError(Redirect.appendTo(file("err").toFile()));
    process = builder.start();
    return this;
  }

  /**
   * Starts a server with a {@link ScriptedHandler} on a JVM with the default options and these, and
   * waits until it announces itself.
   */
  ChildProcess startScripted(String... jvmOptions) throws IOException {
    options.clear();
    return java(jvmOptions).start("scripted").await(info());
  }

  static Path tool(String name) {
    return Path.of(System.getProperty("java.home"), "bin", name);
  }

  // What it does.

  String out() {
    return text("out");
  }

  String err() {
    return text("err");
  }

  private String text(String name) {
    try {
      return Files.readString(file(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  boolean isAlive() {
    return process.isAlive();
  }

  long pid() {
    return process.pid();
  }

  void awaitOut(String text) {
    awaitText("out", text);
  }

  void awaitErr(String text) {
    awaitText("err", text);
  }

  private void awaitText(String name, String text) {
    Waits.until(
        "\"" + text + "\"", () -> text(name).contains(text) || !isAlive(), () -> text(name));
    assertTrue(text(name).contains(text), () -> "ended early: " + text(name));
  }

  ChildProcess await(Path file) {
    Waits.until(file.toString(), () -> Files.exists(file) || !isAlive(), () -> "missing");
    assertTrue(Files.exists(file), () -> "ended early: " + err());
    return this;
  }

  @Override
  MapStreamClient connect() throws InterruptedException {
    await(info());
    return super.connect();
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
    return Long.parseLong(status("VmHWM").replaceAll("[^0-9]", "")) / 1024;
  }

  /** The current resident memory of the process, in MiB. */
  long residentMebibytes() throws IOException {
    return Long.parseLong(status("VmRSS").replaceAll("[^0-9]", "")) / 1024;
  }

  /** A field of the process's status in the system. */
  String status(String field) throws IOException {
    return Files.readAllLines(Path.of("/proc/" + pid() + "/status")).stream()
        .filter(line -> line.startsWith(field + ":"))
        .map(line -> line.substring(field.length() + 1).strip())
        .findFirst()
        .orElseThrow();
  }

  /** Lets time pass, during which the process must not end. */
  void runFor(Duration time) throws InterruptedException {
    boolean ended = process.waitFor(time.toMillis(), TimeUnit.MILLISECONDS);
    assertFalse(ended, () -> "it has ended: " + err());
  }

  /** Waits for its end: its exit code, and no files of the server. */
  void assertEnd(int code) throws InterruptedException {
    assertEquals(code, exitCode(), this::toString);
    assertFilesGone();
  }

  /** Sends SIGTERM, which must end the process with 0. */
  void stop() throws IOException, InterruptedException {
    signal("TERM");
    assertEquals(0, exitCode(), this::toString);
  }

  /** Like {@link #stop}; nothing may have run out of memory or leaked before. */
  void stopAndVerify() throws IOException, InterruptedException {
    stop();
    String said = out() + err();
    assertTrue(!said.contains("OutOf") && !said.contains("LEAK"), said);
  }

  int exitCode() throws InterruptedException {
    return exitCode(Waits.LIMIT);
  }

  int exitCode(Duration limit) throws InterruptedException {
    assertTrue(
        process.waitFor(limit.toSeconds(), TimeUnit.SECONDS),
        () -> "the process is still running: " + err());
    return process.exitValue();
  }

  /** SIGKILL. */
  void kill() {
    process.destroyForcibly();
    Waits.until("its end", () -> !isAlive(), () -> process);
  }

  @Override
  void end() {
    if (process != null) {
      kill();
    }
  }

  @Override
  public String toString() {
    return "%s, standard error:%n%s".formatted(process, err());
  }
}
