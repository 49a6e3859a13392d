package io.mapstream;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One result of a {@link MapStreamer}: a value for the next vertex, with keys, tags and user
 * metadata, all of which may be empty.
 *
 * <p><b>Marks.</b> Three tags are instructions to the platform. A message with one of them is not
 * forwarded; it says what is to become of the datum it answers:
 *
 * <ul>
 *   <li>{@link #toDrop()}: the datum is done, and nothing goes downstream for it;
 *   <li>{@link #toNack()}: the datum goes back to its source, to be delivered again;
 *   <li>{@link #toFail()}: the datum is tried again at once, by the pipeline's {@code
 *       retryStrategy}.
 * </ul>
 *
 * <p>A message bears at most one mark, and keeps it: {@link #withTags(List) withTags} replaces only
 * its other tags.
 *
 * <p>Immutable but for the value's array, which is handed over without a copy; equal by content;
 * safe for use by several threads. The {@code with} methods return changed copies that share the
 * array.
 */
@SuppressWarnings("exports") // JSpecify's annotations, which callers need not have
public final class Message {

  /** The tag that marks a {@linkplain #toDrop() drop}, as it is on the wire. */
  public static final String DROP_TAG = "U+005C__DROP__";

  /** The tag that marks a {@linkplain #toNack() nack}, as it is on the wire. */
  public static final String NACK_TAG = "U+005C__NACK__";

  /** The tag that marks a {@linkplain #toFail() fail}, as it is on the wire. */
  public static final String FAIL_TAG = "U+005C__FAIL__";

  private static final Message DROP = new Message(null, null, List.of(DROP_TAG));
  private static final Message NACK = new Message(null, null, List.of(NACK_TAG));
  private static final Message FAIL = new Message(null, null, List.of(FAIL_TAG));

  private final byte[] value;
  private final List<String> keys;
  private final List<String> tags;
  private final Metadata userMetadata;
  private final @Nullable NackOptions nackOptions;

  /**
   * The one of {@link #tags} that is a mark: found once here, since the server asks for each
   * message.
   */
  private final @Nullable String mark;

  /**
   * Makes a message.
   *
   * @param value the payload, handed over: not to be changed afterwards; {@code null} for no bytes
   * @param keys by which the platform partitions what follows; copied unless immutable; {@code
   *     null} for none
   * @param tags by which the pipeline's edges decide where the message goes; copied unless
   *     immutable; {@code null} for none
   * @throws IllegalArgumentException if a key or a tag is {@code null}, with its place, or the tags
   *     hold two different marks
   */
  public Message(
      byte @Nullable [] value, @Nullable List<String> keys, @Nullable List<String> tags) {
    this(
        Checks.bytes(value),
        Checks.strings("Message.keys", keys),
        Checks.strings("Message.tags", tags),
        Metadata.empty(),
        null);
  }

  private Message(
      byte[] value,
      List<String> keys,
      List<String> tags,
      Metadata userMetadata,
      @Nullable NackOptions nackOptions) {
    this.value = value;
    this.keys = keys;
    this.tags = tags;
    this.userMetadata = userMetadata;
    this.nackOptions = nackOptions;
    this.mark = tags.isEmpty() ? null : markIn(tags);
  }

  private static @Nullable String markIn(List<String> tags) {
    String found = null;
    for (String tag : tags) {
      if (isMark(tag)) {
        if (found != null && !found.equals(tag)) {
          throw new IllegalArgumentException(
              "Message.tags holds two marks, " + found + " and " + tag + ", where one is allowed");
        }
        found = tag;
      }
    }
    return found;
  }

  private static boolean isMark(String tag) {
    return switch (tag) {
      case DROP_TAG, NACK_TAG, FAIL_TAG -> true;
      default -> false;
    };
  }

  /**
   * Makes a message of a value, without keys or tags.
   *
   * @param value the payload, handed over: not to be changed afterwards; {@code null} for no bytes
   * @return the message
   */
  public static Message of(byte @Nullable [] value) {
    return new Message(value, null, null);
  }

  /**
   * Makes a message of a text as UTF-8, without keys or tags.
   *
   * @param text the payload; {@code null} for no bytes
   * @return the message
   */
  public static Message of(@Nullable String text) {
    return new Message(text == null ? null : text.getBytes(UTF_8), null, null);
  }

  /**
   * Acknowledges the datum and forwards nothing.
   *
   * @return a message with the drop mark, one shared instance
   */
  public static Message toDrop() {
    return DROP;
  }

  /**
   * Hands the datum back to its source, which delivers it again in its own way.
   *
   * @return a message with the nack mark, one shared instance
   */
  public static Message toNack() {
    return NACK;
  }

  /**
   * Hands the datum back to its source, and tells it how to go on.
   *
   * @param options why, when and how often to deliver it again
   * @return a message with the nack mark and the options
   * @throws IllegalArgumentException if the options are {@code null}
   */
  public static Message toNack(NackOptions options) {
    return new Message(
        NACK.value,
        NACK.keys,
        NACK.tags,
        NACK.userMetadata,
        Checks.required("Message.nackOptions", options));
  }

  /**
   * Has the platform try this datum again, at once and on its own: the way to fail for a single
   * datum, where an exception restarts the whole function. The pipeline's {@code retryStrategy}
   * says how often, and what becomes of the datum then.
   *
   * <p>It is the last message of its datum: the sink closes with it, and takes nothing after it.
   *
   * @return a message with the fail mark, one shared instance
   */
  public static Message toFail() {
    return FAIL;
  }

  /**
   * Changes the keys.
   *
   * @param keys the new ones instead of all old ones; copied unless immutable; {@code null} for
   *     none
   * @return a message with these keys
   * @throws IllegalArgumentException if a key is {@code null}, with its place
   */
  public Message withKeys(@Nullable List<String> keys) {
    List<String> checked = Checks.strings("Message.keys", keys);
    return new Message(value, checked, tags, userMetadata, nackOptions);
  }

  /**
   * Changes the keys.
   *
   * @param keys the new ones instead of all old ones
   * @return a message with these keys
   * @throws IllegalArgumentException if a key is {@code null}, with its place
   */
  public Message withKeys(String... keys) {
    return withKeys(Arrays.asList(keys));
  }

  /**
   * Changes the tags, all but the mark: that of a drop, nack or fail message stays, in front of the
   * new ones unless it is among them. A message without a mark gets one if it is among the new
   * tags.
   *
   * @param tags the new ones instead of all old ones; copied unless immutable; {@code null} for
   *     none
   * @return a message with these tags
   * @throws IllegalArgumentException if a tag is {@code null}, with its place, or the tags hold
   *     another mark than the message has
   */
  public Message withTags(@Nullable List<String> tags) {
    List<String> checked = Checks.strings("Message.tags", tags);
    if (mark != null && !checked.contains(mark)) {
      List<String> marked = new ArrayList<>(checked.size() + 1);
      marked.add(mark);
      marked.addAll(checked);
      checked = List.copyOf(marked);
    }
    return new Message(value, keys, checked, userMetadata, nackOptions);
  }

  /**
   * Changes the tags, as {@link #withTags(List)} does.
   *
   * @param tags the new ones instead of all old ones but a mark
   * @return a message with these tags
   * @throws IllegalArgumentException if a tag is {@code null}, with its place, or the tags hold
   *     another mark than the message has
   */
  public Message withTags(String... tags) {
    return withTags(Arrays.asList(tags));
  }

  /**
   * Changes the user metadata, which replaces that of the datum downstream. To hand the datum's on,
   * with or without changes, start from {@link Datum#userMetadata()}.
   *
   * @param userMetadata the new one; {@code null} for none
   * @return a message with this user metadata
   */
  public Message withUserMetadata(@Nullable Metadata userMetadata) {
    Metadata given = userMetadata == null ? Metadata.empty() : userMetadata;
    return new Message(value, keys, tags, given, nackOptions);
  }

  /** {@return the payload: the array itself, not a copy, and only to be read} */
  public byte[] value() {
    return value;
  }

  /** {@return the payload read as UTF-8, anew at each call; bytes that aren't become U+FFFD} */
  public String text() {
    return new String(value, UTF_8);
  }

  /** {@return an unmodifiable list of what the platform partitions by downstream} */
  public List<String> keys() {
    return keys;
  }

  /**
   * {@return an unmodifiable list of what the edges ({@code conditions.tags}) decide by, and the
   * mark if there is one}
   */
  public List<String> tags() {
    return tags;
  }

  /** {@return what the message carries for the functions downstream, empty where there is none} */
  public Metadata userMetadata() {
    return userMetadata;
  }

  /** {@return how the source is to deliver the datum again, if this is a nack that says so} */
  public Optional<NackOptions> nackOptions() {
    return Optional.ofNullable(nackOptions);
  }

  /** {@return whether the tags hold {@link #DROP_TAG}} */
  public boolean isDrop() {
    return DROP_TAG.equals(mark);
  }

  /** {@return whether the tags hold {@link #NACK_TAG}} */
  public boolean isNack() {
    return NACK_TAG.equals(mark);
  }

  /** {@return whether the tags hold {@link #FAIL_TAG}} */
  public boolean isFail() {
    return FAIL_TAG.equals(mark);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    if (this == other) {
      return true;
    }
    return other instanceof Message that
        && keys.equals(that.keys)
        && tags.equals(that.tags)
        && Arrays.equals(value, that.value)
        && userMetadata.equals(that.userMetadata)
        && nackOptions().equals(that.nackOptions());
  }

  @Override
  public int hashCode() {
    int hash = Arrays.hashCode(value);
    hash = 31 * hash + keys.hashCode();
    hash = 31 * hash + tags.hashCode();
    hash = 31 * hash + userMetadata.hashCode();
    return 31 * hash + nackOptions().hashCode();
  }

  /**
   * {@return one line with the beginning and the size of the value, and of the rest what isn't
   * empty}
   */
  @Override
  public String toString() {
    StringBuilder shown = new StringBuilder("Message[value=").append(Shown.bytes(value));
    if (!keys.isEmpty()) {
      shown.append(", keys=").append(Shown.texts(keys));
    }
    if (!tags.isEmpty()) {
      shown.append(", tags=").append(Shown.texts(tags));
    }
    if (!userMetadata.isEmpty()) {
      shown.append(", userMetadata=").append(userMetadata);
    }
    if (nackOptions != null) {
      shown.append(", nackOptions=").append(nackOptions);
    }
    return shown.append(']').toString();
  }
}
