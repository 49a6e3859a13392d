package io.mapstream.server;

import io.mapstream.Datum;
import io.mapstream.Message;
import io.mapstream.proto.Printable;
import io.mapstream.server.DatumRecording.Outcome;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * Handles one datum on its own virtual thread, which is named after the datum's id: runs the
 * handler, then ends the datum or reports the failure.
 */
final class HandlerTask implements Runnable, StarvationWatch.Start {

  private static final int USUAL_ID = 64;
  private static final long NOT_RUN = -1;
  private static final String DATUM_ID = "datumId";

  /** Creates the threads of handlers, and those that start them. */
  @FunctionalInterface
  interface Threads {

    /** Returns an unstarted thread with the given name. */
    Thread make(String name, Runnable task);

    /** Returns a virtual thread, as the server uses. */
    static Thread virtual(String name, Runnable task) {
      return Thread.ofVirtual().name(name).unstarted(task);
    }
  }

  private final StreamContext context;
  private final MapStream stream;
  private final ResponseWriter writer;
  private final String id;

  /**
   * Null once the handler is called: the value's memory is then the handler's, and is free as soon
   * as the handler no longer uses it, even while its results wait.
   */
  private @Nullable Datum datum;

  private final Thread thread;
  private final @Nullable DatumRecording recording;
  private final InFlight.Entry entry;

  /** Created by the handler's thread, so that the event loop does not have to encode the id. */
  private @Nullable DatumSink sink;

  /** How long the handler took; written before {@link #returned}. */
  private long nanos = NOT_RUN;

  /** Whether the handler has returned or thrown, or is never called. */
  private volatile boolean returned;

  /** Whether its thread has got a carrier. */
  private volatile boolean begun;

  HandlerTask(
      StreamContext context, MapStream stream, ResponseWriter writer, Request.Data request) {
    this.context = context;
    this.stream = stream;
    this.writer = writer;
    this.id = request.id();
    this.datum = request.datum();
    this.thread = context.threads().make("mapstream-" + id(), this);
    this.recording = DatumRecording.of(request.id());
    this.entry = new InFlight.Entry(this, size(request));
  }

  /** Starts the handler, unless its stream has ended. Never throws. Any thread. */
  @SuppressWarnings("CatchingUnchecked")
  void start() {
    try {
      if (stream.isEnded()) {
        returned = true;
        stream.handlerReturned(this);
      } else {
        thread.start();
      }
    } catch (Throwable t) {
      notStarted(t);
    }
  }

  /**
   * Reports an Error in any case, since the error policy is for what handlers throw. A thread whose
   * start throws may run nevertheless, so it is interrupted.
   */
  private void notStarted(Throwable reason) {
    returned = true;
    thread.interrupt();
    Throwable error = reason;
    if (!(reason instanceof Error)) {
      try {
        error = new Error("the handler's thread can't be started", reason);
      } catch (OutOfMemoryError e) {
        error = e;
      }
    }
    context.failures().handlerFailed(stream, this, error);
  }

  /** Catches everything that the handler throws, since it decides how the datum ends. */
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
      List<String> keys = Objects.requireNonNull(datum).keys();
      context.handler().handle(keys, takeDatum(), own);
      own.throwIfBroken();
      noteReturn(from);
      // Before the EOT, after which the stream and the process may end.
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

  private Datum takeDatum() {
    Datum taken = Objects.requireNonNull(datum, "a task runs once");
    datum = null;
    return taken;
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
      sink = new DatumSink(context, writer, id, entry, thread, recording);
    }
    return sink;
  }

  /** Ends the datum with the fail mark instead of its failure. Runs on the handler's thread. */
  void answerWithFail() {
    tellUnlessWritten(sink().endWith(Message.toFail()));
  }

  /** Reports the return to the stream unless an EOT follows, which reports it when written. */
  private void tellUnlessWritten(boolean eotFollows) {
    if (!eotFollows || stream.isEnded()) {
      stream.handlerReturned(this);
    }
  }

  /** Returns whether an {@code emit} failed halfway, see {@link DatumSink#throwIfBroken}. */
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

  /** Returns whether the handler was called; it is not if its stream has ended before. */
  boolean hasRun() {
    return nanos != NOT_RUN;
  }

  /** Returns how long the handler ran, once it has returned. */
  long nanos() {
    return nanos;
  }

  /** Marks a task that can't be started as returned. Event loop only. */
  void giveUp() {
    returned = true;
  }

  void interrupt() {
    thread.interrupt();
  }

  /** Returns the handler's stack; empty if it has returned or waits for a carrier. Any thread. */
  StackTraceElement[] stack() {
    return thread.getStackTrace();
  }

  boolean runsOn(Thread other) {
    return thread == other;
  }

  /** Returns the client's name for the datum, in printable form. */
  String id() {
    return Printable.text(id);
  }

  /**
   * Returns the bytes of the request, and of the copies of an unusually long id (in the request,
   * the thread's name and two encoded fields).
   */
  private static long size(Request.Data request) {
    long copies = 4L * Math.max(0, request.id().length() - USUAL_ID);
    return request.size() + copies;
  }
}
