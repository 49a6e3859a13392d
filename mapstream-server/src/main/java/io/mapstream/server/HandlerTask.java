package io.mapstream.server;

import io.mapstream.Datum;
import io.mapstream.Message;
import io.mapstream.proto.Printable;
import io.mapstream.server.DatumRecording.Outcome;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * One datum on a virtual thread of its own, which is named after the datum's id: runs the handler,
 * then ends the datum or reports the failure.
 */
final class HandlerTask implements Runnable, StarvationWatch.Start {

  private static final int OVERHEAD = 1024;
  private static final int USUAL_ID = 64;
  private static final long NOT_RUN = -1;
  private static final String DATUM_ID = "datumId";

  /** Where a handler's thread comes from. */
  @FunctionalInterface
  interface Threads {

    /** A thread of that name, not started. */
    Thread make(String name, Runnable task);

    /** The server's way. */
    static Thread virtual(String name, Runnable task) {
      return Thread.ofVirtual().name(name).unstarted(task);
    }
  }

  private final StreamContext context;
  private final MapStream stream;
  private final ResponseWriter writer;
  private final Request.Data request;
  private final Thread thread;
  private final @Nullable DatumRecording recording;
  private final InFlight.Entry entry = new InFlight.Entry(this);

  /** Made by the thread that runs the handler, which has the time to encode the id. */
  private @Nullable DatumSink sink;

  /** How long the handler took; written before {@link #returned}. */
  private long nanos = NOT_RUN;

  /** The handler has returned or thrown, or is never called. */
  private volatile boolean returned;

  /** Its thread has got a carrier. */
  private volatile boolean begun;

  HandlerTask(
      StreamContext context, MapStream stream, ResponseWriter writer, Request.Data request) {
    this.context = context;
    this.stream = stream;
    this.writer = writer;
    this.request = request;
    this.thread = context.threads().make("mapstream-" + id(), this);
    this.recording = DatumRecording.of(request.id());
  }

  /** Starts the handler, unless its stream has ended. Never throws. Event loop only. */
  @SuppressWarnings("CatchingUnchecked")
  void start() {
    if (stream.isEnded()) {
      returned = true;
      stream.handlerReturned(this);
      return;
    }
    try {
      thread.start();
    } catch (Throwable t) {
      returned = true;
      context.failures().handlerFailed(stream, this, t);
    }
  }

  /** The handler's failures are values here: whatever it throws decides about the datum. */
  @Override
  @SuppressWarnings("CatchingUnchecked")
  public void run() {
    begun = true;
    if (recording != null) {
      recording.begin();
    }
    long from = System.nanoTime();
    try {
      context.handlerBegins();
      if (context.datumIdInMdc()) {
        MDC.put(DATUM_ID, id());
      }
      DatumSink own = sink();
      Datum datum = request.datum();
      context.handler().handle(datum.keys(), datum, own);
      own.throwIfBroken();
      noteReturn(from);
      // Before the EOT, with which the stream and the process may be complete.
      commit(stream.isEnded() ? Outcome.STREAM_ENDED : Outcome.ANSWERED);
      tellUnlessWritten(own.end());
    } catch (Throwable t) {
      noteReturn(from);
      commit(context.failures().handlerFailed(stream, this, t));
    } finally {
      if (context.datumIdInMdc()) {
        MDC.remove(DATUM_ID);
      }
    }
  }

  private void noteReturn(long from) {
    nanos = System.nanoTime() - from;
    returned = true;
    if (recording != null) {
      recording.end();
    }
  }

  private void commit(Outcome outcome) {
    if (recording != null) {
      recording.commit(outcome);
    }
  }

  private DatumSink sink() {
    if (sink == null) {
      sink = new DatumSink(context, writer, request.id(), entry, thread, recording);
    }
    return sink;
  }

  /** Ends the datum with the fail mark in place of its failure. On the handler's thread. */
  void answerWithFail() {
    tellUnlessWritten(sink().endWith(Message.toFail()));
  }

  /** The stream hears of the EOT that is to be written; where none is, it has to be told. */
  private void tellUnlessWritten(boolean eotFollows) {
    if (!eotFollows || stream.isEnded()) {
      stream.handlerReturned(this);
    }
  }

  /** Whether an {@code emit} ended in the middle, see {@link DatumSink#throwIfBroken}. */
  boolean isSinkBroken() {
    return sink != null && sink.isBroken();
  }

  InFlight.Entry entry() {
    return entry;
  }

  boolean hasReturned() {
    return returned;
  }

  @Override
  public boolean hasBegun() {
    return begun || returned;
  }

  /** Whether the handler was called, which it is not where its stream has ended before. */
  boolean hasRun() {
    return nanos != NOT_RUN;
  }

  /** How long the handler ran, once it has returned. */
  long nanos() {
    return nanos;
  }

  /** It can't be started. Event loop only. */
  void giveUp() {
    returned = true;
  }

  void interrupt() {
    thread.interrupt();
  }

  /** Where the handler is; empty if it has returned or waits for a processor. Any thread. */
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

  /**
   * What the datum counts in the admission budget: its bytes, its thread and objects, and the
   * copies of an id that is longer than usual (in the request, the thread's name and two encoded
   * fields).
   */
  long size() {
    long copies = 4L * Math.max(0, request.id().length() - USUAL_ID);
    return request.size() + OVERHEAD + copies;
  }
}
