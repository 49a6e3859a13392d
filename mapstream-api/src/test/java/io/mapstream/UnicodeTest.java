package io.mapstream;

import static io.mapstream.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Text that UTF-8 can't represent is refused wherever it would be sent. */
class UnicodeTest {

  private static final String EMOJI = "\uD83D\uDE00";

  /** Three characters and half an emoji. */
  private static final String BROKEN = "abc\uD83D";

  private static final String AT_THREE = ": unpaired surrogate at index 3";

  @ParameterizedTest
  @MethodSource("textsOfTheWire")
  void unpairedSurrogateIsRefusedByPlace(String place, Executable call) {
    assertRefused(place + AT_THREE, call);
  }

  static Stream<Arguments> textsOfTheWire() {
    MessageSink sink = message -> {};
    return Stream.of(
        refused("text", () -> sink.emit(BROKEN)),
        refused("text", () -> Message.of(BROKEN)),
        refused("text", () -> Message.of(BROKEN, null, null)),
        refused("keys[1]", () -> Message.of("v", List.of("a", BROKEN), null)),
        refused("tags[1]", () -> Message.of("v", null, List.of("a", BROKEN))),
        refused("keys[0]", () -> Message.of("v").withKeys(BROKEN)),
        refused("tags[0]", () -> Message.toDrop().withTags(BROKEN)),
        refused("reason", () -> NackOptions.of(BROKEN)),
        refused("name", () -> NackOptions.builder().put(BROKEN, "v")),
        refused("value", () -> NackOptions.builder().put("a", BROKEN)),
        refused("nackMap[\"a\"]", () -> NackOptions.builder().nackMap(Map.of("a", BROKEN))),
        refused("group", () -> Metadata.empty().with(BROKEN, "k", "v")),
        refused("key", () -> Metadata.empty().with("g", BROKEN, "v")),
        refused("key", () -> Metadata.empty().with("g", BROKEN, new byte[0])),
        refused("text", () -> Metadata.empty().with("g", "k", BROKEN)),
        refused("groups[\"g\"][\"k\"]", () -> Metadata.ofTexts(Map.of("g", Map.of("k", BROKEN)))),
        refused(
            "the name \"abc\\ud83d\" in groups",
            () -> Metadata.of(Map.of(BROKEN, Map.of("k", new byte[0])))),
        refused(
            "the name \"abc\\ud83d\" in groups[\"g\"]",
            () -> Metadata.of(Map.of("g", Map.of(BROKEN, new byte[0])))),
        refused("id", () -> datum().id(BROKEN)),
        refused("text", () -> datum().text(BROKEN)),
        refused("keys[0]", () -> datum().keys(BROKEN).build()),
        refused("headers[\"h\"]", () -> datum().header("h", BROKEN).build()),
        refused("the name \"abc\\ud83d\" in headers", () -> datum().header(BROKEN, "v").build()));
  }

  private static Arguments refused(String place, Executable call) {
    return arguments(place, call);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "abc\uD83D",
        "abc\uDE00",
        "abc\uDE00\uD83D",
        "abc\uD83Dd",
        "abc\uD83D\uD83D\uDE00"
      })
  void halfOfAPairIsFoundAnywhere(String broken) {
    assertRefused("text" + AT_THREE, () -> Message.of(broken));
  }

  @Test
  void indexAfterAnEmojiCountsChars() {
    assertRefused("text" + AT_THREE, () -> Message.of(EMOJI + "a\uDE00"));
  }

  @Test
  void textThatBeginsWithHalfOfAPairIsRefusedEverywhere() {
    String broken = "\uDE00";
    String at = ": unpaired surrogate at index 0";

    assertRefused("text" + at, () -> Message.of(broken));
    assertRefused("keys[0]" + at, () -> Message.of("v").withKeys(broken));
    assertRefused("headers[\"h\"]" + at, () -> datum().header("h", broken).build());
    assertRefused(
        "the name \"\\ude00\" in headers" + at, () -> datum().header(broken, "v").build());
  }

  @Test
  void wholePairsAndBytesOfAnyKindAreAccepted() {
    Message message =
        Message.of(EMOJI, List.of(EMOJI, ""), List.of(EMOJI + EMOJI))
            .withUserMetadata(Metadata.empty().with(EMOJI, EMOJI, EMOJI));

    assertEquals(EMOJI, message.text());
    assertEquals(4, message.value().length);
    assertEquals(EMOJI, message.userMetadata().text(EMOJI, EMOJI).orElseThrow());
    assertEquals("\uFFFD", Message.of(new byte[] {-1}).text());
  }

  private static Datum.Builder datum() {
    return Datum.builder().eventTime(Instant.EPOCH).watermark(Instant.EPOCH);
  }
}
