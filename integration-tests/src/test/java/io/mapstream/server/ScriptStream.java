package io.mapstream.server;

import io.mapstream.proto.Codec;
import io.mapstream.proto.map.v1.MapResponse;
import io.mapstream.testkit.MapStreamClient;
import java.nio.file.Path;

/**
 * A stream to a server with a {@link ScriptedHandler}. A {@link Ledger} counts its results instead
 * of keeping them.
 */
final class ScriptStream extends Call {

  private final Ledger ledger = new Ledger();

  /** A stream that reads everything. */
  ScriptStream(MapStreamClient client) {
    this(client, Integer.MAX_VALUE);
  }

  /** A stream that reads that many responses, and more only by {@link #read}. */
  ScriptStream(MapStreamClient client, int responses) {
    super(client, responses);
    send(Codec.handshake());
  }

  @Override
  void take(MapResponse response) {
    ledger.received(response);
  }

  /** Sends a datum and counts each of its results. */
  void fan(String id, int emitters, int count, int size) {
    fan(id, emitters, count, size, 0, 0);
  }

  /** Sends a datum of {@code datumSize} bytes or more; each result waits {@code delayMillis}. */
  void fan(String id, int emitters, int count, int size, int delayMillis, int datumSize) {
    ledger.expect(id, emitters, count);
    send(id, "fan %d %d %d %d".formatted(emitters, count, size, delayMillis), datumSize);
  }

  /** Sends a datum whose emitters wait at a gate of the server after half of the results. */
  void fanInHalves(String id, int emitters, int count, int size, int gate) {
    ledger.expect(id, emitters, count);
    send(id, "fan %d %d %d 0 %d".formatted(emitters, count, size, gate), 0);
  }

  /** Opens the server's gates up to that number. */
  void openGates(int upTo) {
    ledger.expect("gates up to " + upTo, 0, 0);
    send("gates up to " + upTo, "go " + upTo, 0);
  }

  /** Has the server's process write its {@link ProcessAccount}. */
  void account(String id, Path file) {
    ledger.expect(id, 0, 0);
    send(id, "account " + file, 0);
  }

  /** Sends a datum whose handler emits the fail mark, or throws, while its emitters are running. */
  void fail(String how, String id, int emitters, int count, int size) {
    ledger.expectFail(id, emitters, count);
    send(id, "%s %d %d %d 0".formatted(how, emitters, count, size), 0);
  }

  private void send(String id, String script, int size) {
    send(Requests.scripted(id, script, size));
  }

  /** Waits until most of what was sent has left, so that it does not accumulate here. */
  void awaitReady() {
    Waits.until("the server reads more", () -> isReady() || !isOpen(), this::toString);
  }

  Ledger ledger() {
    return ledger;
  }

  /** Half-closes, and checks that everything arrives and the stream ends with OK. */
  void finish() throws InterruptedException {
    completes();
    ledger.verifyComplete();
  }

  /** Waits until every datum sent so far has its EOT. */
  void awaitAnswers() throws InterruptedException {
    await("answer to every datum", ledger::isComplete);
    ledger.verifyComplete();
  }

  @Override
  public String toString() {
    return stream + "; unanswered " + ledger.unanswered();
  }
}
