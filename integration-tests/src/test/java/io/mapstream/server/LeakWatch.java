package io.mapstream.server;

import io.grpc.netty.shaded.io.netty.buffer.ByteBuf;
import io.grpc.netty.shaded.io.netty.buffer.UnpooledByteBufAllocator;
import io.grpc.netty.shaded.io.netty.util.ResourceLeakDetector;
import java.io.PrintStream;
import java.util.Collection;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Watches every buffer of gRPC's Netty until it is released: the leak detector at its most careful,
 * and what it logs. The log goes through SLF4J to the standard error stream, where it is read.
 */
final class LeakWatch implements AutoCloseable {

  private static final String ON_PURPOSE = "leaked on purpose at ";

  private final ResourceLeakDetector.Level levelBefore = ResourceLeakDetector.getLevel();
  private final PrintStream errBefore = System.err;
  private final Collection<String> leaks = new ConcurrentLinkedQueue<>();

  LeakWatch() {
    ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
    System.setErr(
        new PrintStream(errBefore, true) {
          @Override
          public void println(String line) {
            if (line.contains("LEAK: ")) {
              leaks.add(line);
            }
            if (!isOnPurpose(line)) {
              super.println(line);
            }
          }
        });
  }

  /**
   * Fails if a buffer was collected that nobody had released. One leak is made on purpose: once it
   * is reported, so is every other of before, and the watch is known to be awake.
   */
  void verify() {
    leakOnPurpose();
    Waits.untilCollected(
        "the leak made on purpose is reported",
        () -> {
          // The detector reports what was collected when the next buffer is made.
          UnpooledByteBufAllocator.DEFAULT.directBuffer(16).release();
          return leaks.stream().anyMatch(LeakWatch::isOnPurpose);
        },
        () -> leaks);
    leaks.removeIf(LeakWatch::isOnPurpose);
    if (!leaks.isEmpty()) {
      throw new AssertionError("%d leaks, one of them: %s".formatted(leaks.size(), leaks));
    }
  }

  private static void leakOnPurpose() {
    ByteBuf lost = UnpooledByteBufAllocator.DEFAULT.directBuffer(16);
    lost.touch(ON_PURPOSE + System.nanoTime()); // the detector reports equal leaks only once
  }

  private static boolean isOnPurpose(String leak) {
    return leak.contains(ON_PURPOSE);
  }

  @Override
  public void close() {
    ResourceLeakDetector.setLevel(levelBefore);
    System.setErr(errBefore);
  }
}
