package io.mapstream.server;

import static io.mapstream.server.Schedules.check;
import static io.mapstream.server.Schedules.explore;
import static io.mapstream.server.Schedules.join;

import io.mapstream.Message;
import io.mapstream.SinkClosedException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import org.junit.jupiter.api.Test;

/**
 * The hand-over from handlers to the event loop, {@link DatumSink} and {@link ResponseWriter},
 * under schedules that Lincheck's model checker chooses: it switches threads at each access to
 * shared memory, and reports a hang as well as a failed assertion, with the schedule that led to
 * it.
 */
class ResponseWriterInterleavingTest {

  private static final int AMPLE = 4096;

  /** Room for one result of this test, and not for two. */
  private static final int TIGHT = 200;

  /** A stream's writer with its client, and the event loop they belong to. */
  private static final class Harness {
    final Schedules.Loop loop;
    final Client client = new Client();
    final ResponseWriter writer;
    final List<Thread> threads = new ArrayList<>();

    Harness(int room) {
      this.loop = new Schedules.Loop();
      this.writer =
          new ResponseWriter(
              client,
              loop,
              new ResponseWriter.Limits(room, AMPLE),
              new Counters(),
              Harness::unexpected);
    }

    Harness(int room, Executor executor) {
      this.loop = new Schedules.Loop();
      this.writer =
          new ResponseWriter(
              client,
              executor,
              new ResponseWriter.Limits(room, AMPLE),
              new Counters(),
              Harness::unexpected);
    }

    private static void unexpected(Throwable thrown) {
      throw new AssertionError(thrown);
    }

    DatumSink datum(String id) {
      return new DatumSink(writer, id, () -> client.answered.add(id));
    }

    Thread run(Runnable action) {
      Thread thread = new Thread(action);
      threads.add(thread);
      thread.start();
      return thread;
    }

    /** Ends the loop when all that the threads left to it is done. */
    void join() {
      threads.forEach(Schedules::join);
      loop.finish();
    }

    /**
     * Every permit is back, and none twice: the room takes one result of its full size and nothing
     * besides. An interrupted thread is refused where it would have to wait.
     */
    void verifyPermitsConserved(int room) {
      Emission all = WireMapping.encodeResult(Message.of(new byte[room]));
      Thread.currentThread().interrupt();
      writer.reserve(all, null);
      try {
        writer.reserve(result('z'), null);
        throw new AssertionError("more permits came back than were taken");
      } catch (SinkClosedException e) {
        check(Thread.interrupted(), "the interrupt flag is kept");
      }
    }
  }

  private static Emission result(char value) {
    return WireMapping.encodeResult(message(value));
  }

  private static Message message(char value) {
    return Message.of(new byte[] {(byte) value});
  }

  /** The client, which keeps what has been written. */
  private static final class Client extends ObserverDouble {
    final Transcript transcript = new Transcript();
    final List<String> answered = new ArrayList<>();

    @Override
    public void onNext(Response response) {
      check(!ended, "written after the end");
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

  /** Whether all of {@code part} is in {@code whole}, in its order. */
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
  void emittersOfOneDatumLoseAndDoubleNothing() {
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
      check(harness.client.answered.equals(List.of("a")), "answered " + harness.client.answered);
      harness.verifyPermitsConserved(AMPLE);
    });
  }

  @Test
  void datumsHandedOverTogetherAreAllWritten() {
    explore(() -> {
      Harness harness = new Harness(AMPLE);
      DatumSink a = harness.datum("a");
      DatumSink b = harness.datum("b");
      harness.run(() -> {
        emit(a, "1");
        a.end();
      });
      harness.run(() -> {
        emit(b, "2");
        b.end();
      });
      harness.join();
      check(harness.client.a().equals("1."), "a: " + harness.client.a());
      check(harness.client.b().equals("2."), "b: " + harness.client.b());
    });
  }

  @Test
  void clientThatBecomesReadyGetsWhatWaited() {
    explore(() -> {
      Harness harness = new Harness(AMPLE);
      harness.client.ready = false;
      DatumSink sink = harness.datum("a");
      harness.run(() -> {
        emit(sink, "12");
        sink.end();
      });
      harness.loop.execute(() -> {
        harness.client.ready = true;
        harness.writer.drain();
      });
      harness.join();
      check(harness.client.a().equals("12."), "written: " + harness.client.a());
    });
  }

  @Test
  void emittersThatWaitForRoomAllGetIt() {
    explore(() -> {
      Harness harness = new Harness(TIGHT);
      DatumSink a = harness.datum("a");
      DatumSink b = harness.datum("b");
      harness.run(() -> {
        emit(a, "12");
        a.end();
      });
      harness.run(() -> {
        emit(b, "34");
        b.end();
      });
      harness.join();
      check(harness.client.a().equals("12."), "a: " + harness.client.a());
      check(harness.client.b().equals("34."), "b: " + harness.client.b());
      harness.verifyPermitsConserved(TIGHT);
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
      check(harness.client.answered.size() == 1, "answered " + harness.client.answered);
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
      check(harness.client.answered.size() == 1, "answered " + harness.client.answered);
    });
  }

  @Test
  void endOfTheStreamWakesEmittersAndIsTheLastThingWritten() {
    explore(() -> {
      Harness harness = new Harness(TIGHT);
      harness.client.ready = false;
      DatumSink a = harness.datum("a");
      DatumSink b = harness.datum("b");
      String[] accepted = {"", ""};
      harness.run(() -> accepted[0] = emitWhileOpen(a, "12"));
      harness.run(() -> accepted[1] = emitWhileOpen(b, "34"));
      harness.loop.execute(() -> {
        harness.client.ready = true;
        harness.writer.drain();
      });
      harness.loop.execute(() -> harness.writer.end(io.grpc.Status.OK, null, "the test ends it"));
      harness.join();
      check(harness.client.ended, "the client was told");
      check(accepted[0].startsWith(harness.client.a()), "a: " + harness.client.a());
      check(accepted[1].startsWith(harness.client.b()), "b: " + harness.client.b());
      check(emitWhileOpen(a, "5").isEmpty(), "a result was accepted after the end");
    });
  }

  @Test
  void transportThatIsGoneWakesEmitters() {
    explore(() -> {
      Harness harness =
          new Harness(
              TIGHT,
              task -> {
                throw new java.util.concurrent.RejectedExecutionException("played");
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
