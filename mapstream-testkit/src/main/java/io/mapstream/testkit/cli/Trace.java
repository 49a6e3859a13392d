package io.mapstream.testkit.cli;

import io.mapstream.Message;
import io.mapstream.proto.map.v1.MapResponse;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * What came on a stream for datums that were sent, and the rules that can be judged by it alone,
 * whatever the function computes. Each rule is empty where it is kept, else what was seen.
 *
 * @param sent the ids, each sent once
 * @param responses after the handshake
 */
record Trace(List<String> sent, List<MapResponse> responses) {

  private static final Set<String> MARKS =
      Set.of(Message.DROP_TAG, Message.NACK_TAG, Message.FAIL_TAG);

  static boolean isEot(MapResponse response) {
    return response.getStatus().getEot();
  }

  /** How many of these responses end a datum. */
  static long eots(List<MapResponse> responses) {
    return responses.stream().filter(Trace::isEot).count();
  }

  /** The ids that have an EOT. */
  Set<String> ended() {
    return ended(responses);
  }

  static Set<String> ended(List<MapResponse> responses) {
    Set<String> ended = new HashSet<>();
    responses.stream().filter(Trace::isEot).forEach(eot -> ended.add(eot.getId()));
    return ended;
  }

  String everyDatumEnds() {
    Set<String> left = new TreeSet<>(sent);
    left.removeAll(ended());
    return left.isEmpty()
        ? ""
        : left.size()
            + " of "
            + sent.size()
            + " datums have no EOT, such as "
            + quoted(left.iterator().next());
  }

  String endsOnce() {
    Set<String> ended = new HashSet<>();
    for (MapResponse response : responses) {
      if (isEot(response) && !ended.add(response.getId())) {
        return "a second EOT of datum " + quoted(response.getId());
      }
    }
    return "";
  }

  String endsLast() {
    Set<String> ended = new HashSet<>();
    for (MapResponse response : responses) {
      if (isEot(response)) {
        ended.add(response.getId());
      } else if (ended.contains(response.getId())) {
        return response.getResultsCount()
            + " result(s) after the EOT of datum "
            + quoted(response.getId());
      }
    }
    return "";
  }

  String endsAlone() {
    for (MapResponse response : responses) {
      if (isEot(response) && response.getResultsCount() > 0) {
        return "the EOT of datum "
            + quoted(response.getId())
            + " carries "
            + response.getResultsCount()
            + " result(s)";
      }
    }
    return "";
  }

  String answersWhatWasSent() {
    Set<String> known = new HashSet<>(sent);
    for (MapResponse response : responses) {
      if (response.hasHandshake()) {
        return "a second handshake";
      }
      if (!known.contains(response.getId())) {
        return "a response with the id " + quoted(response.getId()) + ", which was not sent";
      }
    }
    return "";
  }

  String marksAreRight() {
    Set<String> failed = new HashSet<>();
    for (MapResponse response : responses) {
      String datum = " of datum " + quoted(response.getId());
      for (MapResponse.Result result : response.getResultsList()) {
        List<String> marks = result.getTagsList().stream().filter(MARKS::contains).toList();
        if (marks.size() > 1) {
          return "a result" + datum + " has " + marks.size() + " marks: " + marks;
        }
        if (result.hasNackOptions() && !marks.contains(Message.NACK_TAG)) {
          return "a result" + datum + " has nack options and no nack mark";
        }
        if (failed.contains(response.getId())) {
          return "a result after the fail mark" + datum;
        }
        if (marks.contains(Message.FAIL_TAG)) {
          failed.add(response.getId());
        }
      }
    }
    return "";
  }

  /**
   * The results by their ids, in order, however they were packed into responses. What follows an
   * EOT is a fault of its own and left out.
   */
  Map<String, List<MapResponse.Result>> results() {
    Map<String, List<MapResponse.Result>> results = new LinkedHashMap<>();
    sent.forEach(id -> results.put(id, new ArrayList<>()));
    Set<String> ended = new HashSet<>();
    for (MapResponse response : responses) {
      if (!ended.contains(response.getId())) {
        results
            .computeIfAbsent(response.getId(), id -> new ArrayList<>())
            .addAll(response.getResultsList());
      }
      if (isEot(response)) {
        ended.add(response.getId());
      }
    }
    return results;
  }

  private static String quoted(String id) {
    return "\"" + id + "\"";
  }
}
