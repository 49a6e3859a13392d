package io.mapstream.server;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * One datum on a virtual thread of its own, which is named after the datum's id: runs the handler,
 * then ends the datum or reports the failure.
 */
final class HandlerTask implements Runnable {

  private static final int OVERHEAD = 1024;
  private static final long NOT_RUN = -1;
  private static final String DATUM_ID = "datumId";

  /** Where a handler's thread comes from. */
  @FunctionalInterface
  interface Threads {

    /** A thread, not started, of that name. */
    Thread make(String name, Runnable task);

    /** As it is everywhere but in tests that decide themselves which thread runs when. */
    static Thread virtual(String name, Runnable task) {
      return Thread.ofVirtual().name(name).unstarted(task);
    }
  }

  private final MapStream stream;
  private final MapStreamer handler;
  private final Request.Data request;
  private final DatumSink sink;
  private final Thread thread;
  private final @Nullable DatumRecording recording;

  /** How long the handler took; written before {@link #left}. */
  private long nanos = NOT_RUN;

  /** The handler has returned or failed, whatever became of its results. */
  private volatile boolean left;

  // Links and flags of InFlight and MapStream, on the event loop.
  private @Nullable HandlerTask older;
  private @Nullable HandlerTask newer;
  private boolean answered;
  private boolean released;

  HandlerTask(
      MapStream stream,
      MapStreamer handler,
      Threads threads,
      Request.Data request,
      ResponseWriter writer) {
    this.stream = stream;
    this.handler = handler;
    this.request = request;
    this.sink = new DatumSink(writer, request.id(), this::answered);
    this.thread = threads.make("mapstream-" + id(), this);
    sink.handledBy(thread);
    this.recording = DatumRecording.of(request.id());
    sink.recordedBy(recording);
  }

  /** Starts the handler, unless its stream has ended before its turn came. Never throws. */
  @SuppressWarnings("CatchingUnchecked")
  void start() {
    if (stream.isOver()) {
      left = true;
      stream.handlerLeft(this);
      return;
    }
    try {
      thread.start();
    } catch (Throwable t) {
      left = true;
      stream.handlerFailed(this, t);
    }
  }

  @Override
  public void run() {
    if (recording == null) {
      handle();
    } else {
      recording.begin();
      recording.commit(handle());
    }
  }

  /** The handler's failures are values here: whatever it throws decides about the datum. */
  @SuppressWarnings("CatchingUnchecked")
  private DatumOutcome handle() {
    long begun = System.nanoTime();
    try {
      nameInLog();
      Datum datum = request.datum();
      handler.handle(datum.keys(), datum, sink);
      sink.throwIfBroken();
      leave(begun);
      // Asked before the EOT, with which the stream may be complete.
      DatumOutcome outcome = stream.isOver() ? DatumOutcome.STREAM_ENDED : DatumOutcome.ANSWERED;
      if (!sink.end() || stream.isOver()) {
        // Nothing more will be written for this datum that could tell the stream of its end.
        stream.handlerLeft(this);
      }
      return outcome;
    } catch (Throwable t) {
      leave(begun);
      return stream.handlerFailed(this, t);
    } finally {
      forgetInLog();
    }
  }

  private void leave(long begun) {
    nanos = System.nanoTime() - begun;
    left = true;
    if (recording != null) {
      recording.end();
    }
  }

  private void nameInLog() {
    if (stream.namesDatumsInLog()) {
      MDC.put(DATUM_ID, id());
    }
  }

  private void forgetInLog() {
    if (stream.namesDatumsInLog()) {
      MDC.remove(DATUM_ID);
    }
  }

  /**
   * Ends the datum with the fail mark in place of its failure, and tells the stream if that can't
   * be seen from what is written.
   */
  void answerWith(Message mark) {
    if (!sink.endWith(mark) || stream.isOver()) {
      stream.handlerLeft(this);
    }
  }

  private void answered() {
    answered = true;
    stream.answered(this);
  }

  /** Whether its place can be given to another datum. */
  boolean isDone() {
    return left && (answered || stream.isOver());
  }

  /** Claims the release of its place; true once. */
  boolean claimRelease() {
    boolean first = !released;
    released = true;
    return first;
  }

  boolean hasLeft() {
    return left;
  }

  /** Whether the handler was called, which it is not where its stream has ended before. */
  boolean hasRun() {
    return nanos != NOT_RUN;
  }

  /** How long the handler ran, once it has left. */
  long nanos() {
    return nanos;
  }

  /** It could not be started; the event loop's. */
  void abandon() {
    left = true;
  }

  boolean isSinkBroken() {
    return sink.isBroken();
  }

  void interrupt() {
    thread.interrupt();
  }

  /** Where the handler is; empty if it has left or waits for a processor. Any thread. */
  StackTraceElement[] stack() {
    return thread.getStackTrace();
  }

  boolean runsOn(Thread other) {
    return thread == other;
  }

  /** The client's name for the datum, for people to read. */
  String id() {
    return Printable.text(request.id());
  }

  /** What the datum counts in the admission budget: its bytes, and its thread and objects. */
  int size() {
    return Math.addExact(request.size(), OVERHEAD);
  }

  @Nullable HandlerTask older() {
    return older;
  }

  @Nullable HandlerTask newer() {
    return newer;
  }

  void linkOlder(@Nullable HandlerTask task) {
    older = task;
  }

  void linkNewer(@Nullable HandlerTask task) {
    newer = task;
  }
}
