package io.mapstream.testkit;

import io.mapstream.Message;
import io.mapstream.MessageSink;
import io.mapstream.Messages;
import io.mapstream.SinkClosedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Keeps what is emitted to it: the whole of what the smallest unit test needs, in which the handler
 * is called as the method that it is.
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
 * blocks, and knows no limit of size; for these there is {@link MapStreamHarness}.
 *
 * <p>Safe for use by several threads.
 */
public final class RecordingSink implements MessageSink {

  private final List<Message> emitted = new ArrayList<>();
  private @Nullable String closedBecause;

  /** Makes an open sink that has recorded nothing. */
  public RecordingSink() {}

  /**
   * Records a message. Doesn't block, and takes no notice of an interruption.
   *
   * @param message what to record
   * @throws SinkClosedException after {@link #close()}, and after a message with the fail mark
   * @throws NullPointerException if the message is {@code null}
   */
  @Override
  public void emit(Message message) {
    Objects.requireNonNull(message, "message");
    synchronized (emitted) {
      if (closedBecause != null) {
        throw new SinkClosedException("emit refused: " + closedBecause);
      }
      emitted.add(message);
      if (message.isFail()) {
        closedBecause = HandlerRun.FAIL_MARK_EMITTED;
      }
    }
  }

  /**
   * Closes the sink, as the return of its handler does: what is emitted afterwards, by a thread
   * that the handler left behind, is refused. The messages stay. A second call does nothing.
   */
  public void close() {
    synchronized (emitted) {
      if (closedBecause == null) {
        closedBecause = HandlerRun.HANDLER_RETURNED;
      }
    }
  }

  /** {@return whether a message would be refused} */
  public boolean isClosed() {
    synchronized (emitted) {
      return closedBecause != null;
    }
  }

  /** {@return what was emitted so far, in order; a copy that does not grow} */
  public Messages messages() {
    synchronized (emitted) {
      return Messages.copyOf(emitted);
    }
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
