package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrowsExactly;

import io.mapstream.Message;
import io.mapstream.server.NumaflowRelease.Mark;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NumaflowReleaseTest {

  @ParameterizedTest
  @CsvSource({
    "1.4.0, false, false",
    "1.8.1, false, false",
    "1.8.2, true, false",
    "v1.8.3, true, false",
    "1.8.4, true, true",
    "1.10.0, true, true",
    "v2.0.0, true, true"
  })
  void releaseKnowsTheMarksThatCameBeforeIt(String text, boolean nack, boolean fail) {
    NumaflowRelease release = NumaflowRelease.parse(text);

    assertEquals(nack, release.knows(Mark.NACK));
    assertEquals(fail, release.knows(Mark.FAIL));
    assertEquals(text.replace("v", ""), release.toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"latest", "1.8", "1.8.3-rc1", "1.8.3.1", "1.8.x", "V1.8.3", "", "1.8.9999999999"})
  void otherTextIsRefused(String text) {
    assertRefused("numaflowVersion must be a release such as 1.8.3 but was " + text, text);
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.3.9", "0.9.0", "v1.0.12"})
  void releaseWithoutMapStreamIsRefused(String text) {
    assertRefused(
        "numaflowVersion must be at least 1.4.0, the first release with map-stream functions, but"
            + " was "
            + text,
        text);
  }

  private static void assertRefused(String message, String text) {
    var refused =
        assertThrowsExactly(IllegalArgumentException.class, () -> NumaflowRelease.parse(text));
    assertEquals(message, refused.getMessage());
  }

  @Test
  void dropIsKnownToAll() {
    assertNull(Mark.of(Message.toDrop()));
    assertNull(Mark.of(Message.of("v").withTags("nack", "fail")));
    assertEquals(Mark.NACK, Mark.of(Message.toNack().withTags("t")));
    assertEquals(Mark.FAIL, Mark.of(Message.toFail()));
  }
}
