package io.mapstream.testkit;

import io.mapstream.Datum;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The datums of a stream that have no EOT yet. Several may have the same id; what arrives belongs
 * to the oldest of them. Guarded by the stream's lock.
 */
final class SentDatums {

  /** A datum without an EOT, and who is told of what arrives for it. */
  private record Sent(Datum datum, ReplyListener listener) {}

  /** By their ids, the oldest first. */
  private final Map<String, List<Sent>> open = new LinkedHashMap<>();

  void add(String id, Datum datum, ReplyListener listener) {
    open.merge(
        id,
        List.of(new Sent(datum, listener)),
        (earlier, later) -> Stream.concat(earlier.stream(), later.stream()).toList());
  }

  boolean contains(String id) {
    return open.containsKey(id);
  }

  /** Who is told of the oldest datum of an id that is open. */
  ReplyListener listener(String id) {
    List<Sent> sent = open.get(id);
    if (sent == null) {
      throw new IllegalStateException("no datum is open under the id \"" + id + "\"");
    }
    return sent.getFirst().listener();
  }

  /** The oldest datum of this id has its EOT. */
  void remove(String id) {
    open.computeIfPresent(
        id, (same, sent) -> sent.size() == 1 ? null : sent.subList(1, sent.size()));
  }

  /** All listeners, those of the same id in the order of sending. */
  List<ReplyListener> listeners() {
    return open.values().stream().flatMap(List::stream).map(Sent::listener).toList();
  }

  /** The oldest datum of each id, in the order in which the ids were first sent. */
  Map<String, Datum> datums() {
    Map<String, Datum> datums = new LinkedHashMap<>();
    open.forEach((id, sent) -> datums.put(id, sent.getFirst().datum()));
    return Collections.unmodifiableMap(datums);
  }

  /** How many ids there are, and the first of them. */
  @Override
  public String toString() {
    String first = String.join(", ", open.keySet().stream().limit(5).toList());
    return "datums without an EOT: "
        + open.size()
        + (open.isEmpty() ? "" : " (" + first + (open.size() > 5 ? ", …)" : ")"));
  }
}
