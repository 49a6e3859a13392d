package io.mapstream.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The resources that an owner opened and closes when it is closed itself. The first one is opened
 * on demand.
 *
 * @param <T> the type of the resources
 */
final class Opened<T> {

  private final String owner;

  /** Held while the first one opens; {@link #close} does not wait for it. */
  private final ReentrantLock opening = new ReentrantLock();

  /** Guarded by opening. */
  private @Nullable T first;

  private final InternalGuard guard = new InternalGuard();

  // Guarded by it.
  private final List<T> all = new ArrayList<>();
  private boolean closed;

  /** {@code owner} is the name used in exception messages. */
  Opened(String owner) {
    this.owner = owner;
  }

  /** Returns the first one, always the same. */
  T first(InternalGuard.Action<T, InterruptedException> how) throws InterruptedException {
    verifyOpen();
    opening.lockInterruptibly();
    try {
      if (first == null) {
        first = how.run();
      }
      return first;
    } finally {
      opening.unlock();
    }
  }

  /** Throws an {@link IllegalStateException} once the owner is closed. */
  void verifyOpen() {
    guard.run(() -> {
      if (closed) {
        throw new IllegalStateException(owner + " is closed");
      }
    });
  }

  /** Adds one, unless the owner is closed. */
  void add(T one) {
    guard.run(() -> {
      verifyOpen();
      all.add(one);
    });
  }

  /** Forgets those that need not be closed. */
  void removeIf(Predicate<T> isDone) {
    guard.run(() -> all.removeIf(isDone));
  }

  /** Closes all, refuses new ones from now on, and returns the faults that closing reported. */
  List<Throwable> close(Consumer<T> how) {
    List<T> taken =
        guard.get(() -> {
          closed = true;
          List<T> open = List.copyOf(all);
          all.clear();
          return open;
        });
    List<Throwable> faults = new ArrayList<>();
    for (T each : taken) {
      try {
        how.accept(each);
      } catch (ProtocolFaultError e) {
        faults.add(e);
      }
    }
    return faults;
  }

  /** Throws the first, if any, with the others as suppressed exceptions. All are unchecked. */
  static void throwFirst(List<Throwable> thrown) {
    if (thrown.isEmpty()) {
      return;
    }
    Throwable first = thrown.removeFirst();
    thrown.forEach(first::addSuppressed);
    if (first instanceof Error error) {
      throw error;
    }
    throw (RuntimeException) first;
  }
}
