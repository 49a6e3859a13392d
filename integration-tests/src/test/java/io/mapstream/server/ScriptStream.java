package io.mapstream.server;

import io.mapstream.proto.Codec;
import io.mapstream.testkit.RawStream;
import io.mapstream.testkit.StreamStatus;
import java.nio.file.Path;

/** A stream to a server with a {@link ScriptedHandler}; a {@link Ledger} counts its results. */
final class ScriptStream {

  private final Ledger ledger = new Ledger();
  private final RawStream stream;

  private ScriptStream(WireClient client, int responses) {
    stream =
        client.client().openRawStream(ledger::received).read(responses).send(Codec.handshake());
  }

  /** A stream that reads everything. */
  static ScriptStream open(WireClient client) {
    return open(client, Integer.MAX_VALUE);
  }

  /** A stream that reads that many responses, and more only by {@link #read}. */
  static ScriptStream open(WireClient client, int responses) {
    return new ScriptStream(client, responses);
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
    order("gates up to " + upTo, "go " + upTo);
  }

  /** Has the server's process write its {@link ProcessAccount}. */
  void account(String id, Path file) {
    order(id, "account " + file);
  }

  private void order(String id, String script) {
    ledger.expect(id, 0, 0);
    send(id, script, 0);
  }

  /** Sends a datum whose handler emits the fail mark, or throws, while its emitters are running. */
  void fail(String how, String id, int emitters, int count, int size) {
    ledger.expectFail(id, emitters, count);
    send(id, "%s %d %d %d 0".formatted(how, emitters, count, size), 0);
  }

  private void send(String id, String script, int size) {
    stream.send(Requests.scripted(id, script, size));
  }

  /** Waits until most of what was sent has left, so that it does not accumulate here. */
  void awaitReady() {
    Waits.until("the server reads more", () -> stream.isReady() || hasEnded(), ledger::unanswered);
  }

  void halfClose() {
    stream.halfClose();
  }

  void cancel() {
    stream.close();
  }

  /** Reads this many more responses. */
  void read(int responses) {
    stream.read(responses);
  }

  Ledger ledger() {
    return ledger;
  }

  boolean hasEnded() {
    return stream.status().isPresent();
  }

  /** Waits for the stream's end, as long as results arrive. */
  StreamStatus awaitEnd() {
    try {
      if (!stream.awaitEnd()) {
        throw new AssertionError("nothing comes; unanswered " + ledger.unanswered());
      }
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted; unanswered " + ledger.unanswered(), e);
    }
    return stream.status().orElseThrow();
  }

  /** Half-closes, and checks that everything arrived and the stream ends with OK. */
  void finish() {
    halfClose();
    awaitOk();
  }

  void awaitOk() {
    StreamStatus status = awaitEnd();
    if (!status.isOk()) {
      throw new AssertionError("ended with " + status + "; unanswered " + ledger.unanswered());
    }
    ledger.verifyComplete();
  }

  /** Waits until every datum sent so far has its EOT. */
  void awaitAnswers() {
    Waits.until(
        "every datum is answered",
        () -> ledger.isComplete() || hasEnded(),
        () -> "unanswered " + ledger.unanswered());
    ledger.verifyComplete();
  }
}
