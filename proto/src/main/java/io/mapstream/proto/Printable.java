package io.mapstream.proto;

/** Escapes external text for its destination. */
public final class Printable {

  private Printable() {}

  /**
   * Escapes text for a log line, an exception's message or a thread's name: characters that would
   * end the line, or hide its content, are escaped. Returns the text itself if all of it can be
   * shown.
   *
   * @param text any text
   * @return the text on one line
   */
  public static String text(String text) {
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

  /**
   * Returns a JSON string, including the quotes. Half a surrogate pair becomes U+FFFD, since
   * readers refuse its escape.
   *
   * @param text any text
   * @return the string
   */
  public static String json(String text) {
    StringBuilder json = new StringBuilder(text.length() + 16).append('"');
    text.codePoints()
        .forEach(point -> {
          switch (point) {
            case '"' -> json.append("\\\"");
            case '\\' -> json.append("\\\\");
            case '\n' -> json.append("\\n");
            case '\t' -> json.append("\\t");
            default -> {
              if (point < ' ') {
                json.append("\\u").append(Integer.toHexString(0x10000 | point), 1, 5);
              } else {
                json.appendCodePoint(isHalf(point) ? 0xfffd : point);
              }
            }
          }
        });
    return json.append('"').toString();
  }

  private static boolean isHalf(int point) {
    return Character.getType(point) == Character.SURROGATE;
  }

  private static boolean isShown(int point) {
    return point < 0x7f ? point >= ' ' : point >= 0xa0 && !endsLineOrHides(point);
  }

  private static boolean endsLineOrHides(int point) {
    return switch (Character.getType(point)) {
      case Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR, Character.FORMAT -> true;
      default -> isHalf(point);
    };
  }
}
