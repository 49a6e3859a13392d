package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** When more requests are asked for. */
class AdmissionTest {

  private final List<String> asked = new ArrayList<>();

  private Runnable ask(String name) {
    return () -> asked.add(name);
  }

  @Test
  void thereIsCapacityUpToTheNumberOfDatums() {
    Admission admission = new Admission(2, 1000);

    admission.admit(1);
    admission.whenCapacity(ask("a"));
    admission.admit(1);
    admission.whenCapacity(ask("b"));

    assertEquals(List.of("a"), asked);
    assertEquals(2, admission.datums());
  }

  @Test
  void thereIsCapacityUpToTheNumberOfBytes() {
    Admission admission = new Admission(100, 1000);

    admission.admit(999);
    admission.whenCapacity(ask("a"));
    admission.admit(1);
    admission.whenCapacity(ask("b"));

    assertEquals(List.of("a"), asked);
  }

  @Test
  void aDatumLargerThanTheBudgetIsAdmittedAlone() {
    Admission admission = new Admission(100, 1000);
    admission.whenCapacity(ask("a"));

    admission.admit(5000);
    admission.whenCapacity(ask("b"));
    assertEquals(List.of("a"), asked);

    admission.release(5000);
    assertEquals(List.of("a", "b"), asked);
    assertEquals(0, admission.datums());
  }

  @Test
  void waitingStreamsAreAskedInOrderWhenThereIsCapacityAgain() {
    Admission admission = new Admission(1, 1000);
    admission.admit(1);
    admission.whenCapacity(() -> {
      asked.add("a");
      admission.admit(1);
    });
    admission.whenCapacity(ask("b"));

    admission.release(1);
    assertEquals(List.of("a"), asked);
    admission.release(1);
    assertEquals(List.of("a", "b"), asked);
  }

  @Test
  void theByteLimitAppliesBelowTheNumberOfDatums() {
    Admission admission = new Admission(100, 1000);
    admission.admit(600);
    admission.admit(600);
    admission.whenCapacity(ask("a"));

    admission.release(100);
    assertEquals(List.of(), asked);
    admission.release(200);
    assertEquals(List.of("a"), asked);
  }

  @Test
  void aForgottenRequestIsNotMade() {
    Admission admission = new Admission(1, 1000);
    Runnable gone = ask("gone");
    admission.admit(1);
    admission.whenCapacity(gone);
    admission.whenCapacity(ask("b"));

    admission.forget(gone);
    admission.release(1);

    assertEquals(List.of("b"), asked);
  }

  @Test
  void aRequestThatFailsDoesNotKeepTheOthersWaiting() {
    Admission admission = new Admission(1, 1000);
    admission.admit(1);
    IllegalStateException failure = new IllegalStateException("on purpose");
    admission.whenCapacity(() -> {
      throw failure;
    });
    admission.whenCapacity(ask("b"));

    assertSame(failure, assertThrows(IllegalStateException.class, () -> admission.release(1)));

    assertEquals(List.of("b"), asked);
  }
}
