package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.mapstream.testkit.MapStreamClient;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;

/**
 * A server that is killed repeatedly, and a client that behaves like the data plane: it reconnects
 * and resends all datums without an EOT, under the same ids.
 *
 * <p>Each life of the server has its own datums. Some of them wait, with half of their results
 * emitted, at a gate that only the next life opens, so each kill is certain to interrupt them
 * halfway. The others run freely and are interrupted anywhere.
 */
@Tag("slow")
class RedriveTest {

  /** For a fast start. */
  private static final String[] OPTIONS = {"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"};

  private static final int KILLS = 10;

  /** Datums that wait at a gate, in each life that ends by a kill. */
  private static final int HALTING = 10;

  private static final int FREE = 20;

  private static final int EMITTERS = 2;
  private static final int RESULTS = 50;
  private static final int HALF = EMITTERS * RESULTS / 2;

  @AutoClose private final ChildProcess server = new ChildProcess();
  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);
  private List<String> unanswered = new ArrayList<>();
  private int answered;
  private long results;
  private long repeated;

  @Test
  void everyDatumIsAnsweredInFullAlthoughTheServerIsKilledInMidDatum(TestReporter reporter)
      throws Exception {
    for (int life = 1; life <= KILLS; life++) {
      server.startScripted(OPTIONS);
      try (MapStreamClient client = ServerFixture.client(server.socket())) {
        killInTheMiddle(new ScriptStream(client), life);
      } catch (AssertionError e) {
        throw new AssertionError("with seed %d in life %d: %s".formatted(seed, life, e), e);
      }
    }
    server.startScripted(OPTIONS);
    answerAll(new ScriptStream(server.connect()));
    long needed = (long) KILLS * (HALTING + FREE) * EMITTERS * RESULTS;
    assertEquals(KILLS * (HALTING + FREE), answered);
    assertEquals(needed, results - repeated);
    reporter.publishEntry("results, of which repeated", results + ", " + repeated);
  }

  private void killInTheMiddle(ScriptStream stream, int life) throws InterruptedException {
    Ledger ledger = redrive(stream, life - 1);
    List<String> halting = sendHalting(stream, life);
    sendFree(stream, life);
    int enough = random.nextInt(FREE * EMITTERS * RESULTS);
    Waits.until(
        "half of each halting datum, and some results of the others",
        () ->
            halting.stream().allMatch(id -> ledger.resultsOf(id) == HALF)
                && ledger.results() >= HALTING * HALF + enough,
        ledger::unanswered);
    server.kill();
    assertFalse(stream.ended().isOk(), "a killed server has ended the stream with OK");
    // Checks that no datum got an EOT before it was complete on this connection.
    ledger.verify();
    settle(ledger);
    // These datums are unanswered, so the next life repeats the results received so far.
    halting.forEach(id -> assertEquals(HALF, ledger.resultsOf(id), id));
  }

  /** Resends the datums without an EOT; those that halted can continue now. */
  private Ledger redrive(ScriptStream stream, int upToGate) {
    for (String id : unanswered) {
      send(stream, id);
    }
    stream.openGates(upToGate);
    return stream.ledger();
  }

  private static List<String> sendHalting(ScriptStream stream, int life) {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < HALTING; i++) {
      ids.add("halts %d in life %d".formatted(i, life));
    }
    ids.forEach(id -> send(stream, id));
    return ids;
  }

  private static void sendFree(ScriptStream stream, int life) {
    for (int i = 0; i < FREE; i++) {
      send(stream, "runs %d in life %d".formatted(i, life));
    }
  }

  /** A datum is the same each time it is sent. */
  private static void send(ScriptStream stream, String id) {
    int gate = id.startsWith("halts") ? Integer.parseInt(id.substring(id.lastIndexOf(' ') + 1)) : 0;
    stream.fanInHalves(id, EMITTERS, RESULTS, 200, gate);
  }

  private void answerAll(ScriptStream stream) throws IOException, InterruptedException {
    Ledger ledger = redrive(stream, KILLS);
    stream.finish();
    server.stopAndVerify();
    settle(ledger);
    assertEquals(List.of(), unanswered);
  }

  /** Adds up the results of one connection. */
  private void settle(Ledger ledger) {
    unanswered = new ArrayList<>(ledger.unanswered());
    boolean gatesAnswered = !unanswered.removeIf(id -> id.startsWith("gates"));
    long wasted = unanswered.stream().mapToLong(ledger::resultsOf).sum();
    answered += ledger.ended() - (gatesAnswered ? 1 : 0);
    results += ledger.results();
    repeated += wasted;
  }
}
