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
  void unsupportedMarkNamesMarkReleaseAndWhatToDo() {
    UnsupportedMarkException unsupported =
        new UnsupportedMarkException("nack", "1.8.1", "Numaflow 1.8.2 or newer");

    assertEquals(
        "Numaflow 1.8.1 does not know the nack mark: it would acknowledge the datum and forward an"
            + " empty message. The mark needs Numaflow 1.8.2 or newer; emit another message, or set"
            + " numaflowVersion to the release in use",
        unsupported.getMessage());
    assertEquals("nack", unsupported.mark());
    assertEquals("1.8.1", unsupported.numaflowVersion());
  }

  @Test
  void sinkClosedKeepsWhatLedToIt() {
    InterruptedException interrupt = new InterruptedException();

    assertSame(interrupt, new SinkClosedException("interrupted", interrupt).getCause());
  }
}
