package io.mapstream.testkit.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;

/** What the operating system tells of the function's process. */
final class ServerProcess {

  private final ProcessHandle handle;

  private ServerProcess(ProcessHandle handle) {
    this.handle = handle;
  }

  static ServerProcess of(long pid) {
    return new ServerProcess(handle(pid));
  }

  static ProcessHandle handle(long pid) {
    return ProcessHandle.of(pid).orElseThrow(() -> new UsageFault("no process has the pid " + pid));
  }

  /** The processor time that it has used since its start, user and system; where it is told. */
  Optional<Duration> cpu() {
    return handle.info().totalCpuDuration();
  }

  /** Its resident memory in bytes; told by Linux alone. */
  OptionalLong memory() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc", handle.pid() + "", "status"))) {
        if (line.startsWith("VmRSS:")) {
          return OptionalLong.of(Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024);
        }
      }
    } catch (IOException e) {
      // Not Linux, or the process has ended.
      return OptionalLong.empty();
    }
    return OptionalLong.empty();
  }
}
