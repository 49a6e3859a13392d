package io.mapstream.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrowsExactly;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.Message;
import io.mapstream.Messages;
import io.mapstream.SinkClosedException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Tests what a recording sink keeps and refuses. */
class RecordingSinkTest {

  private final RecordingSink sink = new RecordingSink();

  @Test
  void recordsMessagesOfAllEmitMethodsInOrder() {
    sink.emit(Message.of("a").withKeys("k"));
    sink.emit("b".getBytes(StandardCharsets.UTF_8));
    sink.emitAll(List.of(Message.toDrop(), Message.of("c")));

    assertEquals(
        Messages.of(
            Message.of("a").withKeys("k"), Message.of("b"), Message.toDrop(), Message.of("c")),
        sink.messages());
    assertEquals(List.of("a", "b", "", "c"), sink.texts());
  }

  @Test
  void returnedMessagesDoNotChange() {
    Messages before = sink.messages();
    sink.emit(Message.of("a"));

    assertEquals(Messages.empty(), before);
    assertEquals(1, sink.messages().size());
  }

  @Test
  void refusesMessagesAfterAFailMark() {
    sink.emit(Message.toFail());

    var refusal = assertThrowsExactly(SinkClosedException.class, () -> sink.emit(Message.of("a")));

    assertEquals(
        "emit refused: the datum is closed (its handler has returned, or a fail mark was emitted)",
        refusal.getMessage());
    assertTrue(sink.isClosed());
    assertEquals(Messages.of(Message.toFail()), sink.messages());
  }

  @Test
  void refusesMessagesAfterTheClose() {
    sink.emit(Message.of("a"));
    sink.close();
    sink.close();

    var refusal = assertThrowsExactly(SinkClosedException.class, () -> sink.emit(Message.of("b")));

    assertEquals(
        "emit refused: the datum is closed (its handler has returned, or a fail mark was emitted)",
        refusal.getMessage());
    assertEquals(List.of("a"), sink.texts());
  }

  @Test
  void refusesNullAndStaysOpen() {
    MapStreamHarnessTest.assertNull("message", () -> sink.emit((Message) null));
    assertFalse(sink.isClosed());
  }

  @Test
  void concurrentEmittersLoseNothing() throws InterruptedException {
    List<Thread> threads =
        IntStream.range(0, 8)
            .mapToObj(t ->
                Thread.ofVirtual()
                    .start(() ->
                        IntStream.range(0, 100).forEach(i -> sink.emit(Message.of(t + ":" + i)))))
            .toList();
    for (Thread thread : threads) {
      assertTrue(thread.join(Duration.ofSeconds(10)));
    }

    assertEquals(800, sink.texts().stream().distinct().count());
  }

  @Test
  void toStringShowsTheMessages() {
    sink.emit(Message.of("a"));

    assertEquals("RecordingSink[open, [Message[value=\"a\" (1 byte)]]]", sink.toString());
  }
}
