package io.mapstream.server;

/**
 * Text from outside as it may stand in a line of a log, in an exception's message and in a thread's
 * name: whatever would end the line, or hide what is in it, is written as an escape.
 */
final class Printable {

  private Printable() {}

  /** The text itself where all of it can be shown. */
  static String text(String text) {
    int point;
    for (int i = 0; i < text.length(); i += Character.charCount(point)) {
      point = text.codePointAt(i);
      if (!isShown(point)) {
        return escaped(text);
      }
    }
    return text;
  }

  private static String escaped(String text) {
    StringBuilder shown = new StringBuilder(text.length() + 16);
    text.codePoints()
        .forEach(point -> {
          if (isShown(point)) {
            shown.appendCodePoint(point);
          } else {
            for (char c : Character.toChars(point)) {
              shown.append("\\u").append(Integer.toHexString(0x10000 | c), 1, 5);
            }
          }
        });
    return shown.toString();
  }

  private static boolean isShown(int point) {
    return point < 0x7f ? point >= ' ' : point >= 0xa0 && !endsLineOrHides(point);
  }

  private static boolean endsLineOrHides(int point) {
    return switch (Character.getType(point)) {
      case Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR, Character.FORMAT -> true;
      case Character.SURROGATE -> true; // half a character, alone
      default -> false;
    };
  }
}
