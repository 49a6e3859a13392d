package io.mapstream.server;

import io.mapstream.server.ServerOptions.ErrorPolicy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What is run in all orders of its steps: datums, the steps of their handlers, and how the stream
 * ends. An order test is one statement:
 *
 * {@snippet :
 * @Test
 * void cancelBetweenTwoResults() {
 *   Scenario.datum(emit('1'), emit('2')).endsBy(Ending.CANCEL).explore(2);
 * }
 * }
 *
 * {@link ScenarioRun} checks what must hold in every order: results in order, one EOT and only for
 * a handler that returned, no failure lost, all capacity released.
 *
 * @param datums the steps of each datum's handler; the ids are {@code a}, {@code b}, …
 * @param streams the number of streams; the datums are distributed among them in turn
 * @param maxConcurrency how many handlers may run at once
 * @param ending how the last stream ends; the others end by half-close, unless the ending affects
 *     all of them
 */
record Scenario(
    List<List<Step>> datums, int streams, int maxConcurrency, ErrorPolicy policy, Ending ending) {

  /** An action of a handler; other threads may run before it. */
  enum Kind {
    EMIT,
    EMIT_FAIL_MARK,
    THROW,
    AWAIT_INTERRUPT,
    EMIT_WHEN_INTERRUPTED
  }

  /** A step of a handler; the value is what is emitted. */
  record Step(Kind kind, char value) {

    /** Emits a result. */
    static Step emit(char value) {
      return new Step(Kind.EMIT, value);
    }

    /** Emits the fail mark, which ends the datum. */
    static Step emitFailMark() {
      return new Step(Kind.EMIT_FAIL_MARK, '!');
    }

    /** Throws the handler's own exception. */
    static Step fail() {
      return new Step(Kind.THROW, '-');
    }

    /** Waits until the thread is interrupted, and throws {@code InterruptedException}. */
    static Step awaitInterrupt() {
      return new Step(Kind.AWAIT_INTERRUPT, '-');
    }

    /** Waits until the thread is interrupted, and emits, which has to be refused. */
    static Step emitWhenInterrupted() {
      return new Step(Kind.EMIT_WHEN_INTERRUPTED, '9');
    }

    private boolean waits() {
      return kind == Kind.AWAIT_INTERRUPT || kind == Kind.EMIT_WHEN_INTERRUPTED;
    }

    @Override
    public String toString() {
      return kind == Kind.EMIT ? "EMIT " + value : kind.name();
    }
  }

  /** How a stream ends: one event from outside, or two. */
  enum Ending {
    HALF_CLOSE,
    CANCEL,
    /** By a second handshake. */
    REFUSAL,
    DRAIN,
    ABORT,
    HALF_CLOSE_AND_CANCEL,
    HALF_CLOSE_AND_ABORT,
    DRAIN_AND_CANCEL,
    DRAIN_AND_ABORT;

    boolean halfCloses() {
      return name().startsWith("HALF_CLOSE");
    }

    boolean cancels() {
      return name().endsWith("CANCEL");
    }

    boolean refuses() {
      return this == REFUSAL;
    }

    boolean drains() {
      return name().startsWith("DRAIN");
    }

    boolean aborts() {
      return name().endsWith("ABORT");
    }

    boolean isOneEvent() {
      return !name().contains("_AND_");
    }

    /** Whether handlers may finish, and are not interrupted. */
    boolean isPatient() {
      return this == HALF_CLOSE || this == DRAIN;
    }
  }

  /** One datum on one stream under STOP, which ends by half-close. */
  static Scenario datum(Step... steps) {
    return new Scenario(List.of(List.of(steps)), 1, 2, ErrorPolicy.STOP, Ending.HALF_CLOSE);
  }

  Scenario andDatum(Step... steps) {
    List<List<Step>> more = new ArrayList<>(datums);
    more.add(Arrays.asList(steps));
    return new Scenario(more, streams, maxConcurrency, policy, ending);
  }

  Scenario onStreams(int count) {
    return new Scenario(datums, count, maxConcurrency, policy, ending);
  }

  Scenario withMaxConcurrency(int count) {
    return new Scenario(datums, streams, count, policy, ending);
  }

  Scenario under(ErrorPolicy other) {
    return new Scenario(datums, streams, maxConcurrency, other, ending);
  }

  Scenario endsBy(Ending other) {
    return new Scenario(datums, streams, maxConcurrency, policy, other);
  }

  /**
   * Runs it in every order with at most {@code interruptions}, and returns the number of orders.
   */
  int explore(int interruptions) {
    return Orders.explore(interruptions, orders -> new ScenarioRun(this, orders).run());
  }

  /** Whether a handler waits for an interruption that never comes. */
  boolean hangs() {
    return ending.isPatient()
        && datums.stream().flatMap(List::stream).anyMatch(Step::waits)
        && !(policy == ErrorPolicy.STOP && throwsAnything());
  }

  /** Whether it is the same under the other policy. */
  boolean isTwin() {
    return policy == ErrorPolicy.FAIL && !throwsAnything();
  }

  private boolean throwsAnything() {
    return datums.stream().flatMap(List::stream).anyMatch(step -> step.kind() == Kind.THROW);
  }

  @Override
  public String toString() {
    return "%s, streams %d, maxConcurrency %d, %s, %s"
        .formatted(datums, streams, maxConcurrency, policy, ending);
  }
}
