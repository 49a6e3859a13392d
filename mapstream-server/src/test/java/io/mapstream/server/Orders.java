package io.mapstream.server;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * All orders of a scenario's steps, one after the other. The scenario runs repeatedly; each run
 * answers one of the questions "which thread does the next step?" differently. The first answer is
 * the current thread. Any other is an interruption, and their number is bounded, since few are
 * enough to reveal a concurrency fault.
 */
final class Orders {

  private record Choice(int taken, int of) {}

  private final List<Choice> choices = new ArrayList<>();
  private int next;
  private int left;
  private int runs;

  private Orders() {}

  /**
   * Runs {@code scenario} in every order with at most {@code interruptions}, and returns the number
   * of orders.
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
   * Chooses which of {@code count} threads does the next step.
   *
   * @param free whether the current thread has no next step, so that no choice is an interruption
   */
  int choose(int count, boolean free) {
    int possible = free || left > 0 ? count : 1;
    if (next == choices.size()) {
      choices.add(new Choice(0, possible));
    }
    Choice choice = choices.get(next++);
    if (choice.of() != possible) {
      throw new AssertionError("the scenario is not deterministic");
    }
    if (!free && choice.taken() > 0) {
      left--;
    }
    return choice.taken();
  }

  /** Changes the last answer that has another option; returns false if there is none left. */
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

  /** Identifies this order, so that it can be repeated manually. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("order ").append(runs).append(':');
    choices.forEach(choice -> text.append(' ').append(choice.taken()));
    return text.toString();
  }
}
