package io.mapstream.server;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Tells which lines of the log are like one that was just written: those are counted, and one line
 * says how many they were. So a client that makes the same fault ten thousand times, or five
 * hundred handlers that fail alike, cost a few lines.
 *
 * <p>The first line of a kind is written whole. Those that follow within {@link #WINDOW} are
 * counted, and so on for as long as any come. Safe for use by several threads; not for the event
 * loop, since it takes a lock.
 */
final class RepeatedLines {

  /** How often the count of a kind is written at most. */
  static final Duration WINDOW = Duration.ofSeconds(10);

  /** Kinds that are told apart; those beyond are counted together. */
  private static final int MOST_KINDS = 100;

  private static final String OTHERS = "";

  /** What is known of one kind. */
  private static final class Kind {
    private final long end;
    private long count;
    private @Nullable LogLine last;

    Kind(long end) {
      this.end = end;
    }

    /** None came in the window, so the next one is new. */
    boolean isOver(long now) {
      return last == null && end - now <= 0;
    }
  }

  /** Lines of one kind that were not written. */
  record Count(LogLine last, long lines) {
    void write() {
      last.writeCount(lines, WINDOW);
    }
  }

  private final LongSupplier clock;
  private final ReentrantLock lock = new ReentrantLock();

  /** In the order of their windows' ends, since all windows are equally long. */
  private final Map<String, Kind> kinds = new LinkedHashMap<>();

  RepeatedLines(LongSupplier clock) {
    this.clock = clock;
  }

  /** Whether the line is to be written; if not, it is counted. */
  boolean isNew(LogLine line) {
    String likeness = line.likeness();
    lock.lock();
    try {
      long now = clock.getAsLong();
      Kind kind = kinds.get(likeness);
      if (kind == null && kinds.size() >= MOST_KINDS) {
        forgetOver(now);
        likeness = kinds.size() >= MOST_KINDS ? OTHERS : likeness;
        kind = kinds.get(likeness);
      }
      if (kind == null || kind.isOver(now)) {
        kinds.remove(likeness);
        kinds.put(likeness, new Kind(now + WINDOW.toNanos()));
        return true;
      }
      kind.count++;
      kind.last = line;
      return false;
    } finally {
      lock.unlock();
    }
  }

  /** Takes the counts whose window is over, or all of them. */
  List<Count> take(boolean all) {
    List<Count> counts = new ArrayList<>();
    Map<String, Kind> again = new LinkedHashMap<>();
    lock.lock();
    try {
      long now = clock.getAsLong();
      Iterator<Map.Entry<String, Kind>> oldest = kinds.entrySet().iterator();
      while (oldest.hasNext()) {
        Map.Entry<String, Kind> entry = oldest.next();
        Kind kind = entry.getValue();
        if (!all && kind.end - now > 0) {
          break;
        }
        oldest.remove();
        if (kind.last != null) {
          counts.add(new Count(kind.last, kind.count));
          again.put(entry.getKey(), new Kind(now + WINDOW.toNanos()));
        }
      }
      kinds.putAll(again);
    } finally {
      lock.unlock();
    }
    return counts;
  }

  private void forgetOver(long now) {
    kinds.values().removeIf(kind -> kind.isOver(now));
  }

  /** Forgets all kinds, counts among them. */
  void forget() {
    lock.lock();
    try {
      kinds.clear();
    } finally {
      lock.unlock();
    }
  }

  /** In how many nanoseconds there is a count to take; negative while there is none. */
  long nanosUntilDue() {
    lock.lock();
    try {
      for (Kind kind : kinds.values()) {
        if (kind.last != null) {
          return Math.max(0, kind.end - clock.getAsLong());
        }
      }
      return -1;
    } finally {
      lock.unlock();
    }
  }
}
