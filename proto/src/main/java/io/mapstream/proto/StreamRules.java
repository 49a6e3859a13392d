package io.mapstream.proto;

import io.mapstream.Message;
import io.mapstream.proto.map.v1.MapResponse;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Checks the rules that a server has to keep on one {@code MapFn} stream. It has no side effects:
 * it is called with each datum sent and each response received, in order, and returns the rules
 * that were broken.
 *
 * <p>Not safe for use by several threads.
 */
public final class StreamRules {

  /** A rule of the protocol. */
  public enum Rule {
    /**
     * The first response is a handshake with sot = true and nothing else; no other response is one.
     */
    HANDSHAKE,
    /** A response has the id of a datum that was sent. */
    KNOWN_ID,
    /** Each datum has one EOT. */
    ONE_EOT,
    /** No result follows the EOT of its datum. */
    EOT_LAST,
    /** An EOT carries no results; the platform would drop them. */
    EOT_ALONE,
    /** A response is the handshake, has results or is an EOT; a status is an EOT. */
    CONTENT,
    /** A result has at most one mark, nack options only with a nack, and nothing follows a fail. */
    MARKS,
    /** A stream that is closed with OK has an EOT for each datum. */
    ALL_ANSWERED
  }

  /**
   * A violation of a rule by a server.
   *
   * @param rule the rule
   * @param text what was observed, with the id that it concerns
   */
  public record Fault(Rule rule, String text) {}

  /** Ids remembered after their EOT, to distinguish a late result from one for an unknown id. */
  private static final int REMEMBERED_IDS = 10_000;

  private static final Set<String> MARKS =
      Set.of(Message.DROP_TAG, Message.NACK_TAG, Message.FAIL_TAG);

  /** The ids without an EOT, and how many datums each of them stands for. */
  private final Map<String, Integer> open = new LinkedHashMap<>();

  private final Set<String> ended = new LinkedHashSet<>();

  /** The ids whose oldest open datum has its fail mark. */
  private final Set<String> failed = new HashSet<>();

  private boolean shaken;

  /** Creates the rules for a stream on which nothing was sent. */
  public StreamRules() {}

  /**
   * Notes that a datum is sent. An id may be used again, even while it is open.
   *
   * @param id its id
   */
  public void sent(String id) {
    open.merge(id, 1, Integer::sum);
  }

  /**
   * Checks a response that was received.
   *
   * @param response any response, including the handshake
   * @return the rules that it breaks, often none
   */
  public List<Fault> received(MapResponse response) {
    List<Fault> faults = new ArrayList<>();
    if (response.hasHandshake() || !shaken) {
      judgeHandshake(response, faults);
      return faults;
    }
    boolean eot = response.getStatus().getEot();
    if (response.hasStatus() && !eot) {
      fault(faults, Rule.CONTENT, "a status without eot" + ofDatum(response));
    } else if (!eot && response.getResultsCount() == 0) {
      fault(faults, Rule.CONTENT, "neither results nor an EOT in a response" + ofDatum(response));
    }
    if (!open.containsKey(response.getId())) {
      judgeUnexpected(response, eot, faults);
      return faults;
    }
    judgeMarks(response, faults);
    if (eot) {
      if (response.getResultsCount() > 0) {
        fault(
            faults,
            Rule.EOT_ALONE,
            "the EOT"
                + ofDatum(response)
                + " carries "
                + results(response)
                + ", which the platform drops");
      }
      end(response.getId());
    }
    return faults;
  }

  /**
   * Called when the server has closed the stream with OK.
   *
   * @return the rule that this breaks, if datums are open
   */
  public List<Fault> closedWithOk() {
    return open.isEmpty()
        ? List.of()
        : List.of(
            new Fault(
                Rule.ALL_ANSWERED,
                "the stream was closed with OK, but datums had no EOT: "
                    + String.join(", ", open.keySet())));
  }

  /** {@return the ids without an EOT} */
  public Set<String> unanswered() {
    return Set.copyOf(open.keySet());
  }

  /** {@return whether the handshake has been received} */
  public boolean isShaken() {
    return shaken;
  }

  private void judgeHandshake(MapResponse response, List<Fault> faults) {
    if (shaken) {
      fault(faults, Rule.HANDSHAKE, "a second handshake, with " + contents(response));
    } else if (!response.getHandshake().getSot()) {
      fault(
          faults,
          Rule.HANDSHAKE,
          "the first response is not a handshake with sot = true but has " + contents(response));
    } else if (response.getResultsCount() > 0 || response.hasStatus()) {
      fault(faults, Rule.HANDSHAKE, "the handshake carries " + contents(response));
    }
    shaken = true;
  }

  private void judgeUnexpected(MapResponse response, boolean eot, List<Fault> faults) {
    String what = eot ? "an EOT" : results(response);
    if (!ended.contains(response.getId())) {
      String id = quoted(response.getId());
      fault(faults, Rule.KNOWN_ID, what + " for the id " + id + ", which was not sent");
    } else {
      Rule rule = eot ? Rule.ONE_EOT : Rule.EOT_LAST;
      fault(faults, rule, what + " after the EOT" + ofDatum(response));
    }
  }

  private void judgeMarks(MapResponse response, List<Fault> faults) {
    for (MapResponse.Result result : response.getResultsList()) {
      List<String> marks = result.getTagsList().stream().filter(MARKS::contains).toList();
      if (failed.contains(response.getId())) {
        fault(faults, Rule.MARKS, "a result after the fail mark" + ofDatum(response));
      }
      if (marks.size() > 1) {
        fault(
            faults,
            Rule.MARKS,
            "a result" + ofDatum(response) + " has " + marks.size() + " marks: " + marks);
      }
      if (result.hasNackOptions() && !marks.contains(Message.NACK_TAG)) {
        fault(
            faults,
            Rule.MARKS,
            "a result" + ofDatum(response) + " has nack options but no nack mark");
      }
      if (marks.contains(Message.FAIL_TAG)) {
        failed.add(response.getId());
      }
    }
  }

  private void end(String id) {
    open.compute(id, (same, count) -> count == 1 ? null : count - 1);
    failed.remove(id);
    ended.add(id);
    if (ended.size() > REMEMBERED_IDS) {
      ended.remove(ended.iterator().next());
    }
  }

  private static void fault(List<Fault> faults, Rule rule, String text) {
    faults.add(new Fault(rule, text));
  }

  private static String ofDatum(MapResponse response) {
    return " of datum " + quoted(response.getId());
  }

  private static String contents(MapResponse response) {
    return "id "
        + quoted(response.getId())
        + ", "
        + results(response)
        + ", status.eot = "
        + response.getStatus().getEot();
  }

  private static String results(MapResponse response) {
    return response.getResultsCount() + " result(s)";
  }

  private static String quoted(String id) {
    return "\"" + id + "\"";
  }
}
