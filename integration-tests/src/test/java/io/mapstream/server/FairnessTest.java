package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.MapStreamer;
import io.mapstream.Message;
import java.io.FileInputStream;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.api.condition.OS;

/**
 * Handlers that hold all carriers of virtual threads don't prevent others from running. They hold
 * them until another datum is answered, so that without more carriers neither would end.
 */
class FairnessTest {

  private static final int CARRIERS = Runtime.getRuntime().availableProcessors();

  /**
   * The default; more on a machine with many processors, which has many carriers from the start.
   */
  private static final int MAX_CARRIERS =
      Math.max(ServerOptions.fromEnvironment().maxCarriers(), 4 * CARRIERS);

  @AutoClose
  private final TestServer server =
      new TestServer().with(options -> options.maxCarriers(MAX_CARRIERS));

  private final CountDownLatch holding = new CountDownLatch(CARRIERS);
  private volatile boolean answered;

  /** An action that holds a carrier. */
  private interface Hold {
    void carrier() throws Exception;
  }

  private void spin() {
    long end = System.nanoTime() + Waits.LIMIT.toNanos();
    while (!answered && System.nanoTime() < end) {
      Thread.onSpinWait();
    }
  }

  private MapStreamer holding(Hold hold) {
    return (keys, datum, sink) -> {
      if (datum.text().equals("hold")) {
        holding.countDown();
        hold.carrier();
      }
      sink.emit(Message.of(datum.text()));
    };
  }

  private static void send(Call call, int holders) {
    for (int i = 0; i < holders; i++) {
      call.send("hold-" + i, "hold");
    }
  }

  private void answersAnother(Call call) throws InterruptedException {
    assertEquals(0, call.eots());
    call.send("another", "text");
    assertEquals("text", call.answer("another").texts().getFirst());
    answered = true;
  }

  private static void answersAll(Call call, int holders) throws InterruptedException {
    for (int i = 0; i < holders; i++) {
      assertEquals("hold", call.answer("hold-" + i).texts().getFirst());
    }
  }

  @Test
  @EnabledForJreRange(min = JRE.JAVA_24)
  void handlersThatComputeLeaveACarrierForAnother() throws Exception {
    server.start(holding(this::spin));
    Call call = server.open();
    send(call, CARRIERS);
    Waits.await(holding);

    answersAnother(call);
    answersAll(call, CARRIERS);
  }

  @Test
  @EnabledForJreRange(min = JRE.JAVA_24)
  void moreHandlersThanCarriersMayCompute() throws Exception {
    int holders = 2 * CARRIERS;
    server.start(holding(this::spin));
    Call call = server.open();
    send(call, holders);
    Waits.await(holding);

    answersAnother(call);
    answersAll(call, holders);
  }

  /** All handlers have begun, so that no start waits. */
  @Test
  @EnabledForJreRange(min = JRE.JAVA_24)
  void aHandlerThatWakesUpAlsoGetsACarrier() throws Exception {
    Gate gate = new Gate();
    server.start((keys, datum, sink) -> {
      if (datum.text().equals("sleep")) {
        gate.pass();
      } else {
        holding.countDown();
        spin();
      }
      sink.emit(Message.of(datum.text()));
    });
    Call call = server.open().send("sleeper", "sleep");
    gate.awaitHandlers();
    send(call, CARRIERS);
    Waits.await(holding);
    assertEquals(0, call.eots());

    gate.open();
    assertEquals("sleep", call.answer("sleeper").texts().getFirst());
    answered = true;
    answersAll(call, CARRIERS);
  }

  /** The JDK opens a pipe without releasing the carrier. */
  @Test
  @EnabledForJreRange(min = JRE.JAVA_24)
  @EnabledOnOs(OS.LINUX)
  void handlersBlockedInTheSystemLeaveACarrierForAnother() throws Exception {
    int holders = 2 * CARRIERS;
    Path pipe = server.file("pipe");
    assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
    server.start(
        holding(() -> {
          new FileInputStream(pipe.toFile()).close();
          assertTrue(answered);
        }));
    Call call = server.open();
    send(call, holders);
    Waits.await(holding);
    try {
      answersAnother(call);
    } finally {
      // Releases the handlers that wait, and all that arrive while the pipe is open.
      RandomAccessFile writer = new RandomAccessFile(pipe.toFile(), "rw");
      try {
        answersAll(call, holders);
      } finally {
        writer.close();
      }
    }
  }

  /**
   * There are more handlers than carriers are allowed, so that some wait whatever state an earlier
   * test left.
   */
  @Test
  void starvationIsCountedOnEveryVersion() throws Exception {
    int holders = MAX_CARRIERS + 1;
    server.start(holding(this::spin));
    Call call = server.open();
    send(call, holders);
    server.await("starvation", metrics -> metrics.starvedChecks() > 0);
    answered = true;
    answersAll(call, holders);
  }
}
