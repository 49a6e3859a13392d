package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;

/**
 * A server that is killed again and again, and a client that does what the data plane does: it
 * reconnects and sends all that has no EOT again, under the same ids.
 *
 * <p>Each life of the server has datums of its own. Some of them wait when half of their results
 * are out, at a gate that only the next life opens: so each kill finds those in the middle, by
 * construction and not by luck. The others run freely, and the kill finds them where it does.
 */
@Tag("slow")
class RedriveTest {

  /** To be up soon. */
  private static final String[] OPTIONS = {"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"};

  private static final int KILLS = 10;

  /** In each life that ends by a kill. */
  private static final int HALTING = 10;

  private static final int FREE = 20;

  private static final int EMITTERS = 2;
  private static final int RESULTS = 50;
  private static final int HALF = EMITTERS * RESULTS / 2;

  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);
  private List<String> unanswered = new ArrayList<>();
  private int answered;
  private long results;
  private long repeated;

  @Test
  void everyDatumIsAnsweredInFullAlthoughTheServerIsKilledInMidDatum(
      @TempDir Path folder, TestReporter reporter) throws Exception {
    for (int life = 1; life <= KILLS; life++) {
      try (ChildProcess server = ChildProcess.scripted(folder, Map.of(), OPTIONS);
          WireClient client = new WireClient(server.socket())) {
        killInTheMiddle(server, ScriptStream.open(client), life);
      } catch (AssertionError e) {
        throw new AssertionError("with seed %d in life %d: %s".formatted(seed, life, e), e);
      }
    }
    try (ChildProcess server = ChildProcess.scripted(folder, Map.of(), OPTIONS);
        WireClient client = new WireClient(server.socket())) {
      answerAll(server, ScriptStream.open(client));
    }
    long needed = (long) KILLS * (HALTING + FREE) * EMITTERS * RESULTS;
    assertEquals(KILLS * (HALTING + FREE), answered);
    assertEquals(needed, results - repeated);
    reporter.publishEntry("results, of which repeated", results + ", " + repeated);
  }

  private void killInTheMiddle(ChildProcess server, ScriptStream stream, int life) {
    Ledger ledger = redrive(stream, life - 1);
    List<String> halting = sendHalting(stream, life);
    sendFree(stream, life);
    int enough = random.nextInt(FREE * EMITTERS * RESULTS);
    Waits.until(
        "half of each datum that halts is here, and some of the others",
        () ->
            halting.stream().allMatch(id -> ledger.resultsOf(id) == HALF)
                && ledger.results() >= HALTING * HALF + enough,
        ledger::unanswered);
    server.kill();
    assertFalse(stream.awaitEnd().isOk(), "a killed server has ended the stream with OK");
    // No EOT came for a datum that was not complete on this connection.
    ledger.verify();
    settle(ledger);
    // Nothing answers those, so that what has come of them is what the next life repeats.
    halting.forEach(id -> assertEquals(HALF, ledger.resultsOf(id), id));
  }

  /** Sends again what has no EOT; what halted then goes on now. */
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

  private void answerAll(ChildProcess server, ScriptStream stream)
      throws IOException, InterruptedException {
    Ledger ledger = redrive(stream, KILLS);
    stream.finish();
    server.stopAndVerify();
    settle(ledger);
    assertEquals(List.of(), unanswered);
  }

  /** Adds up what one connection has brought. */
  private void settle(Ledger ledger) {
    unanswered = new ArrayList<>(ledger.unanswered());
    boolean gatesAnswered = !unanswered.removeIf(id -> id.startsWith("gates"));
    long wasted = unanswered.stream().mapToLong(ledger::resultsOf).sum();
    answered += ledger.ended() - (gatesAnswered ? 1 : 0);
    results += ledger.results();
    repeated += wasted;
  }
}
