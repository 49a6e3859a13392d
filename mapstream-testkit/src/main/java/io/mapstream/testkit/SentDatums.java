package io.mapstream.testkit;

import io.mapstream.Datum;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The datums of a stream that have no EOT yet. Several may have the same id; what arrives belongs
 * to the oldest of them. Guarded by the stream's lock.
 */
final class SentDatums {

  /** A datum without an EOT, and who is told of what arrives for it. */
  static final class Sent {
    private final Datum datum;
    private final ReplyListener listener;
    private @Nullable Sent next;

    private Sent(Datum datum, ReplyListener listener) {
      this.datum = datum;
      this.listener = listener;
    }

    ReplyListener listener() {
      return listener;
    }
  }

  private final Map<String, Sent> oldest = new LinkedHashMap<>();

  void add(String id, Datum datum, ReplyListener listener) {
    Sent sent = new Sent(datum, listener);
    Sent earlier = oldest.putIfAbsent(id, sent);
    while (earlier != null) {
      Sent later = earlier.next;
      if (later == null) {
        earlier.next = sent;
      }
      earlier = later;
    }
  }

  boolean contains(String id) {
    return oldest.containsKey(id);
  }

  boolean isEmpty() {
    return oldest.isEmpty();
  }

  /** The oldest datum of this id, which has to be there. */
  Sent get(String id) {
    Sent sent = oldest.get(id);
    if (sent == null) {
      throw new IllegalStateException("no datum is open under the id \"" + id + "\"");
    }
    return sent;
  }

  /** The oldest datum of this id has its EOT. */
  void remove(String id) {
    Sent sent = get(id);
    if (sent.next == null) {
      oldest.remove(id);
    } else {
      oldest.put(id, sent.next);
    }
  }

  /** All listeners, those of the same id in the order of sending. */
  List<ReplyListener> listeners() {
    List<ReplyListener> all = new ArrayList<>();
    for (Sent first : oldest.values()) {
      for (Sent sent = first; sent != null; sent = sent.next) {
        all.add(sent.listener);
      }
    }
    return all;
  }

  /** The oldest datum of each id, in the order in which the ids were first sent. */
  Map<String, Datum> datums() {
    Map<String, Datum> datums = new LinkedHashMap<>();
    oldest.forEach((id, sent) -> datums.put(id, sent.datum));
    return Collections.unmodifiableMap(datums);
  }

  /** How many ids there are, and the first of them. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("datums without an EOT: ").append(oldest.size());
    if (!oldest.isEmpty()) {
      text.append(" (").append(String.join(", ", oldest.keySet().stream().limit(5).toList()));
      text.append(oldest.size() > 5 ? ", …)" : ")");
    }
    return text.toString();
  }
}
