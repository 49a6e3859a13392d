package io.mapstream.server;

import io.mapstream.Message;
import io.mapstream.MessageSink;
import io.mapstream.MessageTooLargeException;
import io.mapstream.SinkClosedException;
import io.mapstream.proto.Printable;
import io.mapstream.server.PendingBudget.Loan;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The sink of one datum. Any thread may emit; the end (the handler's return, or a result with the
 * fail mark) closes it, and a later {@code emit} is refused.
 *
 * <p>Emissions wait on a stack, newest first, until the {@link ResponseWriter} takes them. The top
 * of the stack is the sink's state:
 *
 * <ul>
 *   <li>null: nothing waits, and the writer does not have the datum. The thread that then pushes an
 *       emission also enqueues the datum with the writer.
 *   <li>{@link #QUEUED}, alone or with emissions on top of it: the writer has the datum in its
 *       queue.
 *   <li>the last emission, or {@link #CLOSED} after that was taken: nothing more is accepted. It
 *       stays on top for good, so that there is no gap between a check and a push.
 * </ul>
 */
final class DatumSink implements MessageSink {

  private static final Emission QUEUED = Emission.nothing();
  private static final Emission CLOSED = Emission.end();

  /** Updates {@link #late}. */
  private static final AtomicIntegerFieldUpdater<DatumSink> LATE =
      AtomicIntegerFieldUpdater.newUpdater(DatumSink.class, "late");

  private static final int NOT_RETURNED = 0;
  private static final int RETURNED = 1;
  private static final int REPORTED = 2;

  private final StreamContext context;
  private final ResponseWriter writer;
  private final String id;
  private final InFlight.Entry entry;
  private final byte[] idField;
  private final byte[] eot;
  private final Thread handler;
  private final @Nullable DatumRecording recording;

  private volatile @Nullable Error broken;

  /**
   * Whether the handler has returned while its stream was open, and whether a late emit was
   * reported.
   */
  private volatile int late = NOT_RETURNED;

  private final AtomicReference<@Nullable Emission> emitted = new AtomicReference<>();

  /** Taken from the stack and not yet written, oldest first. Event loop only. */
  private @Nullable Emission taken;

  /** The datum that was enqueued before this one; owned by the writer. */
  private @Nullable DatumSink enqueuedBefore;

  /**
   * Creates the sink of one datum.
   *
   * @param entry the datum's entry in {@link InFlight}
   * @param handler the thread of the datum's handler, which need not be the one that emits
   * @param recording records what is emitted; null if there is no recording
   */
  DatumSink(
      StreamContext context,
      ResponseWriter writer,
      String id,
      InFlight.Entry entry,
      Thread handler,
      @Nullable DatumRecording recording) {
    this.context = context;
    this.writer = writer;
    this.id = id;
    this.entry = entry;
    this.idField = WireMapping.encodeId(id);
    this.eot = WireMapping.encodeEot(id);
    this.handler = handler;
    this.recording = recording;
  }

  @Override
  public void emit(Message message) {
    context.marks().check(Objects.requireNonNull(message, "message"));
    ResultEncoding result = new ResultEncoding(message);
    long size = (long) result.size() + idField.length;
    if (size > writer.maxMessageSize()) {
      throw new MessageTooLargeException(size, writer.maxMessageSize());
    }
    throwIfBroken();
    if (hasEnded()) {
      throw datumClosed(); // without waiting for permits first
    }
    Emission emission;
    try {
      Loan loan = reserve(result);
      emission = copy(result, loan);
      if (emission != null && !push(emission)) {
        writer.permits().unreserve(result.size(), loan);
        throw datumClosed();
      }
    } catch (Error e) {
      broken = e;
      throw e;
    }
    if (emission == null) {
      throw new OutOfMemoryError("no memory for a result of " + result.size() + " bytes");
    }
    record(emission);
  }

  /**
   * Returns null if there is no memory for the copy: nothing is emitted then, and the sink is
   * intact.
   */
  private @Nullable Emission copy(ResultEncoding result, @Nullable Loan loan) {
    try {
      return Emission.result(result, loan, context.segments());
    } catch (OutOfMemoryError e) {
      writer.permits().unreserve(result.size(), loan);
      return null;
    }
  }

  /**
   * Returns whether an {@code emit} ended with an Error, of the stack or of the heap, while it
   * enqueued a result: emitted results may then never be written, so the stream has to end.
   */
  boolean isBroken() {
    return broken != null;
  }

  /** Throws the Error that broke the sink, if any, even if the handler has caught it. */
  void throwIfBroken() {
    Error e = broken;
    if (e != null) {
      throw e;
    }
  }

  private void record(Emission result) {
    if (recording != null) {
      recording.emitted(result);
    }
  }

  private SinkClosedException datumClosed() {
    SinkClosedException refused =
        new SinkClosedException(
            "emit refused: the datum is closed (its handler has returned, or a fail mark was"
                + " emitted)");
    if (isAnswered() && LATE.compareAndSet(this, RETURNED, REPORTED)) {
      context.failures().emittedLate(Printable.text(id), refused);
    }
    return refused;
  }

  /**
   * Returns whether the client has or will get the datum's EOT, so that it won't send the datum
   * again.
   */
  private boolean isAnswered() {
    return emitted.get() == CLOSED || writer.closedBecause() == null;
  }

  @Override
  public boolean isStopping() {
    return context.stopping().get();
  }

  /**
   * If the stream is closed, sets the handler's interrupt flag, since the interruption that follows
   * the close may not have happened yet.
   */
  private @Nullable Loan reserve(ResultEncoding result) {
    try {
      return writer.permits().reserve(result.size(), entry, recording);
    } catch (SinkClosedException e) {
      if (Thread.currentThread() == handler) {
        handler.interrupt();
      }
      throw e;
    }
  }

  /**
   * Ends the datum, whose handler has returned: its EOT follows what was emitted.
   *
   * @return false if a fail mark has ended it before
   */
  boolean end() {
    if (writer.closedBecause() == null) {
      late = RETURNED;
    }
    return push(Emission.end());
  }

  /** Ends the datum with a last result, which does not count towards the bound on what waits. */
  boolean endWith(Message mark) {
    Emission result = Emission.unbounded(new ResultEncoding(mark));
    if (!push(result)) {
      return false;
    }
    record(result);
    return true;
  }

  /** Returns whether the last emission has been made. */
  boolean hasEnded() {
    Emission newest = emitted.get();
    return newest != null && newest.isLast();
  }

  private boolean push(Emission emission) {
    Emission before;
    do {
      before = emitted.get();
      if (before != null && before.isLast()) {
        return false;
      }
      emission.linkTo(before);
    } while (!emitted.compareAndSet(before, emission));
    if (before == null) {
      writer.enqueue(this);
    }
    return true;
  }

  // For the writer, on the event loop.

  /** Returns the oldest emission that was not written yet, linked to those after it. */
  @Nullable Emission peek() {
    if (taken == null) {
      taken = takeOldestFirst();
    }
    return taken;
  }

  private @Nullable Emission takeOldestFirst() {
    Emission newest;
    do {
      newest = emitted.get();
      if (newest == CLOSED) {
        return null;
      }
    } while (!emitted.compareAndSet(newest, newest != null && newest.isLast() ? CLOSED : QUEUED));
    Emission oldest = null;
    while (newest != null && newest != QUEUED) {
      Emission before = newest.next();
      newest.linkTo(oldest);
      oldest = newest;
      newest = before;
    }
    return oldest;
  }

  /** Notes that everything before {@code next} is in a response. */
  void advanceTo(@Nullable Emission next) {
    taken = next;
  }

  /** Returns whether everything is in a response, and nothing can follow. */
  boolean isComplete() {
    return taken == null && emitted.get() == CLOSED;
  }

  /**
   * Returns whether there is more after a write. If not, the next emission enqueues the datum
   * again.
   */
  boolean isStillQueued() {
    return taken != null || (emitted.get() != CLOSED && !emitted.compareAndSet(QUEUED, null));
  }

  byte[] idField() {
    return idField;
  }

  byte[] eot() {
    return eot;
  }

  InFlight.Entry entry() {
    return entry;
  }

  /** Sets the link to the datum that was enqueued before this one, and returns the former link. */
  @Nullable DatumSink linkEnqueued(@Nullable DatumSink before) {
    DatumSink former = enqueuedBefore;
    enqueuedBefore = before;
    return former;
  }
}
