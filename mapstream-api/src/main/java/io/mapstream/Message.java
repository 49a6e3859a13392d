package io.mapstream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One output of a {@link MapStreamer}: a value for the next vertex, with keys, tags and user
 * metadata, all of which may be empty.
 *
 * <p><b>Marks.</b> Three tags are instructions to the platform. A message with one of them is not
 * forwarded; it determines what the platform does with the datum:
 *
 * <ul>
 *   <li>{@link #toDrop()}: the datum is done, and nothing is forwarded;
 *   <li>{@link #toNack()}: the datum goes back to its source, which delivers it again; since
 *       Numaflow 1.8.2;
 *   <li>{@link #toFail()}: the platform retries the datum at once, according to the pipeline's
 *       {@code retryStrategy}; only on releases after Numaflow 1.8.3.
 * </ul>
 *
 * <p>A release that does not know a mark treats it as an ordinary tag: <b>the datum counts as done,
 * and an empty message goes downstream</b>.
 *
 * <p>A message has at most one mark, and keeps it: {@link #withTags(List) withTags} replaces only
 * its other tags.
 *
 * <p><b>The value's array</b> is not copied. The caller must not change it until {@link
 * MessageSink#emit(Message) emit} has returned, and may change or reuse it afterwards. A message
 * created from a part of an array ({@link #of(byte[], int, int)}) or from a string has its own
 * array.
 *
 * <p>Keys and tags are valid Unicode: a string with an unpaired surrogate is refused, because the
 * platform would receive a different one.
 *
 * <p>Immutable apart from that array; equal by content; safe for use by several threads. The {@code
 * with} methods return changed copies that share the array.
 */
@SuppressWarnings("exports") // JSpecify's annotations, which callers do not need
public final class Message {

  /** The tag that marks a {@linkplain #toDrop() drop}, as it is on the wire. */
  public static final String DROP_TAG = "U+005C__DROP__";

  /** The tag that marks a {@linkplain #toNack() nack}, as it is on the wire. */
  public static final String NACK_TAG = "U+005C__NACK__";

  /** The tag that marks a {@linkplain #toFail() fail}, as it is on the wire. */
  public static final String FAIL_TAG = "U+005C__FAIL__";

  private static final Message DROP = new Message(Checks.NO_BYTES, null, List.of(DROP_TAG));
  private static final Message NACK = new Message(Checks.NO_BYTES, null, List.of(NACK_TAG));
  private static final Message FAIL = new Message(Checks.NO_BYTES, null, List.of(FAIL_TAG));

  private final byte[] value;
  private final List<String> keys;
  private final List<String> tags;
  private final Metadata userMetadata;
  private final @Nullable NackOptions nackOptions;

  /**
   * The mark among {@link #tags}, if any. Determined once, because the server reads it for every
   * message.
   */
  private final @Nullable String mark;

  /**
   * Creates a message.
   *
   * @param value the payload; not copied, and must not be changed until it has been emitted
   * @param keys the keys that the platform partitions by downstream; copied unless immutable;
   *     {@code null} for none
   * @param tags the tags that the pipeline's edges select by; copied unless immutable; {@code null}
   *     for none
   * @throws NullPointerException if the value, a key or a tag is {@code null}
   * @throws IllegalArgumentException if a key or a tag has an unpaired surrogate, or the tags
   *     contain two different marks
   */
  public Message(byte[] value, @Nullable List<String> keys, @Nullable List<String> tags) {
    this(
        requireNonNull(value, "value"),
        Checks.texts("keys", keys),
        Checks.texts("tags", tags),
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
              "tags must hold at most one mark but had " + found + " and " + tag);
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
   * Creates a message from a value, without keys or tags.
   *
   * @param value the payload; not copied, and must not be changed until it has been emitted
   * @return the message
   * @throws NullPointerException if the value is {@code null}
   */
  public static Message of(byte[] value) {
    return of(value, null, null);
  }

  /**
   * Creates a message from a part of an array, without keys or tags.
   *
   * @param value an array that contains the payload; the part is copied, so the array may be
   *     changed at once
   * @param offset index of the first byte
   * @param length number of bytes
   * @return the message
   * @throws NullPointerException if the array is {@code null}
   * @throws IndexOutOfBoundsException if the part is not within the array
   */
  public static Message of(byte[] value, int offset, int length) {
    requireNonNull(value, "value");
    Objects.checkFromIndexSize(offset, length, value.length);
    return of(Arrays.copyOfRange(value, offset, offset + length));
  }

  /**
   * Creates a message from a value, with keys and tags.
   *
   * @param value the payload; not copied, and must not be changed until it has been emitted
   * @param keys the keys that the platform partitions by downstream; copied unless immutable;
   *     {@code null} for none
   * @param tags the tags that the pipeline's edges select by; copied unless immutable; {@code null}
   *     for none
   * @return the message
   * @throws NullPointerException if the value, a key or a tag is {@code null}
   * @throws IllegalArgumentException if a key or a tag has an unpaired surrogate, or the tags
   *     contain two different marks
   */
  public static Message of(byte[] value, @Nullable List<String> keys, @Nullable List<String> tags) {
    return new Message(value, keys, tags);
  }

  /**
   * Creates a message from a string, encoded as UTF-8, without keys or tags.
   *
   * @param text the payload
   * @return the message
   * @throws NullPointerException if the text is {@code null}
   * @throws IllegalArgumentException if the text has an unpaired surrogate
   */
  public static Message of(String text) {
    return of(text, null, null);
  }

  /**
   * Creates a message from a string, encoded as UTF-8, with keys and tags.
   *
   * @param text the payload
   * @param keys the keys that the platform partitions by downstream; copied unless immutable;
   *     {@code null} for none
   * @param tags the tags that the pipeline's edges select by; copied unless immutable; {@code null}
   *     for none
   * @return the message
   * @throws NullPointerException if the text, a key or a tag is {@code null}
   * @throws IllegalArgumentException if the text, a key or a tag has an unpaired surrogate, or the
   *     tags contain two different marks
   */
  public static Message of(String text, @Nullable List<String> keys, @Nullable List<String> tags) {
    return new Message(Checks.utf8("text", text), keys, tags);
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
   * Returns the datum to its source, which delivers it again in its own way.
   *
   * <p>Numaflow supports this mark since 1.8.2. Up to 1.8.1, the datum counts as done, and an empty
   * message goes downstream.
   *
   * @return a message with the nack mark, one shared instance
   */
  public static Message toNack() {
    return NACK;
  }

  /**
   * Returns the datum to its source, as {@link #toNack()} does, and specifies how to deliver it
   * again.
   *
   * @param options why, when and how often to deliver it again
   * @return a message with the nack mark and the options
   * @throws NullPointerException if the options are {@code null}
   */
  public static Message toNack(NackOptions options) {
    return new Message(
        NACK.value, NACK.keys, NACK.tags, NACK.userMetadata, requireNonNull(options, "options"));
  }

  /**
   * Makes the platform retry this datum alone and at once, whereas an exception restarts the whole
   * function. The pipeline's {@code retryStrategy} determines how often the datum is tried and what
   * happens afterwards.
   *
   * <p>This must be the last message of its datum: emitting it closes the sink.
   *
   * <p>Only releases after Numaflow 1.8.3 know this mark. Up to 1.8.3, the datum counts as done,
   * and an empty message goes downstream.
   *
   * @return a message with the fail mark, one shared instance
   */
  public static Message toFail() {
    return FAIL;
  }

  /**
   * Returns a copy of this message with other keys.
   *
   * @param keys the new keys; copied unless immutable; {@code null} for none
   * @return a message with these keys
   * @throws NullPointerException if a key is {@code null}
   * @throws IllegalArgumentException if a key has an unpaired surrogate
   */
  public Message withKeys(@Nullable List<String> keys) {
    List<String> checked = Checks.texts("keys", keys);
    return new Message(value, checked, tags, userMetadata, nackOptions);
  }

  /**
   * Returns a copy of this message with other keys.
   *
   * @param keys the new keys
   * @return a message with these keys
   * @throws NullPointerException if a key is {@code null}
   * @throws IllegalArgumentException if a key has an unpaired surrogate
   */
  public Message withKeys(String... keys) {
    return withKeys(Arrays.asList(requireNonNull(keys, "keys")));
  }

  /**
   * Returns a copy of this message with other tags but the same mark: a drop, nack or fail message
   * keeps its mark, in front of the new tags unless it is among them. A message without a mark gets
   * one if the new tags contain one.
   *
   * @param tags the new tags, which replace all old ones except a mark; copied unless immutable;
   *     {@code null} for none
   * @return a message with these tags
   * @throws NullPointerException if a tag is {@code null}
   * @throws IllegalArgumentException if a tag has an unpaired surrogate, or the tags contain a mark
   *     other than this message's
   */
  public Message withTags(@Nullable List<String> tags) {
    List<String> checked = Checks.texts("tags", tags);
    if (mark != null && !checked.contains(mark)) {
      List<String> marked = new ArrayList<>(checked.size() + 1);
      marked.add(mark);
      marked.addAll(checked);
      checked = List.copyOf(marked);
    }
    return new Message(value, keys, checked, userMetadata, nackOptions);
  }

  /**
   * Returns a copy of this message with other tags, as {@link #withTags(List)} does.
   *
   * @param tags the new tags, which replace all old ones except a mark
   * @return a message with these tags
   * @throws NullPointerException if a tag is {@code null}
   * @throws IllegalArgumentException if a tag has an unpaired surrogate, or the tags contain a mark
   *     other than this message's
   */
  public Message withTags(String... tags) {
    return withTags(Arrays.asList(requireNonNull(tags, "tags")));
  }

  /**
   * Returns a copy of this message with other user metadata. Downstream, it replaces that of the
   * datum. To pass on the datum's user metadata, start from {@link Datum#userMetadata()}.
   *
   * @param userMetadata the new user metadata; {@code null} for none
   * @return a message with this user metadata
   */
  public Message withUserMetadata(@Nullable Metadata userMetadata) {
    Metadata given = userMetadata == null ? Metadata.empty() : userMetadata;
    return new Message(value, keys, tags, given, nackOptions);
  }

  /** {@return the payload: the array itself, not a copy; must not be changed} */
  public byte[] value() {
    return value;
  }

  /** {@return the payload decoded as UTF-8 at each call; malformed bytes become U+FFFD} */
  public String text() {
    return new String(value, UTF_8);
  }

  /** {@return the keys that the platform partitions by downstream; unmodifiable} */
  public List<String> keys() {
    return keys;
  }

  /**
   * {@return the tags that the edges ({@code conditions.tags}) select by, and the mark if there is
   * one; unmodifiable}
   */
  public List<String> tags() {
    return tags;
  }

  /** {@return metadata for the functions downstream; empty if there is none} */
  public Metadata userMetadata() {
    return userMetadata;
  }

  /** {@return how the source should deliver the datum again, if this is a nack with options} */
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

  /** {@return one line: the beginning and size of the value, and every other non-empty field} */
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
