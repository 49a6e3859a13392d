package io.mapstream;

import static io.mapstream.Refusal.assertNullRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class MessagesTest {

  private static final Message A = Message.of("a");
  private static final Message B = Message.of("b");

  @Test
  void keepsOrderAndRepetitions() {
    Messages messages = Messages.of(B, A, B);

    assertEquals(3, messages.size());
    assertEquals(List.of("b", "a", "b"), messages.texts());
    assertSame(A, messages.get(1));
    assertThrows(IndexOutOfBoundsException.class, () -> messages.get(3));
  }

  @Test
  void emptyListIsShared() {
    assertSame(Messages.empty(), Messages.of());
    assertSame(Messages.empty(), Messages.copyOf(new ArrayList<>()));
    assertTrue(Messages.empty().isEmpty());
  }

  @Test
  void laterChangesToTheSourcesHaveNoEffect() {
    List<Message> list = new ArrayList<>(List.of(A));
    Message[] array = {A};
    Messages ofList = Messages.copyOf(list);
    Messages ofArray = Messages.of(array);

    list.set(0, B);
    array[0] = B;

    assertEquals(List.of(A), ofList);
    assertEquals(List.of(A), ofArray);
  }

  @Test
  void cannotBeChanged() {
    Messages messages = Messages.of(A);

    assertThrows(UnsupportedOperationException.class, () -> messages.add(B));
    assertThrows(UnsupportedOperationException.class, () -> messages.set(0, B));
    assertThrows(UnsupportedOperationException.class, () -> messages.removeFirst());
  }

  @Test
  void copyOfMessagesIsTheSameObject() {
    Messages messages = Messages.of(A);

    assertSame(messages, Messages.copyOf(messages));
  }

  @Test
  void nullMessageIsRefusedByIndex() {
    assertNullRefused("messages[1]", () -> Messages.of(A, null));
    assertNullRefused("messages[0]", () -> Messages.copyOf(Arrays.asList(null, A)));
    assertNullRefused("messages", () -> Messages.copyOf(null));
    assertNullRefused("messages", () -> Messages.of((Message[]) null));
  }

  @Test
  void equalsEveryListOfTheSameMessages() {
    List<Message> list = List.of(A, B);
    Messages messages = Messages.of(Message.of("a"), Message.of("b"));

    assertEquals(messages, Messages.of(A, B));
    assertEquals(messages, list);
    assertEquals(list, messages);
    assertEquals(list.hashCode(), messages.hashCode());
    assertNotEquals(messages, Messages.of(B, A));
    assertNotEquals(messages, Messages.of(A));
    assertNotEquals(messages, null);
    assertNotEquals(messages, (Object) "messages");
  }

  @Test
  void toStringShowsTheFirstMessagesAndCountsTheRest() {
    assertEquals("[]", Messages.empty().toString());
    assertEquals(
        "[Message[value=\"a\" (1 byte)], Message[value=\"b\" (1 byte)]]",
        Messages.of(A, B).toString());
    assertTrue(
        Messages.copyOf(Collections.nCopies(20_000, A)).toString().endsWith(", … 19984 more]"));
  }
}
