package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import io.mapstream.proto.Codec;
import io.mapstream.server.RawConnection.Setting;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Clients that open no window, or almost none, while handlers emit. */
class HostileWindowTest {

  private static final int DATUMS = 5;
  private static final int EMITTERS = 3;

  /** Results of each emitter, which exceed the bound, so that no emitter finishes. */
  private static final int RESULTS = 600;

  private static final int SIZE = 10_000;

  /** The bytes that may wait: 4 MiB that are emitted but not written, and the transport's part. */
  private static final long BOUND = (4 << 20) + (256 << 10);

  private static final Setting NO_STREAM_WINDOW = new Setting(RawConnection.INITIAL_WINDOW_SIZE, 0);
  private static final Setting FULL_STREAM_WINDOW =
      new Setting(RawConnection.INITIAL_WINDOW_SIZE, 1 << 30);

  @RegisterExtension static final HostileServer server = new HostileServer();

  /** Sends the work and returns when every emitter waits for the client. */
  private Ledger stall(RawConnection connection) {
    ScriptedHandler handler = server.handler();
    long before = handler.emitted();
    int started = handler.started();
    Ledger ledger = new Ledger();
    connection.open(1);
    for (int i = 0; i < DATUMS; i++) {
      ledger.expect("stalled-" + i, EMITTERS, RESULTS);
      connection.datum(1, "stalled-" + i, "fan %d %d %d 0".formatted(EMITTERS, RESULTS, SIZE));
    }
    awaitAllWaiting(started);
    Waits.holdsFor(
        Duration.ofMillis(500),
        () -> (handler.emitted() - before) * SIZE < BOUND && server.inWork() == DATUMS,
        () -> (handler.emitted() - before) + " results were accepted that are not read");
    awaitAllWaiting(started);
    return ledger;
  }

  private void awaitAllWaiting(int startedBefore) {
    ScriptedHandler handler = server.handler();
    Waits.until(
        "all emitters wait",
        () ->
            handler.started() == startedBefore + DATUMS
                && handler.running().size() == DATUMS * (1 + EMITTERS)
                && handler.running().stream().allMatch(t -> t.getState() == Thread.State.WAITING),
        handler::running);
  }

  private static void verifyAllArrives(RawConnection connection, Ledger ledger) {
    ledger.verifyComplete(connection.halfClose(1).awaitEnd(1).received(1).responses);
    assertEquals((long) DATUMS * EMITTERS * RESULTS, ledger.results());
  }

  @Test
  void everythingArrivesWhenTheStreamWindowOpensLate() throws IOException {
    try (RawConnection connection = server.connect()) {
      Ledger ledger = stall(connection.hello(NO_STREAM_WINDOW).openWindow(0, 1 << 30));
      verifyAllArrives(connection.settings(FULL_STREAM_WINDOW), ledger);
    }
  }

  @Test
  void everythingArrivesWhenTheConnectionWindowOpensLate() throws IOException {
    try (RawConnection connection = server.connect()) {
      Ledger ledger = stall(connection.hello(FULL_STREAM_WINDOW));
      verifyAllArrives(connection.openWindow(0, 1 << 30), ledger);
    }
  }

  @Test
  void everythingArrivesWhenTheWindowOpensByteByByte() throws IOException {
    try (RawConnection connection = server.connect()) {
      Ledger ledger = stall(connection.hello(NO_STREAM_WINDOW).openWindow(0, 1 << 30));
      for (int i = 0; i < 5000; i++) {
        connection.openWindow(1, 1);
      }
      connection.await("as much as the window", () -> connection.received(1).bytes == 5000);
      verifyAllArrives(connection.settings(FULL_STREAM_WINDOW), ledger);
    }
  }

  @Test
  void otherStreamIsServedNextToOneWithoutAWindow() throws IOException {
    try (RawConnection connection = server.connect()) {
      Ledger ledger = stall(connection.hello(NO_STREAM_WINDOW).openWindow(0, 1 << 30));
      Ledger other = new Ledger();
      other.expect("other", 1, RESULTS);
      connection
          .open(3)
          .openWindow(3, 1 << 30)
          .datum(3, "other", "fan 1 %d %d 0".formatted(RESULTS, SIZE))
          .halfClose(3)
          .awaitEnd(3);
      other.verifyComplete(connection.received(3).responses);
      verifyAllArrives(connection.settings(FULL_STREAM_WINDOW), ledger);
    }
  }

  static List<Arguments> goodbyes() {
    return List.of(
        goodbye("reset", connection -> connection.reset(1)),
        goodbye("half-close and reset", connection -> connection.halfClose(1).reset(1)),
        goodbye("refusal", connection -> connection.message(1, Codec.handshake())),
        goodbye("disconnect", RawConnection::close));
  }

  private static Arguments goodbye(String name, Consumer<RawConnection> said) {
    return argumentSet(name, said);
  }

  @ParameterizedTest
  @MethodSource("goodbyes")
  void anEndWithoutAWindowWakesEveryEmitter(Consumer<RawConnection> goodbye) throws IOException {
    try (RawConnection connection = server.connect()) {
      stall(connection.hello(NO_STREAM_WINDOW));
      long refused = server.handler().refused();
      goodbye.accept(connection);
      Waits.until(
          "all handlers and emitters have ended",
          server.handler().running()::isEmpty,
          server.handler()::running);
      assertEquals((long) DATUMS * EMITTERS, server.handler().refused() - refused);
    }
  }
}
