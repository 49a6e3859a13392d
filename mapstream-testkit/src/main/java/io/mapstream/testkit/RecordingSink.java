package io.mapstream.testkit;

import io.mapstream.Message;
import io.mapstream.MessageSink;
import io.mapstream.Messages;
import io.mapstream.SinkClosedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Keeps what is emitted to it. It is all that the smallest unit test needs, which calls the handler
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
 * blocks, has no limit of size, and knows no release that lacks a mark; {@link MapStreamHarness}
 * does all three.
 *
 * <p>Safe for use by several threads.
 */
public final class RecordingSink implements MessageSink {

  private final InternalGuard guard = new InternalGuard();

  // Guarded by it.
  private final List<Message> emitted = new ArrayList<>();
  private boolean closed;

  /** Makes an open sink that has recorded nothing. */
  public RecordingSink() {}

  /**
   * Records a message. Doesn't block, and ignores an interruption.
   *
   * @param message what to record
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
   * Closes the sink, as the return of its handler does: what is emitted afterwards, by a thread
   * that the handler left behind, is refused. The messages stay. A second call does nothing.
   */
  public void close() {
    guard.run(() -> closed = true);
  }

  /** {@return whether a message would be refused} */
  public boolean isClosed() {
    return guard.get(() -> closed);
  }

  /** {@return what was emitted so far, in order; a copy that does not grow} */
  public Messages messages() {
    return guard.get(() -> Messages.copyOf(emitted));
  }

  /** {@return the text of each message so far, in order} */
  public List<String> texts() {
    return messages().texts();
  }

  /** {@return one line with the first messages, and whether the sink is closed} */
  @Override
  public String toString() {
    return "RecordingSink[" + (isClosed() ? "closed, " : "open, ") + messages() + "]";
  }
}
