package io.mapstream.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** What is done here with things that are thrown. */
final class Throwables {

  private Throwables() {}

  /** Closes all; the faults that they report. */
  static <T> List<Throwable> faultsOf(List<T> all, Consumer<T> close) {
    List<Throwable> faults = new ArrayList<>();
    for (T each : all) {
      try {
        close.accept(each);
      } catch (ProtocolFaultError e) {
        faults.add(e);
      }
    }
    return faults;
  }

  /** Throws the first, if there is one, with the others suppressed on it. All are unchecked. */
  static void throwFirst(List<? extends Throwable> thrown) {
    if (thrown.isEmpty()) {
      return;
    }
    thrown.stream().skip(1).forEach(thrown.getFirst()::addSuppressed);
    if (thrown.getFirst() instanceof Error error) {
      throw error;
    }
    throw (RuntimeException) thrown.getFirst();
  }
}
