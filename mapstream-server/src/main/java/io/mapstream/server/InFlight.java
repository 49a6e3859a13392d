package io.mapstream.server;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The datums of one stream that are in work: admitted, and not yet both answered and left by their
 * handler. Kept by task and not by id, since a retry may use an id again while the earlier call
 * still runs.
 *
 * <p>Belongs to the event loop.
 */
final class InFlight {

  private final Admission admission;
  private @Nullable HandlerTask newest;
  private int size;

  InFlight(Admission admission) {
    this.admission = admission;
  }

  void add(HandlerTask task) {
    admission.admit(task.size());
    task.linkOlder(newest);
    if (newest != null) {
      newest.linkNewer(task);
    }
    newest = task;
    size++;
  }

  /** Releases the task's place; called once per task. */
  void remove(HandlerTask task) {
    HandlerTask older = task.older();
    HandlerTask newer = task.newer();
    if (newer == null) {
      newest = older;
    } else {
      newer.linkOlder(older);
    }
    if (older != null) {
      older.linkNewer(newer);
    }
    // Whoever still holds this task must not hold all that came after it.
    task.linkOlder(null);
    task.linkNewer(null);
    size--;
    admission.release(task.size());
  }

  boolean isEmpty() {
    return size == 0;
  }

  int size() {
    return size;
  }

  /** Calls {@code action} for each task; the action may remove the task it is given. */
  void forEach(Consumer<HandlerTask> action) {
    HandlerTask task = newest;
    while (task != null) {
      HandlerTask older = task.older();
      action.accept(task);
      task = older;
    }
  }
}
