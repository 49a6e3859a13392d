package io.mapstream.server;

import io.grpc.netty.shaded.io.netty.buffer.ByteBuf;
import io.grpc.netty.shaded.io.netty.buffer.UnpooledByteBufAllocator;
import io.grpc.netty.shaded.io.netty.util.ResourceLeakDetector;
import java.io.PrintStream;
import java.util.Collection;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Watches every buffer of gRPC's Netty until it is released: sets the leak detector to its
 * strictest level and reads its log from the standard error stream, to which SLF4J writes it.
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
   * Fails if a buffer was collected without being released. One leak is made on purpose: once it is
   * reported, every earlier leak has been reported as well, and the detector is known to work.
   */
  void verify() {
    leakOnPurpose();
    Waits.untilCollected(
        "the leak made on purpose is reported",
        () -> {
          // The detector reports collected buffers when the next buffer is allocated.
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
