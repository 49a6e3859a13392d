package io.mapstream;

import static java.util.Objects.requireNonNull;

import java.util.AbstractList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.RandomAccess;
import org.jspecify.annotations.Nullable;

/**
 * An immutable list of messages, for handlers that collect their messages before they {@linkplain
 * MessageSink#emitAll(Iterable) emit} them, and for tests that compare the output.
 *
 * <p>Like any list, it equals every other list with equal elements in the same order. It does not
 * contain {@code null}. Safe for use by several threads.
 */
@SuppressWarnings("exports") // JSpecify's annotations, which callers do not need
public final class Messages extends AbstractList<Message> implements RandomAccess {

  private static final Messages EMPTY = new Messages(List.of());

  private final List<Message> messages;

  /** Wraps an immutable list. */
  private Messages(List<Message> messages) {
    this.messages = messages;
  }

  /** {@return the empty list, one shared instance} */
  public static Messages empty() {
    return EMPTY;
  }

  /**
   * Creates a list of the given messages.
   *
   * @param messages any number of messages; the array is copied
   * @return the list
   * @throws NullPointerException if the argument or a message is {@code null}
   */
  public static Messages of(Message... messages) {
    return copyOf(Arrays.asList(requireNonNull(messages, "messages")));
  }

  /**
   * Creates a list of a collection's messages, in its order.
   *
   * @param messages the messages; copied unless immutable
   * @return the list
   * @throws NullPointerException if the argument or a message is {@code null}
   */
  public static Messages copyOf(Collection<Message> messages) {
    if (messages instanceof Messages same) {
      return same;
    }
    return requireNonNull(messages, "messages").isEmpty()
        ? EMPTY
        : new Messages(Checks.elements("messages", messages));
  }

  @Override
  public Message get(int index) {
    return messages.get(index);
  }

  @Override
  public int size() {
    return messages.size();
  }

  /** {@return each message's {@link Message#text()}; an unmodifiable list} */
  public List<String> texts() {
    return messages.stream().map(Message::text).toList();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Messages that ? messages.equals(that.messages) : super.equals(other);
  }

  @Override
  public int hashCode() {
    return messages.hashCode();
  }

  /** {@return one line with the first messages, and how many more there are} */
  @Override
  public String toString() {
    return Shown.list(messages, Message::toString);
  }
}
