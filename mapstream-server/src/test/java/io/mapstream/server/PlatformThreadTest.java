package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class PlatformThreadTest {

  private final CompletableFuture<Thread> ran = new CompletableFuture<>();

  private void run() {
    ran.complete(Thread.currentThread());
  }

  @Test
  void isAPlatformThread() throws Exception {
    Thread started = PlatformThread.start("name", this::run);

    assertEquals(started, ran.get());
    assertFalse(started.isVirtual());
    assertEquals("name", started.getName());
  }

  @Test
  void isAVirtualThreadIfThePlatformThreadCannotStart() throws Exception {
    Thread started =
        PlatformThread.start(
            task ->
                new Thread(task) {
                  @Override
                  public void start() {
                    throw new OutOfMemoryError("unable to create native thread");
                  }
                },
            "name",
            this::run);

    assertEquals(started, ran.get());
    assertTrue(started.isVirtual());
    assertEquals("name", started.getName());
    started.join();
  }
}
