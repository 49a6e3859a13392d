package io.mapstream;

import static io.mapstream.Refusal.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What a sink does beyond its one abstract method. */
class MessageSinkTest {

  private final List<Message> emitted = new ArrayList<>();
  private final MessageSink sink = emitted::add;

  @Test
  void bytesAreEmittedAsABareMessage() {
    byte[] value = {1};

    sink.emit(value);

    assertEquals(List.of(Message.of(value)), emitted);
    assertSame(value, emitted.get(0).value());
  }

  @Test
  void allAreEmittedInOrder() {
    sink.emitAll(Messages.of(Message.of("a"), Message.of("b")));

    assertEquals(List.of("a", "b"), Messages.copyOf(emitted).texts());
  }

  @Test
  void eachIsEmittedBeforeTheNextIsAskedFor() {
    List<Integer> emittedWhenAsked = new ArrayList<>();
    Iterable<Message> lazy =
        () ->
            Stream.of("a", "b", "c")
                .peek(text -> emittedWhenAsked.add(emitted.size()))
                .map(Message::of)
                .iterator();

    sink.emitAll(lazy);

    assertEquals(List.of(0, 1, 2), emittedWhenAsked);
  }

  @Test
  void closedSinkEndsTheLoopAfterWhatHadLeft() {
    MessageSink closing =
        message -> {
          if (!emitted.isEmpty()) {
            throw new SinkClosedException("the stream was cancelled");
          }
          emitted.add(message);
        };

    assertThrows(
        SinkClosedException.class,
        () -> closing.emitAll(Messages.of(Message.of("a"), Message.of("b"), Message.of("c"))));
    assertEquals(List.of(Message.of("a")), emitted);
  }

  @Test
  void nullInsteadOfMessagesIsRefusedByName() {
    assertRefused("messages is required but was null", () -> sink.emitAll(null));
  }
}
