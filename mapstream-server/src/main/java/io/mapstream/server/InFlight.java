package io.mapstream.server;

import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The datums of one stream that are in work: admitted, and either not yet answered, or their
 * handler has not returned yet. Tracked by task and not by id, since a retry may use an id again
 * while the earlier call still runs.
 *
 * <p>Belongs to the event loop, except where a method says otherwise.
 */
final class InFlight {

  /** Heap that a datum's thread and objects take in addition to its request. */
  private static final int OVERHEAD = 1024;

  /** A task's entry in this list; the task holds it, so that no lookup is needed. */
  static final class Entry {

    private static final AtomicIntegerFieldUpdater<Entry> WAITING =
        AtomicIntegerFieldUpdater.newUpdater(Entry.class, "waiting");

    private final HandlerTask task;
    private final long size;
    private volatile int waiting;
    private @Nullable Entry older;
    private @Nullable Entry newer;
    private boolean answered;
    private boolean released;

    /**
     * Creates the entry of a datum.
     *
     * @param size bytes that the datum's request takes
     */
    Entry(HandlerTask task, long size) {
      this.task = task;
      this.size = size;
    }

    /** Returns the bytes that the datum's request takes. */
    long size() {
      return size;
    }

    /** Returns its part of the admission budget. */
    private long budget() {
      return size + OVERHEAD;
    }

    /**
     * Called when an {@code emit} of the datum begins to wait. Any thread.
     *
     * @return the datum's bytes if no other {@code emit} of it waits, otherwise 0
     */
    long beginsToWait() {
      return WAITING.getAndIncrement(this) == 0 ? size : 0;
    }

    /**
     * Called when the wait ends. Any thread.
     *
     * @return the datum's bytes if no other {@code emit} of it waits, otherwise 0
     */
    long hasWaited() {
      return WAITING.decrementAndGet(this) == 0 ? size : 0;
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
    admission.admit(entry.budget());
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
    admission.release(entry.budget());
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
