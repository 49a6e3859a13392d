package io.mapstream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.junit.jupiter.api.Test;

class ExceptionsTest {

  @Test
  void messageTooLargeNamesBothSizesAndTheOption() {
    MessageTooLargeException tooLarge = new MessageTooLargeException(67108865, 67108864);

    assertEquals(
        "an encoded response of 67108865 bytes is above the limit of 67108864 bytes"
            + " (maxMessageSize)",
        tooLarge.getMessage());
    assertEquals(67108865, tooLarge.size());
    assertEquals(67108864, tooLarge.limit());
  }

  @Test
  void sinkClosedKeepsWhatLedToIt() {
    InterruptedException interrupt = new InterruptedException();

    assertSame(interrupt, new SinkClosedException("interrupted", interrupt).getCause());
  }
}
