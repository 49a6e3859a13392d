package io.mapstream.server;

import static io.mapstream.server.ModelChecker.check;
import static io.mapstream.server.ModelChecker.explore;
import static io.mapstream.server.ModelChecker.join;

import io.mapstream.Message;
import io.mapstream.SinkClosedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The path of results from handlers to the event loop, through {@link DatumSink} and {@link
 * ResponseWriter}, under schedules that Lincheck's model checker chooses: it switches threads at
 * each access to shared memory, and reports hangs and failed assertions with the schedule that led
 * to them.
 */
@Tag("slow")
class ResponseWriterInterleavingTest {

  private static final int AMPLE = 4096;

  /** Enough permits for one result of this test, but not for two. */
  private static final int TIGHT = 200;

  /** Created before the scenarios, since the checker reports a loop of 50 iterations as a hang. */
  private static final ServerOptions OPTIONS =
      MapStreamServer.builder((keys, datum, sink) -> {}).maxMessageSize(AMPLE).optionsIn(Map.of());

  private static final Limits LIMITS = Limits.of(OPTIONS);

  /**
   * The stream itself has half of a result's cost; the other half is lent to one result at a time.
   */
  private static final Limits LENDING =
      new Limits(
          LIMITS.datumsInWork(),
          LIMITS.requestBytes(),
          1,
          1,
          1,
          bytes -> 2,
          AMPLE,
          Integer.MAX_VALUE,
          LIMITS.readyThreshold());

  /** A stream's writer with its client, and the event loop they belong to. */
  private static final class Harness implements ResponseWriter.Listener {
    final ModelChecker.Loop loop = new ModelChecker.Loop();
    final Client client = new Client();
    final StreamContext context;
    final ResponseWriter writer;
    final List<Thread> threads = new ArrayList<>();
    final List<DatumSink> answered = new ArrayList<>();

    Harness(int permits) {
      this(LIMITS.withPending(permits), null);
    }

    Harness(Limits limits, @Nullable Executor executor) {
      this.context =
          StreamContext.builder(
                  (keys, datum, sink) -> {}, OPTIONS, executor == null ? loop : executor)
              .limits(limits)
              .build();
      this.writer = new ResponseWriter(client, context, this);
    }

    @Override
    public void answered(DatumSink datum) {
      answered.add(datum);
    }

    @Override
    public void writingFailed(Throwable thrown) {
      throw new AssertionError(thrown);
    }

    DatumSink datum(String id) {
      return new DatumSink(context, writer, id, new InFlight.Entry(null, 0), null, null);
    }

    Thread run(Runnable action) {
      Thread thread = new Thread(action);
      threads.add(thread);
      thread.start();
      return thread;
    }

    /** Does what a handler does that emits and returns. */
    void emitAndEnd(DatumSink sink, String values) {
      run(() -> {
        emit(sink, values);
        sink.end();
      });
    }

    /** Emits the results of two datums at once; everything must be written. */
    void verifyBothAreWritten(String ofA, String ofB) {
      DatumSink a = datum("a");
      DatumSink b = datum("b");
      emitAndEnd(a, ofA);
      emitAndEnd(b, ofB);
      join();
      check(client.a().equals(ofA + "."), "a: " + client.a());
      check(client.b().equals(ofB + "."), "b: " + client.b());
    }

    /** Ends the loop when it has run all tasks of the threads. */
    void join() {
      threads.forEach(ModelChecker::join);
      loop.finish();
    }

    /** Checks that everything that can be lent is available again. */
    void verifyLoansAreBack() {
      var all = new PendingBudget.Loan(LENDING.pendingShared());
      context.pending().lend(all);
      check(all.isLent(), "a loan is still out");
    }

    /**
     * Checks that every permit was returned exactly once: there are enough for one result of the
     * full size, and no more. An interrupted thread is refused instead of waiting.
     */
    void verifyPermitsConserved(int permits) {
      ResultEncoding all = new ResultEncoding(Message.of(new byte[permits]));
      Thread.currentThread().interrupt();
      writer.permits().reserve(all.size(), new InFlight.Entry(null, 0), null);
      try {
        writer.permits().reserve(result('z').size(), new InFlight.Entry(null, 0), null);
        throw new AssertionError("more permits were returned than taken");
      } catch (SinkClosedException e) {
        check(Thread.interrupted(), "the interrupt flag is kept");
      }
    }
  }

  private static ResultEncoding result(char value) {
    return new ResultEncoding(message(value));
  }

  private static Message message(char value) {
    return Message.of(new byte[] {(byte) value});
  }

  /** The client, which records what was written. */
  private static final class Client extends FakeObserver {
    final Transcript transcript = new Transcript();

    @Override
    public void onNext(Response response) {
      countWrite();
      transcript.add(response);
    }

    String a() {
      return transcript.of('a');
    }

    String b() {
      return transcript.of('b');
    }
  }

  private static void emit(DatumSink sink, String values) {
    for (int i = 0; i < values.length(); i++) {
      sink.emit(message(values.charAt(i)));
    }
  }

  /** Emits until refused; returns what was accepted. */
  private static String emitWhileOpen(DatumSink sink, String values) {
    for (int i = 0; i < values.length(); i++) {
      try {
        sink.emit(message(values.charAt(i)));
      } catch (SinkClosedException e) {
        return values.substring(0, i);
      }
    }
    return values;
  }

  /** Whether {@code whole} contains all of {@code part}, in the same order. */
  private static boolean keepsOrder(String whole, String part) {
    int from = 0;
    for (int i = 0; i < part.length(); i++) {
      from = whole.indexOf(part.charAt(i), from) + 1;
      if (from == 0) {
        return false;
      }
    }
    return true;
  }

  @Test
  void emittersOfOneDatumNeitherLoseNorDuplicateResults() {
    explore(() -> {
      Harness harness = new Harness(AMPLE);
      DatumSink sink = harness.datum("a");
      Thread other = harness.run(() -> emit(sink, "12"));
      emit(sink, "xy");
      join(other);
      check(sink.end(), "the first end counts");
      harness.join();
      String written = harness.client.a();
      check(
          written.length() == 5
              && written.endsWith(".")
              && keepsOrder(written, "12")
              && keepsOrder(written, "xy"),
          written);
      check(harness.answered.equals(List.of(sink)), "answered " + harness.answered.size());
      harness.verifyPermitsConserved(AMPLE);
    });
  }

  @Test
  void datumsEnqueuedTogetherAreAllWritten() {
    explore(() -> {
      new Harness(AMPLE).verifyBothAreWritten("1", "2");
    });
  }

  @Test
  void clientThatBecomesReadyGetsTheWaitingResults() {
    explore(() -> {
      Harness harness = new Harness(AMPLE);
      harness.client.readyFor(0);
      DatumSink sink = harness.datum("a");
      harness.emitAndEnd(sink, "12");
      harness.loop.execute(() -> {
        harness.client.readyFor(Integer.MAX_VALUE);
        harness.writer.drain();
      });
      harness.join();
      check(harness.client.a().equals("12."), "written: " + harness.client.a());
    });
  }

  @Test
  void emittersThatWaitForPermitsAllGetThem() {
    explore(() -> {
      Harness harness = new Harness(TIGHT);
      harness.verifyBothAreWritten("12", "34");
      harness.verifyPermitsConserved(TIGHT);
    });
  }

  @Test
  void emittersThatNeedALoanAllGetOne() {
    explore(() -> {
      Harness harness = new Harness(LENDING, null);
      harness.verifyBothAreWritten("12", "3");
      harness.verifyLoansAreBack();
    });
  }

  @Test
  void endOfTheStreamWakesEmittersThatWaitForALoan() {
    explore(() -> {
      Harness harness = new Harness(LENDING, null);
      DatumSink a = harness.datum("a");
      DatumSink b = harness.datum("b");
      String[] accepted = {"", ""};
      harness.run(() -> accepted[0] = emitWhileOpen(a, "12"));
      harness.run(() -> accepted[1] = emitWhileOpen(b, "3"));
      harness.loop.execute(() -> harness.writer.close("the client cancelled"));
      harness.join();
      check(accepted[0].startsWith(harness.client.a()), "a: " + harness.client.a());
      check(accepted[1].startsWith(harness.client.b()), "b: " + harness.client.b());
      check(harness.client.end() == null, "an end was sent to a client that is gone");
      check(emitWhileOpen(a, "4").isEmpty(), "a result was accepted after the end");
      harness.verifyLoansAreBack();
    });
  }

  @Test
  void emitThatMeetsTheEndIsEitherWrittenBeforeItOrRefused() {
    explore(() -> {
      Harness harness = new Harness(TIGHT);
      DatumSink sink = harness.datum("a");
      String[] accepted = {""};
      harness.run(() -> accepted[0] = emitWhileOpen(sink, "12"));
      check(sink.end(), "the first end counts");
      harness.join();
      check(!sink.end(), "the second end does not");
      check(
          harness.client.a().equals(accepted[0] + "."),
          harness.client.a() + " was written of " + accepted[0]);
      check(harness.answered.size() == 1, "answered " + harness.answered.size());
      harness.verifyPermitsConserved(TIGHT);
    });
  }

  @Test
  void nothingButTheEotFollowsTheFailMark() {
    explore(() -> {
      Harness harness = new Harness(AMPLE);
      DatumSink sink = harness.datum("a");
      String[] accepted = {""};
      harness.run(() -> accepted[0] = emitWhileOpen(sink, "12"));
      sink.emit(Message.toFail());
      check(!sink.end(), "the mark has ended the datum");
      harness.join();
      check(
          harness.client.a().equals(accepted[0] + "!."),
          harness.client.a() + " was written of " + accepted[0]);
      check(harness.answered.size() == 1, "answered " + harness.answered.size());
    });
  }

  @Test
  void endOfTheStreamWakesEmittersAndIsTheLastThingWritten() {
    explore(() -> {
      Harness harness = new Harness(TIGHT);
      harness.client.readyFor(0);
      DatumSink a = harness.datum("a");
      DatumSink b = harness.datum("b");
      String[] accepted = {"", ""};
      harness.run(() -> accepted[0] = emitWhileOpen(a, "12"));
      harness.run(() -> accepted[1] = emitWhileOpen(b, "34"));
      harness.loop.execute(() -> {
        harness.client.readyFor(Integer.MAX_VALUE);
        harness.writer.drain();
      });
      harness.loop.execute(() -> harness.writer.end(io.grpc.Status.OK, null, "the test ends it"));
      harness.join();
      check(harness.client.end() != null, "the client was not notified");
      check(accepted[0].startsWith(harness.client.a()), "a: " + harness.client.a());
      check(accepted[1].startsWith(harness.client.b()), "b: " + harness.client.b());
      check(emitWhileOpen(a, "5").isEmpty(), "a result was accepted after the end");
    });
  }

  @Test
  void stoppedLoopWakesEmitters() {
    explore(() -> {
      Harness harness =
          new Harness(
              LIMITS.withPending(TIGHT),
              task -> {
                throw new java.util.concurrent.RejectedExecutionException("stopped");
              });
      DatumSink a = harness.datum("a");
      DatumSink b = harness.datum("b");
      harness.run(() -> emitWhileOpen(a, "123"));
      harness.run(() -> emitWhileOpen(b, "456"));
      harness.join();
      check(emitWhileOpen(a, "7").isEmpty(), "a result was accepted after the end");
      check(harness.client.a().isEmpty() && harness.client.b().isEmpty(), "nothing can be written");
    });
  }
}
