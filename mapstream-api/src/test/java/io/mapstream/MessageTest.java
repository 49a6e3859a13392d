package io.mapstream;

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
  void absentValueKeysAndTagsAreEmpty() {
    Message message = new Message(null, null, null);

    assertArrayEquals(new byte[0], message.value());
    assertEquals(List.of(), message.keys());
    assertEquals(List.of(), message.tags());
    assertSame(Metadata.empty(), message.userMetadata());
    assertEquals(Optional.empty(), message.nackOptions());
    assertEquals(message, Message.of((byte[]) null));
    assertEquals(message, Message.of((String) null));
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

    assertRefused("Message.keys[1] is null", () -> new Message(null, nullAtOne, null));
    assertRefused("Message.tags[1] is null", () -> new Message(null, null, nullAtOne));
    assertRefused("Message.keys[1] is null", () -> Message.of("v").withKeys(nullAtOne));
    assertRefused("Message.tags[1] is null", () -> Message.of("v").withTags("a", null));
  }

  @Test
  void changesToTheSourcesDoNotShow() {
    List<String> keys = new ArrayList<>(List.of("k"));
    String[] tags = {"t"};
    Message message = new Message(null, keys, null).withTags(tags);

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
    assertMarks(new Message(null, null, List.of("a", Message.DROP_TAG)), true, false, false);
    assertMarks(Message.of("v").withTags("a", Message.FAIL_TAG), false, false, true);
  }

  @Test
  void otherTagsDoNotTakeTheMarkAway() {
    Message nack = Message.toNack(BUSY).withTags("a", "b").withTags("c");

    assertEquals(List.of(Message.NACK_TAG, "c"), nack.tags());
    assertTrue(nack.isNack());
    assertEquals(Optional.of(BUSY), nack.nackOptions());
    assertEquals(Message.toDrop(), Message.toDrop().withTags());
  }

  @Test
  void markGivenAgainIsNotDoubled() {
    assertEquals(
        List.of("a", Message.DROP_TAG), Message.toDrop().withTags("a", Message.DROP_TAG).tags());
  }

  @Test
  void twoMarksAreRefused() {
    assertRefused(
        "Message.tags holds two marks, U+005C__DROP__ and U+005C__FAIL__, where one is allowed",
        () -> new Message(null, null, List.of(Message.DROP_TAG, "a", Message.FAIL_TAG)));
    assertRefused(
        "Message.tags holds two marks, U+005C__NACK__ and U+005C__DROP__, where one is allowed",
        () -> Message.toNack().withTags(Message.DROP_TAG));
  }

  @Test
  void nackKeepsItsOptionsThroughEveryChange() {
    Message nack = Message.toNack(BUSY).withKeys("k").withTags("t").withUserMetadata(USER);

    assertEquals(Optional.of(BUSY), nack.nackOptions());
    assertEquals(Optional.empty(), Message.toNack().nackOptions());
  }

  @Test
  void nackWithNullOptionsIsRefused() {
    assertRefused("Message.nackOptions is required but was null", () -> Message.toNack(null));
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

  @ParameterizedTest
  @MethodSource("differingInOneField")
  void oneFieldThatDiffersMakesItUnequal(Message differing) {
    assertNotEquals(Message.toNack(), differing);
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
