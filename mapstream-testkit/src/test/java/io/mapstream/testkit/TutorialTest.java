package io.mapstream.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.MessageSink;
import io.mapstream.MessageTooLargeException;
import io.mapstream.Messages;
import java.io.Closeable;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The examples of the pages, which PagesTest compares with this file. */
class TutorialTest {

  @Test
  void recordingSink() {
    var sink = new RecordingSink();

    new WordSplitter().handle(List.of("k"), TestDatum.of("a,b"), sink);

    assertEquals(List.of("a", "b"), sink.texts());
  }

  @Test
  void process() {
    try (var harness = MapStreamHarness.of(new WordSplitter())) {
      assertEquals(List.of("a", "b"), harness.process("a,b").texts());
    }
  }

  @Test
  void wholeMessages() {
    try (var harness = MapStreamHarness.of(new WordSplitter())) {
      Datum datum = TestDatum.builder().keys("k").text("a,b").build();

      Messages words = harness.process(datum);

      assertEquals(List.of(Message.of("a").withKeys("k"), Message.of("b").withKeys("k")), words);
      assertTrue(harness.process("").get(0).isDrop());
    }
  }

  @Test
  void failure() {
    MapStreamer numbers =
        (keys, datum, sink) -> {
          for (String number : datum.text().split(",", -1)) {
            sink.emit(Message.of("" + Integer.parseInt(number)));
          }
        };
    try (var harness = MapStreamHarness.of(numbers)) {
      var failed = assertThrows(HandlerFailedException.class, () -> harness.process("1,2,three,4"));

      assertInstanceOf(NumberFormatException.class, failed.getCause());
      assertEquals(List.of("1", "2"), failed.messages().texts());
    }
  }

  @Test
  void messageByMessage() throws InterruptedException {
    BlockingQueue<String> lines = new LinkedBlockingQueue<>();
    try (var harness = MapStreamHarness.of(new Follower(lines))) {
      Reply results = harness.send("orders");

      lines.put("first");
      assertEquals("first", results.next().text());
      assertTrue(results.isRunning());

      lines.put("second");
      lines.put("END");
      assertEquals(List.of("second"), results.remaining().texts());
      assertFalse(results.isRunning());
    }
  }

  @Test
  void backPressure() {
    var counter = new Counter();
    try (var harness = MapStreamHarness.builder(counter).bound(1).build()) {
      Reply numbers = harness.send("1000000000");

      numbers.awaitBlockedEmit();
      assertEquals(2, counter.made()); // one to read, and one in emit

      assertEquals("1", numbers.next().text());
      numbers.awaitBlockedEmit();
      assertEquals(3, counter.made());

      numbers.cancel();
    }
  }

  @Test
  void cancel() throws InterruptedException {
    BlockingQueue<String> lines = new LinkedBlockingQueue<>();
    var handler = new Follower(lines);
    try (var harness = MapStreamHarness.of(handler)) {
      Reply results = harness.send("orders");
      lines.put("first");
      assertEquals("first", results.next().text());

      results.cancel(); // while the handler waits for another line

      assertInstanceOf(InterruptedException.class, results.failure().orElseThrow());
      assertTrue(handler.isClosed());
    }
  }

  @Test
  void severalAtOnce() {
    try (var harness = MapStreamHarness.of(new WordSplitter())) {
      List<Reply> replies =
          IntStream.range(0, 500).mapToObj(i -> harness.send("a" + i + ",b")).toList();

      for (int i = 0; i < replies.size(); i++) {
        assertEquals(List.of("a" + i, "b"), replies.get(i).remaining().texts());
      }
    }
  }

  @Test
  void failMark() {
    MapStreamer handler =
        (keys, datum, sink) -> {
          sink.emit(Message.of("partial"));
          sink.emit(Message.toFail());
        };
    try (var harness = MapStreamHarness.of(handler)) {
      Messages messages = harness.process("a");

      assertTrue(messages.getLast().isFail());
      assertEquals(Messages.of(Message.of("partial"), Message.toFail()), messages);
    }
  }

  @Test
  void size() {
    MapStreamer handler =
        (keys, datum, sink) -> sink.emit("x".repeat(Integer.parseInt(datum.text())));
    try (var harness =
        MapStreamHarness.builder(handler).options(o -> o.maxMessageSize(200)).build()) {
      var failed = assertThrows(HandlerFailedException.class, () -> harness.process("1000"));

      var tooLarge = assertInstanceOf(MessageTooLargeException.class, failed.getCause());
      assertEquals(200, tooLarge.limit());
    }
  }

  /** Emits lines as they arrive, until the line END. */
  private static final class Follower implements MapStreamer, Closeable {
    private final BlockingQueue<String> lines;
    private volatile boolean closed;

    Follower(BlockingQueue<String> lines) {
      this.lines = lines;
    }

    @Override
    public void handle(List<String> keys, Datum datum, MessageSink sink) throws Exception {
      try (this) {
        for (String line = lines.take(); !line.equals("END"); line = lines.take()) {
          sink.emit(Message.of(line));
        }
      }
    }

    @Override
    public void close() {
      closed = true;
    }

    boolean isClosed() {
      return closed;
    }
  }

  /** Emits the numbers up to the datum's. */
  private static final class Counter implements MapStreamer {
    private final AtomicInteger made = new AtomicInteger();

    @Override
    public void handle(List<String> keys, Datum datum, MessageSink sink) {
      int last = Integer.parseInt(datum.text());
      for (int i = 0; i < last; i++) {
        sink.emit(Message.of("" + made.incrementAndGet()));
      }
    }

    int made() {
      return made.get();
    }
  }
}
