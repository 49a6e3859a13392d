package io.mapstream.server;

/**
 * Text from outside as it may stand in a line of a log, in an exception's message and in a thread's
 * name: whatever would end the line, or hide what is in it, is written as an escape.
 */
final class Printable {

  private Printable() {}

  /** The text itself where all of it can be shown. */
  static String text(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (!isShown(text.charAt(i))) {
        return escaped(text);
      }
    }
    return text;
  }

  private static String escaped(String text) {
    StringBuilder shown = new StringBuilder(text.length() + 16);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (isShown(c)) {
        shown.append(c);
      } else {
        shown.append("\\u").append(Integer.toHexString(0x10000 | c), 1, 5);
      }
    }
    return shown.toString();
  }

  private static boolean isShown(char c) {
    return c < 0x7f ? c >= ' ' : c >= 0xa0 && !endsLineOrHides(c);
  }

  private static boolean endsLineOrHides(char c) {
    return switch (Character.getType(c)) {
      case Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR, Character.FORMAT -> true;
      default -> false;
    };
  }
}
