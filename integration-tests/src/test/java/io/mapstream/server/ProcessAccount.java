package io.mapstream.server;

import com.sun.management.HotSpotDiagnosticMXBean;
import com.sun.management.HotSpotDiagnosticMXBean.ThreadDumpFormat;
import io.grpc.netty.shaded.io.netty.util.internal.PlatformDependent;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The resources of a process.
 *
 * @param heap bytes of heap in use once garbage is collected
 * @param direct bytes of buffers outside of it, Netty's among them
 * @param threads platform threads
 * @param handlers names of the virtual threads of handlers and their emitters
 */
record ProcessAccount(long heap, long direct, int threads, List<String> handlers) {

  private static final int MOST_COLLECTIONS = 20;

  private static final Pattern THREAD =
      Pattern.compile("(?m)^#\\d+ \"((mapstream|emitter)-[^\"]*)\"");

  /** The account of this process. */
  static ProcessAccount take() {
    return new ProcessAccount(
        heapInUse(),
        directInUse(),
        ManagementFactory.getThreadMXBean().getThreadCount(),
        liveThreads().stream()
            .filter(name -> !name.matches("mapstream-(io-.*|stop|heap|log)"))
            .toList());
  }

  /** Collects garbage until that frees no more. */
  private static long heapInUse() {
    long before = Long.MAX_VALUE;
    long now = collect();
    for (int i = 0; now < before && i < MOST_COLLECTIONS; i++) {
      before = now;
      now = collect();
    }
    return now;
  }

  private static long collect() {
    System.gc();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }

  private static long directInUse() {
    long buffers =
        ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
            .mapToLong(BufferPoolMXBean::getMemoryUsed)
            .sum();
    return buffers + Math.max(0, PlatformDependent.usedDirectMemory());
  }

  /**
   * Names of live threads of the server, its handlers and their emitters. Only a thread dump lists
   * virtual threads.
   */
  static List<String> liveThreads() {
    try {
      Path dump = Files.createTempDirectory("threads").resolve("dump");
      ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
          .dumpThreads(dump.toString(), ThreadDumpFormat.TEXT_PLAIN);
      String text = Files.readString(dump);
      Files.delete(dump);
      Files.delete(dump.getParent());
      return THREAD.matcher(text).results().map(found -> found.group(1)).toList();
    } catch (IOException e) {
      throw new AssertionError("no thread dump", e);
    }
  }

  void writeTo(Path file) throws IOException {
    Files.write(file, List.of("" + heap, "" + direct, "" + threads, String.join(",", handlers)));
  }

  /** Reads the account that a process has written. */
  static ProcessAccount readFrom(Path file) throws IOException {
    List<String> lines = Files.readAllLines(file);
    return new ProcessAccount(
        Long.parseLong(lines.get(0)),
        Long.parseLong(lines.get(1)),
        Integer.parseInt(lines.get(2)),
        List.of(lines.get(3).split(",")));
  }

  @Override
  public String toString() {
    return "heap %d KiB, direct %d KiB, %d platform threads, handlers %s"
        .formatted(heap >> 10, direct >> 10, threads, handlers);
  }
}
