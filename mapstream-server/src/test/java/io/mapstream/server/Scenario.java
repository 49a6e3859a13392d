package io.mapstream.server;

import io.mapstream.server.ServerOptions.ErrorPolicy;
import java.util.ArrayList;
import java.util.List;

/**
 * What is run in all orders of its steps: datums, the steps of their handlers, and how the stream
 * ends. An order test is one statement:
 *
 * {@snippet :
 * @Test
 * void cancelBetweenTwoResults() {
 *   Scenario.datum(EMIT_1, EMIT_2).endsBy(CANCEL).explore(2);
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
    List<List<Step>> datums,
    int streams,
    int maxConcurrency,
    ErrorPolicy policy,
    List<Event> ending) {

  /** A step of a handler; other threads may run before it. */
  enum Step {
    EMIT_1('1'),
    EMIT_2('2'),
    EMIT_3('3'),

    /** Ends the datum. */
    EMIT_FAIL_MARK('!'),

    /** Throws the handler's own exception. */
    THROW('-'),

    /** Waits until the thread is interrupted, and throws {@code InterruptedException}. */
    AWAIT_INTERRUPT('-'),

    /** Waits until the thread is interrupted, and emits, which has to be refused. */
    EMIT_WHEN_INTERRUPTED('9');

    /** What is emitted. */
    final char value;

    Step(char value) {
      this.value = value;
    }
  }

  /** What happens to a stream from outside. */
  enum Event {
    HALF_CLOSE,

    /** A second handshake is refused. */
    REFUSAL,
    DRAIN,
    CANCEL,
    ABORT
  }

  /** One datum on one stream under STOP, which ends by half-close. */
  static Scenario datum(Step... steps) {
    return new Scenario(List.of(List.of(steps)), 1, 2, ErrorPolicy.STOP, List.of(Event.HALF_CLOSE));
  }

  Scenario andDatum(Step... steps) {
    List<List<Step>> more = new ArrayList<>(datums);
    more.add(List.of(steps));
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

  Scenario endsBy(Event... events) {
    return new Scenario(datums, streams, maxConcurrency, policy, List.of(events));
  }

  /**
   * Runs it in every order with at most {@code interruptions}, and returns the number of orders.
   */
  int explore(int interruptions) {
    return Orders.explore(interruptions, orders -> new ScenarioRun(this, orders).run());
  }

  /** Whether handlers may finish at the end, and are not interrupted. */
  boolean isPatient() {
    return ending.equals(List.of(Event.HALF_CLOSE)) || ending.equals(List.of(Event.DRAIN));
  }

  /** Whether a handler waits for an interruption that never comes. */
  boolean hangs() {
    return isPatient()
        && (has(Step.AWAIT_INTERRUPT) || has(Step.EMIT_WHEN_INTERRUPTED))
        && !(policy == ErrorPolicy.STOP && has(Step.THROW));
  }

  /** Whether it is the same under the other policy. */
  boolean isTwin() {
    return policy == ErrorPolicy.FAIL && !has(Step.THROW);
  }

  private boolean has(Step step) {
    return datums.stream().anyMatch(steps -> steps.contains(step));
  }

  @Override
  public String toString() {
    return "%s, streams %d, maxConcurrency %d, %s, %s"
        .formatted(datums, streams, maxConcurrency, policy, ending);
  }
}
