package io.mapstream.testkit;

import io.mapstream.Datum;
import io.mapstream.Message;
import io.mapstream.proto.Codec;
import io.mapstream.proto.StreamRules;
import io.mapstream.proto.map.v1.MapResponse;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The datums of a stream that have no EOT yet, and the rules for their responses. Several may have
 * the same id; responses belong to the oldest of them. Guarded by the stream's lock.
 */
final class SentDatums {

  /** A datum without an EOT, with its place in the order of sending. */
  record Sent(long place, String id, Datum datum, ReplyListener listener) {}

  /** By id; datums with the same id are in the order of sending. */
  private final Map<String, List<Sent>> open = new LinkedHashMap<>();

  private final StreamRules rules = new StreamRules();
  private long lastId;
  private long count;

  /** Returns the next number that is not the id of an open datum. */
  String nextId() {
    do {
      lastId++;
    } while (open.containsKey(Long.toString(lastId)));
    return Long.toString(lastId);
  }

  void add(String id, Datum datum, ReplyListener listener) {
    open.merge(
        id,
        List.of(new Sent(count++, id, datum, listener)),
        (earlier, later) -> Stream.concat(earlier.stream(), later.stream()).toList());
    rules.sent(id);
  }

  /**
   * Processes a response; the handshake is one too.
   *
   * @return the notification of the listener, to be run without the lock
   * @throws IllegalArgumentException if the response violates the rules; the message says how
   */
  Runnable received(MapResponse response) {
    List<StreamRules.Fault> faults = rules.received(response);
    if (!faults.isEmpty()) {
      throw new IllegalArgumentException(faults.getFirst().text());
    }
    if (response.hasHandshake()) {
      return () -> {};
    }
    String id = response.getId();
    ReplyListener listener = Objects.requireNonNull(open.get(id)).getFirst().listener();
    List<Message> messages = messages(response);
    boolean eot = response.getStatus().getEot();
    if (eot) {
      open.computeIfPresent(id, (same, all) -> all.size() == 1 ? null : all.subList(1, all.size()));
    }
    return () -> {
      messages.forEach(listener::message);
      if (eot) {
        listener.ended();
      }
    };
  }

  private static List<Message> messages(MapResponse response) {
    try {
      return response.getResultsList().stream().map(Codec::message).toList();
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "a result of datum \"" + response.getId() + "\": " + e.getMessage(), e);
    }
  }

  /** Returns the fault, if any, of a server that has just closed the stream with OK. */
  Optional<String> faultOfOk() {
    return rules.closedWithOk().stream().findFirst().map(StreamRules.Fault::text);
  }

  /** Returns all of them in the order of sending. */
  List<Sent> all() {
    return open.values().stream()
        .flatMap(List::stream)
        .sorted(Comparator.comparingLong(Sent::place))
        .toList();
  }

  /** Returns the number of ids, and the first few of them. */
  @Override
  public String toString() {
    String first = String.join(", ", open.keySet().stream().limit(5).toList());
    return "datums without an EOT: "
        + open.size()
        + (open.isEmpty() ? "" : " (" + first + (open.size() > 5 ? ", …)" : ")"));
  }
}
