package io.mapstream;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Formats values for log lines and failed assertions: always short, and with the size. A payload of
 * megabytes costs no more to format than one of a hundred bytes.
 */
final class Shown {

  private static final int MAX_CHARACTERS = 32;
  private static final int MAX_HEX_BYTES = 16;
  private static final int MAX_ELEMENTS = 16;

  /** The longest encoding of a character in UTF-8. */
  private static final int MAX_BYTES_PER_CHARACTER = 4;

  private static final String CUT = "…";

  private Shown() {}

  /**
   * Formats a value as quoted text if the beginning is printable UTF-8, otherwise as hex; then the
   * size.
   */
  static String bytes(byte[] value) {
    String size = value.length == 1 ? " (1 byte)" : " (" + value.length + " bytes)";
    String text = printablePrefix(value);
    return (text == null ? hex(value) : text) + size;
  }

  /** Quotes a text on one line, truncated if long. */
  static String text(String text) {
    if (text.length() <= MAX_CHARACTERS) {
      return quoted(text, "");
    }
    boolean splitsPair = Character.isHighSurrogate(text.charAt(MAX_CHARACTERS - 1));
    return quoted(text.substring(0, splitsPair ? MAX_CHARACTERS - 1 : MAX_CHARACTERS), CUT);
  }

  static String texts(List<String> texts) {
    return list(texts, Shown::text);
  }

  /** Formats the first elements, and how many more there are. */
  static <T> String list(List<T> list, Function<? super T, String> shown) {
    StringJoiner joined = new StringJoiner(", ", "[", "]");
    list.stream().limit(MAX_ELEMENTS).map(shown).forEach(joined::add);
    if (list.size() > MAX_ELEMENTS) {
      joined.add(CUT + " " + (list.size() - MAX_ELEMENTS) + " more");
    }
    return joined.toString();
  }

  /**
   * Formats entries sorted by name: immutable maps of the JDK change their order from run to run.
   */
  static <T> String map(Map<String, T> map, Function<? super T, String> shown) {
    String entries =
        list(
            List.copyOf(new TreeMap<>(map).entrySet()),
            entry -> entry.getKey() + "=" + shown.apply(entry.getValue()));
    return "{" + entries.substring(1, entries.length() - 1) + "}";
  }

  private static @Nullable String printablePrefix(byte[] value) {
    int length = Math.min(value.length, MAX_CHARACTERS * MAX_BYTES_PER_CHARACTER);
    ByteBuffer in = ByteBuffer.wrap(value, 0, length);
    CharBuffer out = CharBuffer.allocate(MAX_CHARACTERS);
    // A shortened prefix is not the end of input: it may stop inside a character.
    if (UTF_8.newDecoder().decode(in, out, length == value.length).isError()) {
      return null;
    }
    boolean whole = !in.hasRemaining() && length == value.length;
    String text = out.flip().toString();
    return text.chars().allMatch(Shown::isPrintable) ? quoted(text, whole ? "" : CUT) : null;
  }

  private static boolean isPrintable(int character) {
    return !Character.isISOControl(character)
        || character == '\n'
        || character == '\r'
        || character == '\t';
  }

  private static String quoted(String text, String cut) {
    StringBuilder oneLine = new StringBuilder("\"");
    text.codePoints().forEach(c -> appendEscaped(oneLine, c));
    return oneLine.append('"').append(cut).toString();
  }

  private static void appendEscaped(StringBuilder line, int codePoint) {
    switch (codePoint) {
      case '\n' -> line.append("\\n");
      case '\r' -> line.append("\\r");
      case '\t' -> line.append("\\t");
      default -> {
        if (Character.getType(codePoint) == Character.SURROGATE) {
          line.append("\\u").append(Integer.toHexString(codePoint));
        } else {
          line.appendCodePoint(codePoint);
        }
      }
    }
  }

  private static String hex(byte[] value) {
    int shown = Math.min(value.length, MAX_HEX_BYTES);
    String cut = shown < value.length ? CUT : "";
    return "0x" + HexFormat.of().formatHex(value, 0, shown) + cut;
  }
}
