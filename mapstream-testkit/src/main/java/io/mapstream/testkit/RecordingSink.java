package io.mapstream.testkit;

import io.mapstream.Message;
import io.mapstream.MessageSink;
import io.mapstream.Messages;
import io.mapstream.SinkClosedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Records what is emitted to it. It is enough for the smallest unit test, which calls the handler
 * as a method.
 *
 * {@snippet lang=java :
 * var sink = new RecordingSink();
 *
 * new WordSplitter().handle(List.of("k"), TestDatum.of("a,b"), sink);
 *
 * assertEquals(List.of("a", "b"), sink.texts());
 * }
 *
 * <p>It refuses what a server's sink refuses: a message after one with the {@linkplain
 * Message#toFail() fail mark}, any message after {@link #close()}, and {@code null}. It never
 * blocks, and does not check message sizes or whether a Numaflow release knows a mark; {@link
 * MapStreamHarness} does all three.
 *
 * <p>Thread-safe.
 */
public final class RecordingSink implements MessageSink {

  private final InternalGuard guard = new InternalGuard();

  // Guarded by it.
  private final List<Message> emitted = new ArrayList<>();
  private boolean closed;

  /** Creates an open sink without messages. */
  public RecordingSink() {}

  /**
   * Records a message. Does not block, and ignores interruptions.
   *
   * @param message the message to record
   * @throws SinkClosedException after {@link #close()}, and after a message with the fail mark
   */
  @Override
  public void emit(Message message) {
    Objects.requireNonNull(message, "message");
    guard.run(() -> {
      if (closed) {
        throw new SinkClosedException(
            "emit refused: the datum is closed (its handler has returned, or a fail mark was"
                + " emitted)");
      }
      emitted.add(message);
      closed = message.isFail();
    });
  }

  /**
   * Closes the sink, as the return of the handler does: what a leftover thread of the handler emits
   * afterwards is refused. The recorded messages are kept. A second call does nothing.
   */
  public void close() {
    guard.run(() -> closed = true);
  }

  /** {@return whether a message would be refused} */
  public boolean isClosed() {
    return guard.get(() -> closed);
  }

  /** {@return a copy of the messages emitted so far, in order} */
  public Messages messages() {
    return guard.get(() -> Messages.copyOf(emitted));
  }

  /** {@return the texts of the messages emitted so far, in order} */
  public List<String> texts() {
    return messages().texts();
  }

  /** {@return one line with the first messages, and whether the sink is closed} */
  @Override
  public String toString() {
    return "RecordingSink[" + (isClosed() ? "closed, " : "open, ") + messages() + "]";
  }
}
