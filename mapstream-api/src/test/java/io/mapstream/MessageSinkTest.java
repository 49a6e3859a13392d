package io.mapstream;

import static io.mapstream.Refusal.assertNullRefused;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The default methods of a sink. */
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
  void partOfABufferIsEmittedAsABareMessage() {
    sink.emit("abcd".getBytes(UTF_8), 1, 2);

    assertEquals(List.of(Message.of("bc")), emitted);
  }

  @Test
  void textIsEmittedAsABareMessageInUtf8() {
    sink.emit("é");

    assertEquals(List.of(Message.of("é")), emitted);
  }

  @Test
  void allAreEmittedInOrder() {
    sink.emitAll(Messages.of(Message.of("a"), Message.of("b")));
    sink.emitAll(Stream.of("c", "d", "e").parallel().map(Message::of));

    assertEquals(List.of("a", "b", "c", "d", "e"), Messages.copyOf(emitted).texts());
  }

  @Test
  void allOfAStreamAreEmittedOnTheCallingThread() {
    Set<Thread> threads = ConcurrentHashMap.newKeySet();
    MessageSink observing = message -> threads.add(Thread.currentThread());

    observing.emitAll(IntStream.range(0, 1000).parallel().mapToObj(i -> Message.of("" + i)));

    assertEquals(Set.of(Thread.currentThread()), threads);
  }

  @Test
  void streamIsEmittedMessageByMessageAndClosed() {
    List<Integer> emittedWhenAsked = new ArrayList<>();
    List<Integer> emittedWhenClosed = new ArrayList<>();

    sink.emitAll(
        Stream.of("a b", "c")
            .flatMap(line -> Stream.of(line.split(" ")))
            .peek(text -> emittedWhenAsked.add(emitted.size()))
            .map(Message::of)
            .onClose(() -> emittedWhenClosed.add(emitted.size())));

    assertEquals(List.of(0, 1, 2), emittedWhenAsked);
    assertEquals(List.of(3), emittedWhenClosed);
  }

  @Test
  void streamIsClosedWhenTheSinkRefuses() {
    List<String> closed = new ArrayList<>();
    MessageSink refusing =
        message -> {
          throw new SinkClosedException("the stream was cancelled");
        };

    assertThrows(
        SinkClosedException.class,
        () -> refusing.emitAll(Stream.of(Message.of("a")).onClose(() -> closed.add("closed"))));
    assertEquals(List.of("closed"), closed);
  }

  @Test
  void sinkWithoutAServerNeverStops() {
    assertFalse(sink.isStopping());
  }

  @Test
  void eachIsEmittedBeforeTheNextIsRequested() {
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
  void closedSinkEndsTheLoopAfterWhatWasEmitted() {
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
  void nullIsRefusedByName() {
    assertNullRefused("value", () -> sink.emit((byte[]) null));
    assertNullRefused("value", () -> sink.emit(null, 0, 0));
    assertNullRefused("text", () -> sink.emit((String) null));
    assertNullRefused("messages", () -> sink.emitAll((Iterable<Message>) null));
    assertNullRefused("messages", () -> sink.emitAll((Stream<Message>) null));
  }
}
