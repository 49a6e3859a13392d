package io.mapstream.server;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * All orders of a scenario's steps, one after the other. The scenario is run again and again; each
 * run gives another answer to one of the questions "who does the next step?". That the current
 * thread does it is the first answer. Any other is an interruption, and a scenario has a bounded
 * number of those, since faults of concurrency need few.
 */
final class Orders {

  private record Choice(int taken, int of) {}

  private final List<Choice> choices = new ArrayList<>();
  private int next;
  private int left;
  private int runs;

  private Orders() {}

  /**
   * Runs {@code scenario} in every order with at most so many interruptions; returns how many that
   * were.
   */
  static int explore(int interruptions, Consumer<Orders> scenario) {
    Orders orders = new Orders();
    do {
      orders.next = 0;
      orders.left = interruptions;
      orders.runs++;
      scenario.accept(orders);
    } while (orders.advance());
    return orders.runs;
  }

  /**
   * Which of {@code count} threads does the next step.
   *
   * @param free whether the current thread has no next step, so that it is no interruption
   */
  int choose(int count, boolean free) {
    int possible = free || left > 0 ? count : 1;
    if (next == choices.size()) {
      choices.add(new Choice(0, possible));
    }
    Choice choice = choices.get(next++);
    if (choice.of() != possible) {
      throw new AssertionError("the scenario is not the same each time");
    }
    if (!free && choice.taken() > 0) {
      left--;
    }
    return choice.taken();
  }

  /** Changes the last answer that can be changed; false if all were given. */
  private boolean advance() {
    while (!choices.isEmpty()) {
      Choice last = choices.remove(choices.size() - 1);
      if (last.taken() + 1 < last.of()) {
        choices.add(new Choice(last.taken() + 1, last.of()));
        return true;
      }
    }
    return false;
  }

  /** Which order this is, to be run again by hand. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("order ").append(runs).append(':');
    choices.forEach(choice -> text.append(' ').append(choice.taken()));
    return text.toString();
  }
}
