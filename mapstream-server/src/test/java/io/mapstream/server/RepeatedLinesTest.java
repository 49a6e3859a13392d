package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.slf4j.event.Level;

/** Which lines are written in full, which are counted, and when the count is written. */
class RepeatedLinesTest {

  private static final long WINDOW = RepeatedLines.WINDOW.toNanos();

  private final List<String> written = new ArrayList<>();
  private long now = Long.MAX_VALUE - WINDOW / 2; // The clock may overflow.
  private final RepeatedLines lines = new RepeatedLines(() -> now);

  private LogLine line(String text, @Nullable Throwable thrown) {
    return LogLine.of(
        "logger",
        (level, shown, cause) -> written.add(level + " " + shown),
        Level.WARN,
        text,
        thrown);
  }

  private void due() {
    lines.take(false).forEach(RepeatedLines.Count::write);
  }

  @Test
  void theFirstIsNewAndTheOthersAreCountedUntilTheWindowEnds() {
    assertTrue(lines.isNew(line("a", null)));
    for (int i = 0; i < 30_000; i++) {
      assertFalse(lines.isNew(line("a", null)));
    }
    now += WINDOW - 1;
    due();
    assertEquals(List.of(), written);
    assertEquals(1, lines.nanosUntilDue());
    now += 1;
    assertEquals(0, lines.nanosUntilDue());
    due();
    assertEquals(List.of("WARN 30000 more in 10 s, the last: a"), written);
  }

  @Test
  void aLineThatKeepsComingIsCountedOncePerWindow() {
    assertTrue(lines.isNew(line("a", null)));
    for (int window = 0; window < 3; window++) {
      assertFalse(lines.isNew(line("a", null)));
      assertFalse(lines.isNew(line("a", null)));
      now += WINDOW;
      due();
    }
    assertEquals(3, written.size());
    assertEquals("WARN 2 more in 10 s, the last: a", written.get(2));
  }

  @Test
  void afterAWindowWithoutRepetitionsTheNextIsNew() {
    assertTrue(lines.isNew(line("a", null)));
    assertFalse(lines.isNew(line("a", null)));
    now += WINDOW;
    due();
    now += WINDOW;
    due();
    assertEquals(-1, lines.nanosUntilDue());
    assertTrue(lines.isNew(line("a", null)));
    assertEquals(1, written.size());
  }

  @Test
  void nothingIsDueIfNoLineWasRepeated() {
    assertTrue(lines.isNew(line("a", null)));
    assertEquals(-1, lines.nanosUntilDue());
    assertTrue(lines.isNew(line("b", null)));
    assertFalse(lines.isNew(line("b", null)));
    assertEquals(WINDOW, lines.nanosUntilDue());
  }

  @Test
  void numbersInATextMakeNoDifference() {
    assertTrue(lines.isNew(line("channel [id: 0x3fa9c1] closed stream 17", null)));
    assertFalse(lines.isNew(line("channel [id: 0x00cc2e] closed stream 4711", null)));
    assertTrue(lines.isNew(line("channel closed", null)));
  }

  @Test
  void classAndPlaceOfTheExceptionMakeADifference() {
    IllegalStateException here = new IllegalStateException("first");
    assertTrue(lines.isNew(line("a", here)));
    assertFalse(lines.isNew(line("a", here)));
    assertTrue(lines.isNew(line("a", new IllegalStateException("elsewhere"))));
    IllegalArgumentException other = new IllegalArgumentException("third");
    other.setStackTrace(here.getStackTrace());
    assertTrue(lines.isNew(line("a", other)));

    lines.take(true).forEach(RepeatedLines.Count::write);
    assertEquals(
        List.of("WARN 1 more in 10 s, the last: a: java.lang.IllegalStateException: first"),
        written);
  }

  @Test
  void kindsAreBounded() {
    for (char c = 0; c < 1_000; c++) {
      lines.isNew(line("kind " + (char) ('\u4e00' + c), null));
    }
    lines.take(true).forEach(RepeatedLines.Count::write);
    assertEquals(1, written.size(), written::toString);
    assertTrue(written.get(0).startsWith("WARN 899 more in 10 s, the last: kind "), written.get(0));

    now += 2 * WINDOW;
    assertTrue(lines.isNew(line("kind of its own again", null)));
  }

  @Test
  void whatIsForgottenIsNewAgain() {
    assertTrue(lines.isNew(line("a", null)));
    assertFalse(lines.isNew(line("a", null)));
    lines.forget();
    assertTrue(lines.isNew(line("a", null)));
    assertEquals(List.of(), lines.take(true));
  }
}
