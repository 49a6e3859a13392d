package io.mapstream;

import static io.mapstream.Refusal.assertNullRefused;
import static io.mapstream.Refusal.assertRefused;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class MessageTest {

  private static final Metadata USER = Metadata.empty().with("g", "k", "v");
  private static final NackOptions BUSY = NackOptions.of("busy");

  @Test
  void absentKeysAndTagsAreEmpty() {
    Message message = new Message(new byte[0], null, null);

    assertArrayEquals(new byte[0], message.value());
    assertEquals(List.of(), message.keys());
    assertEquals(List.of(), message.tags());
    assertSame(Metadata.empty(), message.userMetadata());
    assertEquals(Optional.empty(), message.nackOptions());
    assertEquals(message, Message.of(new byte[0]));
    assertEquals(message, Message.of(""));
  }

  @Test
  void fieldsComeBackAsGiven() {
    byte[] value = "v".getBytes(UTF_8);
    List<String> keys = List.of("k");
    List<String> tags = List.of("t");
    Message message = new Message(value, keys, tags);

    assertSame(value, message.value());
    assertSame(keys, message.keys());
    assertSame(tags, message.tags());
    assertEquals("v", message.text());
  }

  @Test
  void textIsUtf8() {
    assertArrayEquals(new byte[] {(byte) 0xC3, (byte) 0xA9}, Message.of("é").value());
  }

  @Test
  void nullKeyOrTagIsRefusedByIndex() {
    List<String> nullAtOne = Arrays.asList("a", null);

    assertNullRefused("keys[1]", () -> Message.of("v", nullAtOne, null));
    assertNullRefused("tags[1]", () -> Message.of("v", null, nullAtOne));
    assertNullRefused("keys[1]", () -> Message.of("v").withKeys(nullAtOne));
    assertNullRefused("tags[1]", () -> Message.of("v").withTags("a", null));
  }

  @Test
  void nullIsRefusedByName() {
    assertNullRefused("value", () -> new Message(null, null, null));
    assertNullRefused("value", () -> Message.of((byte[]) null));
    assertNullRefused("value", () -> Message.of((byte[]) null, null, null));
    assertNullRefused("value", () -> Message.of(null, 0, 0));
    assertNullRefused("text", () -> Message.of((String) null));
    assertNullRefused("text", () -> Message.of((String) null, null, null));
    assertNullRefused("keys", () -> Message.of("v").withKeys((String[]) null));
    assertNullRefused("tags", () -> Message.of("v").withTags((String[]) null));
    assertNullRefused("options", () -> Message.toNack(null));
  }

  @Test
  void valueOrTextWithKeysAndTagsIsTheConstructorsMessage() {
    byte[] value = "v".getBytes(UTF_8);
    Message message = new Message(value, List.of("k"), List.of("t"));

    assertEquals(message, Message.of(value, List.of("k"), List.of("t")));
    assertSame(value, Message.of(value, null, null).value());
    assertEquals(message, Message.of("v", List.of("k"), List.of("t")));
  }

  @Test
  void partOfAnArrayIsCopied() {
    byte[] buffer = "abcd".getBytes(UTF_8);
    Message message = Message.of(buffer, 1, 2);
    buffer[1] = 'x';

    assertEquals("bc", message.text());
    assertEquals(Message.of(""), Message.of(buffer, 4, 0));
  }

  @Test
  void partOutsideOfTheArrayIsRefused() {
    byte[] buffer = new byte[4];

    assertThrows(IndexOutOfBoundsException.class, () -> Message.of(buffer, -1, 1));
    assertThrows(IndexOutOfBoundsException.class, () -> Message.of(buffer, 0, -1));
    assertThrows(IndexOutOfBoundsException.class, () -> Message.of(buffer, 3, 2));
  }

  @Test
  void laterChangesToTheSourcesHaveNoEffect() {
    List<String> keys = new ArrayList<>(List.of("k"));
    String[] tags = {"t"};
    Message message = Message.of("v", keys, null).withTags(tags);

    keys.set(0, "changed");
    tags[0] = "changed";

    assertEquals(List.of("k"), message.keys());
    assertEquals(List.of("t"), message.tags());
    assertThrows(UnsupportedOperationException.class, () -> message.keys().add("more"));
    assertThrows(UnsupportedOperationException.class, () -> message.tags().add("more"));
  }

  @Test
  void withChangesOneFieldOfACopy() {
    Message message = new Message(new byte[] {1}, List.of("k"), List.of("t"));

    Message changed = message.withKeys("k1", "k2").withTags("t1", "t2").withUserMetadata(USER);

    assertSame(message.value(), changed.value());
    assertEquals(List.of("k1", "k2"), changed.keys());
    assertEquals(List.of("t1", "t2"), changed.tags());
    assertEquals(USER, changed.userMetadata());
    assertEquals(new Message(new byte[] {1}, List.of("k"), List.of("t")), message);
  }

  @Test
  void withNothingEmptiesTheField() {
    Message message = Message.of("v").withKeys("k").withTags("t").withUserMetadata(USER);

    assertEquals(
        Message.of("v"), message.withKeys((List<String>) null).withTags().withUserMetadata(null));
  }

  @Test
  void marksAreTheTagsOfTheWire() {
    assertEquals(List.of("U+005C__DROP__"), Message.toDrop().tags());
    assertEquals(List.of("U+005C__NACK__"), Message.toNack().tags());
    assertEquals(List.of("U+005C__FAIL__"), Message.toFail().tags());
    assertEquals(0, Message.toDrop().value().length);
    assertEquals(List.of(), Message.toDrop().keys());
  }

  @Test
  void eachMarkIsOnlyItself() {
    assertMarks(Message.toDrop(), true, false, false);
    assertMarks(Message.toNack(), false, true, false);
    assertMarks(Message.toNack(BUSY), false, true, false);
    assertMarks(Message.toFail(), false, false, true);
    assertMarks(Message.of("v").withTags("U+005C__OTHER__"), false, false, false);
  }

  @Test
  void markAmongOtherTagsCounts() {
    assertMarks(Message.of("", null, List.of("a", Message.DROP_TAG)), true, false, false);
    assertMarks(Message.of("v").withTags("a", Message.FAIL_TAG), false, false, true);
  }

  @Test
  void otherTagsDoNotRemoveTheMark() {
    Message nack = Message.toNack(BUSY).withTags("a", "b").withTags("c");

    assertEquals(List.of(Message.NACK_TAG, "c"), nack.tags());
    assertTrue(nack.isNack());
    assertEquals(Optional.of(BUSY), nack.nackOptions());
    assertEquals(Message.toDrop(), Message.toDrop().withTags());
  }

  @Test
  void markGivenAgainIsNotDuplicated() {
    assertEquals(
        List.of("a", Message.DROP_TAG), Message.toDrop().withTags("a", Message.DROP_TAG).tags());
  }

  @Test
  void twoMarksAreRefused() {
    assertRefused(
        "tags must hold at most one mark but had U+005C__DROP__ and U+005C__FAIL__",
        () -> Message.of("", null, List.of(Message.DROP_TAG, "a", Message.FAIL_TAG)));
    assertRefused(
        "tags must hold at most one mark but had U+005C__NACK__ and U+005C__DROP__",
        () -> Message.toNack().withTags(Message.DROP_TAG));
  }

  @Test
  void nackKeepsItsOptionsThroughEveryChange() {
    Message nack = Message.toNack(BUSY).withKeys("k").withTags("t").withUserMetadata(USER);

    assertEquals(Optional.of(BUSY), nack.nackOptions());
    assertEquals(Optional.empty(), Message.toNack().nackOptions());
  }

  @Test
  void equalContentIsEqualWithEqualHashCode() {
    Message one = Message.toNack(NackOptions.of("r")).withKeys("k").withUserMetadata(USER);
    Message other = Message.toNack(NackOptions.of("r")).withKeys("k").withUserMetadata(USER);

    assertEquals(one, other);
    assertEquals(one.hashCode(), other.hashCode());
    assertEquals(Message.of("a"), Message.of(new byte[] {'a'}));
    assertEquals(Message.of("a").hashCode(), Message.of(new byte[] {'a'}).hashCode());
  }

  @Test
  void equalsItselfAndNothingOfAnotherType() {
    Message message = Message.toDrop();

    assertEquals(message, message);
    assertNotEquals(message, null);
    assertNotEquals(message, (Object) "U+005C__DROP__");
  }

  @ParameterizedTest
  @MethodSource("differingInOneField")
  void oneFieldThatDiffersMakesItUnequal(Message differing) {
    assertNotEquals(Message.toNack(), differing);
    assertNotEquals(Message.toNack().hashCode(), differing.hashCode());
  }

  static List<Message> differingInOneField() {
    return List.of(
        new Message(new byte[] {1}, null, List.of(Message.NACK_TAG)),
        Message.toNack().withKeys("k"),
        Message.toNack().withTags("t"),
        Message.toNack().withUserMetadata(USER),
        Message.toNack(BUSY));
  }

  @Test
  void toStringShowsWhatIsNotEmpty() {
    assertEquals("Message[value=\"word\" (4 bytes)]", Message.of("word").toString());
    assertEquals(
        "Message[value=\"\" (0 bytes), tags=[\"U+005C__DROP__\"]]", Message.toDrop().toString());
    assertEquals(
        "Message[value=\"\" (0 bytes), keys=[\"k\"], tags=[\"U+005C__NACK__\"],"
            + " userMetadata={g={k=\"v\" (1 byte)}}, nackOptions=NackOptions[reason=\"busy\"]]",
        Message.toNack(BUSY).withKeys("k").withUserMetadata(USER).toString());
  }

  private static void assertMarks(Message message, boolean drop, boolean nack, boolean fail) {
    assertEquals(
        List.of(drop, nack, fail), List.of(message.isDrop(), message.isNack(), message.isFail()));
    assertFalse(message.tags().isEmpty());
  }
}
