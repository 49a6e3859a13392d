package io.mapstream.server.hostile;

import io.mapstream.Message;
import io.mapstream.proto.map.v1.MapResponse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Counts every single result of one stream: of each emitter of each datum every index once and in
 * order, then one EOT without results, then nothing; where a datum fails, the mark in between. Safe
 * from any thread.
 */
public final class Ledger {

  private static final class Account {
    final int[] next;
    final int count;
    final boolean fails;
    boolean failed;

    Account(int emitters, int count, boolean fails) {
      this.next = new int[emitters];
      this.count = count;
      this.fails = fails;
    }

    boolean isComplete() {
      if (fails) {
        return failed;
      }
      for (int index : next) {
        if (index != count) {
          return false;
        }
      }
      return true;
    }

    @Override
    public String toString() {
      return "%s of %d%s".formatted(Arrays.toString(next), count, failed ? ", failed" : "");
    }
  }

  private final Map<String, Account> open = new HashMap<>();
  private final List<String> faults = new ArrayList<>();
  private boolean handshake;
  private long results;
  private int ended;
  private int failed;

  /** A datum of this id was sent that is to have {@code count} results from each emitter. */
  public void expect(String id, int emitters, int count) {
    expect(id, new Account(emitters, count, false));
  }

  /** A datum was sent that is to have no more than that, then the fail mark and nothing after. */
  public void expectFail(String id, int emitters, int count) {
    expect(id, new Account(emitters, count, true));
  }

  private synchronized void expect(String id, Account account) {
    if (open.put(id, account) != null) {
      throw new IllegalStateException("id in use: " + id);
    }
  }

  public synchronized void received(MapResponse response) {
    if (response.hasHandshake()) {
      check(!handshake && response.getHandshake().getSot(), response, "a second handshake");
      handshake = true;
      return;
    }
    Account account = open.get(response.getId());
    if (account == null) {
      faults.add("a response for an id that is not open: " + describe(response));
      return;
    }
    if (response.hasStatus()) {
      check(response.getStatus().getEot(), response, "a status without eot");
      check(response.getResultsCount() == 0, response, "results on an EOT");
      check(account.isComplete(), response, "an EOT after " + account);
      open.remove(response.getId());
      ended++;
      failed += account.failed ? 1 : 0;
      return;
    }
    check(response.getResultsCount() > 0, response, "neither results nor EOT");
    for (MapResponse.Result result : response.getResultsList()) {
      check(!account.failed, response, "a result after the fail mark");
      if (result.getTagsList().contains(Message.FAIL_TAG)) {
        check(account.fails, response, "a fail mark that was not emitted");
        account.failed = true;
        continue;
      }
      var value = result.getValue().asReadOnlyByteBuffer();
      int emitter = value.getInt();
      int index = value.getInt();
      check(
          index == account.next[emitter] && index < account.count,
          response,
          "emitter %d's %d after %s".formatted(emitter, index, account));
      account.next[emitter] = index + 1;
      results++;
    }
  }

  private void check(boolean right, MapResponse response, String fault) {
    if (!right) {
      faults.add(fault + ": " + describe(response));
    }
  }

  private static String describe(MapResponse response) {
    return "id \"%s\", %d results%s"
        .formatted(
            response.getId(), response.getResultsCount(), response.hasStatus() ? ", status" : "");
  }

  /** Fails if anything was wrong so far. */
  public synchronized void verify() {
    if (!faults.isEmpty()) {
      throw new AssertionError(
          "%d faults, the first: %s"
              .formatted(faults.size(), faults.subList(0, Math.min(5, faults.size()))));
    }
  }

  /** Fails if anything was wrong or is still missing. */
  public synchronized void verifyComplete() {
    verify();
    if (!open.isEmpty()) {
      throw new AssertionError("never ended: " + open);
    }
  }

  /** Ids without an EOT. */
  public synchronized List<String> unanswered() {
    return List.copyOf(open.keySet());
  }

  /** Results that have come for a datum without an EOT. */
  public synchronized long resultsOf(String id) {
    return Arrays.stream(open.get(id).next).sum();
  }

  public synchronized boolean isComplete() {
    return open.isEmpty();
  }

  public synchronized long results() {
    return results;
  }

  /** EOTs received. */
  public synchronized int ended() {
    return ended;
  }

  /** EOTs of datums with the fail mark. */
  public synchronized int failed() {
    return failed;
  }

  public synchronized boolean hasHandshake() {
    return handshake;
  }
}
