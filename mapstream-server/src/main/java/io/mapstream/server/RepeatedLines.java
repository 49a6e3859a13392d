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
 * Determines which log lines are like one that was just written: those are counted, and one line
 * reports their number. A client that makes the same fault ten thousand times, or five hundred
 * handlers that fail alike, therefore cost only a few lines.
 *
 * <p>The first line of a kind is written in full. Those that follow within {@link #WINDOW} are
 * counted, and so on as long as there are any. Safe for use by several threads; not for the event
 * loop, since it takes a lock.
 */
final class RepeatedLines {

  /** The shortest time between two counts of a kind. */
  static final Duration WINDOW = Duration.ofSeconds(10);

  /** The most kinds that are distinguished; the others are counted together. */
  private static final int MOST_KINDS = 100;

  private static final String OTHERS = "";

  /** The state of one kind. */
  private static final class Kind {
    private final long end;
    private long count;
    private @Nullable LogLine last;

    Kind(long end) {
      this.end = end;
    }

    /** Returns whether none came in the window, so that the next one is new. */
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

  /** In the order in which their windows end, since all windows are equally long. */
  private final Map<String, Kind> kinds = new LinkedHashMap<>();

  RepeatedLines(LongSupplier clock) {
    this.clock = clock;
  }

  /** Returns whether the line is to be written; if not, counts it. */
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

  /** Forgets all kinds, including counts. */
  void forget() {
    lock.lock();
    try {
      kinds.clear();
    } finally {
      lock.unlock();
    }
  }

  /** Returns in how many nanoseconds there is a count to take; negative while there is none. */
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
