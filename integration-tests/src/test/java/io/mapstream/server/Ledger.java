package io.mapstream.server;

import io.mapstream.Message;
import io.mapstream.proto.StreamRules;
import io.mapstream.proto.map.v1.MapResponse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Counts every single result of one stream of a {@link ScriptedHandler}: each emitter of each datum
 * must send every index once and in order. {@link StreamRules} checks the other rules of the
 * protocol. Thread-safe.
 */
final class Ledger {

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
      return fails ? failed : Arrays.stream(next).allMatch(index -> index == count);
    }

    @Override
    public String toString() {
      return "%s of %d%s".formatted(Arrays.toString(next), count, failed ? ", failed" : "");
    }
  }

  private final StreamRules rules = new StreamRules();
  private final Map<String, Account> open = new HashMap<>();
  private final List<String> faults = new ArrayList<>();
  private long results;
  private int ended;
  private int failed;

  /** Notes that a datum was sent that must get {@code count} results from each emitter. */
  void expect(String id, int emitters, int count) {
    expect(id, new Account(emitters, count, false));
  }

  /**
   * Notes that a datum was sent that must get at most that many results, then the fail mark and
   * nothing else.
   */
  void expectFail(String id, int emitters, int count) {
    expect(id, new Account(emitters, count, true));
  }

  private synchronized void expect(String id, Account account) {
    if (open.put(id, account) != null) {
      throw new IllegalStateException("id in use: " + id);
    }
    rules.sent(id);
  }

  synchronized void received(MapResponse response) {
    rules.received(response).forEach(fault -> faults.add(fault.text()));
    Account account = open.get(response.getId());
    if (account == null) {
      return; // the handshake, or a violation of the rules
    }
    response.getResultsList().forEach(result -> count(response.getId(), account, result));
    if (response.getStatus().getEot()) {
      check(account.isComplete(), response.getId(), "an EOT after " + account);
      open.remove(response.getId());
      ended++;
      failed += account.failed ? 1 : 0;
    }
  }

  private void count(String id, Account account, MapResponse.Result result) {
    if (result.getTagsList().contains(Message.FAIL_TAG)) {
      check(account.fails, id, "a fail mark that was not emitted");
      account.failed = true;
      return;
    }
    var value = result.getValue().asReadOnlyByteBuffer();
    int emitter = value.getInt();
    int index = value.getInt();
    check(
        index == account.next[emitter] && index < account.count,
        id,
        "emitter %d's %d after %s".formatted(emitter, index, account));
    account.next[emitter] = index + 1;
    results++;
  }

  private void check(boolean right, String id, String fault) {
    if (!right) {
      faults.add(fault + ", of datum \"" + id + "\"");
    }
  }

  /** Fails if there was any fault so far. */
  synchronized void verify() {
    if (!faults.isEmpty()) {
      throw new AssertionError(
          "%d faults, the first: %s"
              .formatted(faults.size(), faults.subList(0, Math.min(5, faults.size()))));
    }
  }

  /** Fails if there was any fault, or if anything is still missing. */
  synchronized void verifyComplete() {
    verify();
    if (!open.isEmpty()) {
      throw new AssertionError("never ended: " + open);
    }
  }

  /** Takes all that a stream has received, and fails if there is a fault or anything is missing. */
  void verifyComplete(List<MapResponse> responses) {
    responses.forEach(this::received);
    verifyComplete();
  }

  /** Ids without an EOT. */
  synchronized List<String> unanswered() {
    return List.copyOf(open.keySet());
  }

  /** Results received for a datum that has no EOT yet. */
  synchronized long resultsOf(String id) {
    return Arrays.stream(open.get(id).next).sum();
  }

  synchronized boolean isComplete() {
    return open.isEmpty();
  }

  synchronized long results() {
    return results;
  }

  /** EOTs received. */
  synchronized int ended() {
    return ended;
  }

  /** EOTs of datums with the fail mark. */
  synchronized int failed() {
    return failed;
  }
}
