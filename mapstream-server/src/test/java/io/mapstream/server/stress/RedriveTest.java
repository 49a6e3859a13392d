package io.mapstream.server.stress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.server.hostile.Await;
import io.mapstream.server.hostile.GrpcClient;
import io.mapstream.server.hostile.Ledger;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;

/**
 * A server that is killed again and again, and a client that does what the data plane does: it
 * connects anew and sends all that has no EOT again, under the same ids.
 */
class RedriveTest {

  /** To be up soon. */
  private static final String[] OPTIONS = {"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"};

  private static final int KILLS = 10;
  private static final int DATUMS = 300;
  private static final int EMITTERS = 2;
  private static final int RESULTS = 50;

  @Test
  void everyDatumIsAnsweredInFullThoughTheServerIsKilledInMidLoad(
      @TempDir Path folder, TestReporter reporter) throws IOException {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    List<String> unanswered = new ArrayList<>();
    for (int i = 0; i < DATUMS; i++) {
      unanswered.add("datum-" + i);
    }
    int answered = 0;
    long results = 0;
    for (int life = 0; life <= KILLS; life++) {
      try (ServerProcess server = new ServerProcess(folder, OPTIONS);
          GrpcClient client = new GrpcClient(server.socket())) {
        GrpcClient.Stream stream = client.open();
        for (String id : unanswered) {
          stream.fan(id, EMITTERS, RESULTS, 200);
        }
        Ledger ledger = stream.ledger();
        if (life < KILLS) {
          int enough = random.nextInt(2 * EMITTERS * RESULTS * DATUMS / KILLS / 2);
          Await.until("it is in mid-load", () -> ledger.results() >= enough, ledger::results);
          server.kill();
          assertFalse(stream.awaitEnd().isOk(), "a killed server has ended the stream with OK");
          // No EOT came for a datum that was not complete on this connection.
          ledger.verify();
        } else {
          stream.finish();
          server.stopAndVerify();
        }
        unanswered = ledger.unanswered();
        answered += ledger.ended();
        results += ledger.results();
      } catch (AssertionError e) {
        throw new AssertionError("with seed %d in life %d: %s".formatted(seed, life, e), e);
      }
    }
    assertEquals(List.of(), unanswered);
    assertEquals(DATUMS, answered);
    long needed = (long) DATUMS * EMITTERS * RESULTS;
    assertTrue(results >= needed);
    reporter.publishEntry("results, of which repeated", results + ", " + (results - needed));
  }
}
