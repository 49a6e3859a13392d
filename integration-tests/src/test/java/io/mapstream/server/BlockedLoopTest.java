package io.mapstream.server;

import java.nio.channels.spi.AbstractInterruptibleChannel;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** A stop while something blocks the event loop. */
class BlockedLoopTest {

  /**
   * A channel like that of a file on a lost disk. An interrupt closes the channel that the
   * interrupted thread reads from. The interrupting thread, here the event loop, closes it and
   * waits for the disk.
   */
  private static final class StubbornChannel extends AbstractInterruptibleChannel {
    final CompletableFuture<Thread> reader = new CompletableFuture<>();
    final CountDownLatch closing = new CountDownLatch(1);
    final CountDownLatch gate = new CountDownLatch(1);

    void read() throws Exception {
      begin();
      reader.complete(Thread.currentThread());
      try {
        new CountDownLatch(1).await();
      } finally {
        end(true);
      }
    }

    /** Ignores interruption, but returns after a time limit. */
    @Override
    protected void implCloseChannel() {
      closing.countDown();
      long deadline = System.nanoTime() + Waits.LIMIT.toNanos();
      while (gate.getCount() > 0 && System.nanoTime() < deadline) {
        LockSupport.parkNanos(1_000_000);
      }
    }
  }

  @AutoClose private final TestServer server = new TestServer();

  @Test
  void closeStillReturns() throws Exception {
    StubbornChannel channel = new StubbornChannel();
    try (channel) {
      server
          .with(options -> options.shutdownGrace(Duration.ZERO))
          .start((keys, datum, sink) -> channel.read());
      try {
        Call call = server.open().send("1", "");
        // A reader that is about to park would wait for the interrupting thread and keep its
        // carrier, which on a machine with one processor is the only one.
        Waits.untilParked(Waits.get(channel.reader));
        call.cancel();
        Waits.await(channel.closing);
        // On a virtual thread, which might be a handler's: only the loop can determine that.
        Waits.join(Thread.ofVirtual().start(server.server()::close));
      } finally {
        channel.gate.countDown();
      }
      server.assertFilesGone();
    }
  }
}
