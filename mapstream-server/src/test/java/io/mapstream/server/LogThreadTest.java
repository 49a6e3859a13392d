package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.slf4j.event.Level;

/** Which thread writes a line, and what happens to lines that the log doesn't accept. */
class LogThreadTest {

  private static final Duration LIMIT = Duration.ofSeconds(30);

  private final LogThread log = new LogThread(System::nanoTime);
  private final List<String> written = new CopyOnWriteArrayList<>();
  private final CountDownLatch blocked = new CountDownLatch(1);
  private final CountDownLatch reader = new CountDownLatch(1);

  private LogLine line(String text) {
    return LogLine.of(
        "logger",
        (level, shown, thrown) ->
            written.add(
                (Thread.currentThread().isVirtual() ? "" : Thread.currentThread().getName() + ": ")
                    + shown),
        Level.WARN,
        text,
        null);
  }

  /** A line that blocks the thread that writes it, until it is read. */
  private LogLine blockingLine() {
    return LogLine.of(
        "logger",
        (level, text, thrown) -> {
          blocked.countDown();
          try {
            assertTrue(reader.await(LIMIT.toSeconds(), TimeUnit.SECONDS));
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          }
          written.add(text);
        },
        Level.WARN,
        "blocking",
        null);
  }

  private static void on(Thread.Builder kind, Runnable task) throws Exception {
    FutureTask<?> done = new FutureTask<>(task, null);
    kind.start(done);
    done.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
  }

  private void onLoop(Runnable task) throws Exception {
    on(Thread.ofPlatform().name("mapstream-io-1-1"), task);
  }

  private void flush() {
    assertTrue(log.flush(LIMIT));
  }

  @Test
  void linesOfTheServersOwnThreadsAreWrittenByTheLogThreadInOrder() throws Exception {
    onLoop(() -> {
      for (int i = 0; i < 100; i++) {
        log.log(line("line " + i), false);
      }
    });
    flush();
    assertEquals(100, written.size());
    for (int i = 0; i < 100; i++) {
      assertEquals("mapstream-log: line " + i, written.get(i));
    }
  }

  @Test
  void otherThreadsWriteTheirLinesThemselves() throws Exception {
    log.log(line("test"), false);
    on(Thread.ofVirtual().name("mapstream-io"), () -> log.log(line("handler"), true));
    assertEquals(
        List.of(Thread.currentThread().getName() + ": test", "handler"), List.copyOf(written));
    assertTrue(log.flush(Duration.ZERO), "no thread was needed");
  }

  @Test
  void aLogThatBlocksBlocksNeitherTheLoopNorAStop() throws Exception {
    onLoop(() -> log.log(blockingLine(), false));
    assertTrue(blocked.await(LIMIT.toSeconds(), TimeUnit.SECONDS));
    onLoop(() -> {
      for (int i = 0; i < 10_000; i++) {
        log.log(line("line " + i), false);
      }
    });
    assertFalse(log.flush(Duration.ofMillis(10)));
    reader.countDown();
    flush();

    assertEquals("blocking", written.get(0));
    assertEquals(1 + LogThread.CAPACITY, written.size());
    assertEquals(
        "mapstream-log: line " + (LogThread.CAPACITY - 1), written.get(LogThread.CAPACITY));

    onLoop(() -> log.log(line("afterwards"), false));
    flush();
    assertEquals("mapstream-log: afterwards", written.get(written.size() - 1));
  }

  @Test
  void repeatedLinesAreCountedAcrossThreads() throws Exception {
    onLoop(() -> {
      for (int i = 0; i < 400; i++) {
        log.log(line("alike"), true);
      }
    });
    on(
        Thread.ofVirtual(),
        () -> {
          for (int i = 0; i < 600; i++) {
            log.log(line("alike"), true);
          }
        });
    flush();
    assertEquals(2, written.size(), written::toString);
    assertTrue(written.get(0).endsWith("alike"), written.get(0));
    assertEquals("mapstream-log: 999 more in 10 s, the last: alike", written.get(1));
  }

  @Test
  void aCountIsWrittenEvenIfNoOtherLineFollows() throws Exception {
    CountDownLatch counted = new CountDownLatch(1);
    long[] now = {0};
    LogThread timed = new LogThread(() -> now[0] += RepeatedLines.WINDOW.toNanos() - 1);
    LogLine line =
        LogLine.of(
            "logger",
            (level, text, thrown) -> {
              if (text.startsWith("1 more")) {
                counted.countDown();
              }
            },
            Level.WARN,
            "alike",
            null);
    on(
        Thread.ofVirtual(),
        () -> {
          timed.log(line, true);
          timed.log(line, true);
        });
    assertTrue(counted.await(LIMIT.toSeconds(), TimeUnit.SECONDS));
  }

  @Test
  void aLineThatCannotBeWrittenEndsNothing() throws Exception {
    LogLine faulty =
        LogLine.of(
            "logger",
            (level, text, thrown) -> {
              throw new AssertionError("the log has failed");
            },
            Level.WARN,
            "faulty",
            null);
    onLoop(() -> {
      log.log(faulty, false);
      log.log(line("next"), false);
    });
    flush();
    assertEquals(List.of("mapstream-log: next"), List.copyOf(written));
  }

  /** The clock stands for any step that runs out of memory on that thread. */
  @Test
  void anErrorDoesNotEndTheThread() throws Exception {
    AtomicBoolean fails = new AtomicBoolean();
    LogThread failing =
        new LogThread(() -> {
          if (Thread.currentThread().getName().equals("mapstream-log")
              && fails.compareAndSet(true, false)) {
            throw new OutOfMemoryError("for the test");
          }
          return System.nanoTime();
        });
    fails.set(true);
    onLoop(() -> failing.log(line("first"), false));
    onLoop(() -> failing.log(line("next"), false));

    assertTrue(failing.flush(LIMIT));

    assertFalse(fails.get());
    assertEquals(List.of("mapstream-log: first", "mapstream-log: next"), List.copyOf(written));
  }

  @Test
  void theThreadIsADaemonThatStartsWithALineAndEndsWithAFlush() throws Exception {
    for (int life = 0; life < 3; life++) {
      List<Thread> threads = new CopyOnWriteArrayList<>();
      LogLine line =
          LogLine.of(
              "logger",
              (level, text, thrown) -> threads.add(Thread.currentThread()),
              Level.WARN,
              "a line",
              null);
      onLoop(() -> log.log(line, false));
      flush();
      assertEquals(1, threads.size());
      assertTrue(threads.get(0).isDaemon());
      threads.get(0).join();
    }
  }

  @Test
  void noLineIsLostWhileTheThreadEnds() throws Exception {
    for (int round = 0; round < 50; round++) {
      onLoop(() -> log.log(line("before"), false));
      Thread flusher = Thread.ofPlatform().start(this::flush);
      onLoop(() -> log.log(line("during"), false));
      flusher.join();
    }
    flush();
    assertEquals(100, written.size());
  }
}
