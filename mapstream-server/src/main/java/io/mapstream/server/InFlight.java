package io.mapstream.server;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The datums of one stream that are in work: admitted, and either not yet answered, or their
 * handler has not returned yet. Tracked by task and not by id, since a retry may use an id again
 * while the earlier call still runs.
 *
 * <p>Belongs to the event loop.
 */
final class InFlight {

  /** A task's entry in this list; the task holds it, so that no lookup is needed. */
  static final class Entry {
    private final HandlerTask task;
    private @Nullable Entry older;
    private @Nullable Entry newer;
    private boolean answered;
    private boolean released;

    Entry(HandlerTask task) {
      this.task = task;
    }
  }

  private final Admission admission;
  private @Nullable Entry newest;
  private int size;

  InFlight(Admission admission) {
    this.admission = admission;
  }

  void add(HandlerTask task) {
    Entry entry = task.entry();
    admission.admit(task.size());
    entry.older = newest;
    if (newest != null) {
      newest.newer = entry;
    }
    newest = entry;
    size++;
  }

  /** Notes that the datum's EOT was written, and returns its task. */
  HandlerTask answered(Entry entry) {
    entry.answered = true;
    return entry.task;
  }

  /**
   * Releases what the datum holds once it is complete: its handler has returned, and its EOT was
   * written or never will be.
   *
   * @param streamEnded whether no EOT is written any more
   * @return whether it was released, which is true once per task
   */
  boolean releaseIfDone(HandlerTask task, boolean streamEnded) {
    Entry entry = task.entry();
    if (entry.released || !task.hasReturned() || !(entry.answered || streamEnded)) {
      return false;
    }
    entry.released = true;
    unlink(entry);
    size--;
    admission.release(task.size());
    return true;
  }

  private void unlink(Entry entry) {
    Entry older = entry.older;
    Entry newer = entry.newer;
    if (newer == null) {
      newest = older;
    } else {
      newer.older = older;
    }
    if (older != null) {
      older.newer = newer;
    }
    // A reference to this task must not keep all later tasks reachable.
    entry.older = null;
    entry.newer = null;
  }

  boolean isEmpty() {
    return size == 0;
  }

  int size() {
    return size;
  }

  /** Calls {@code action} for each task, which the action may release. */
  void forEach(Consumer<HandlerTask> action) {
    Entry entry = newest;
    while (entry != null) {
      Entry older = entry.older;
      action.accept(entry.task);
      entry = older;
    }
  }
}
