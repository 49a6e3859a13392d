package io.mapstream.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A server in a process of its own, on the Java that runs the tests. */
public final class ServerProcess implements AutoCloseable {

  private final Path socket;
  private final Path infoFile;
  private final Path output;
  private final Process process;

  /** Starts one in {@code folder} and waits until it announces itself. */
  public ServerProcess(Path folder, String... jvmOptions) throws IOException {
    this(folder, Map.of(), jvmOptions);
  }

  /** Starts one with settings in its environment. */
  ServerProcess(Path folder, Map<String, String> settings, String... jvmOptions)
      throws IOException {
    socket = folder.resolve("child.sock");
    infoFile = folder.resolve("server-info");
    output = folder.resolve("output");
    Files.deleteIfExists(infoFile);
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(jvmOptions));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(ChildServer.class.getName());
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()));
    builder.environment().put("MAPSTREAM_SOCKET_PATH", socket.toString());
    builder.environment().put("MAPSTREAM_SERVER_INFO_FILE", infoFile.toString());
    builder.environment().putAll(settings);
    process = builder.start();
    Waits.until(
        "the server announces itself",
        () -> Files.exists(infoFile) || !process.isAlive(),
        this::toString);
    verifyAlive();
  }

  public Path socket() {
    return socket;
  }

  public void verifyAlive() {
    if (!process.isAlive()) {
      throw new AssertionError("the server has ended: " + this);
    }
  }

  /** CPU time that the process has used so far. */
  Duration cpuTime() {
    return process.info().totalCpuDuration().orElseThrow();
  }

  /** The most memory that the process has had resident, in MiB. */
  long peakMebibytes() throws IOException {
    return status("VmHWM");
  }

  /** The memory that the process has resident now, in MiB. */
  long residentMebibytes() throws IOException {
    return status("VmRSS");
  }

  private long status(String field) throws IOException {
    String all = Files.readString(Path.of("/proc/" + process.pid() + "/status"));
    Matcher kibibytes = Pattern.compile(field + ":\\s+(\\d+) kB").matcher(all);
    if (!kibibytes.find()) {
      throw new AssertionError("no " + field);
    }
    return Long.parseLong(kibibytes.group(1)) / 1024;
  }

  /** Lets time pass in which the process is not to end. */
  void runFor(Duration time) throws InterruptedException {
    if (process.waitFor(time.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new AssertionError("the server has ended: " + this);
    }
  }

  /** SIGKILL. */
  void kill() {
    process.destroyForcibly();
    Waits.until("the server is dead", () -> !process.isAlive(), this::toString);
  }

  /** SIGTERM, which has to be obeyed; nothing may have run out of memory or leaked before. */
  public void stopAndVerify() throws IOException {
    process.destroy();
    Waits.until("the server obeys SIGTERM", () -> !process.isAlive(), this::toString);
    String said = Files.readString(output);
    if (process.exitValue() != 0 || said.contains("OutOf") || said.contains("LEAK")) {
      throw new AssertionError(toString());
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }

  @Override
  public String toString() {
    try {
      String text = Files.readString(output);
      return "%s%n%s".formatted(process, text.substring(Math.max(0, text.length() - 4000)));
    } catch (IOException e) {
      return process.toString();
    }
  }
}
