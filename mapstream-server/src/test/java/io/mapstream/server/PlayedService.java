package io.mapstream.server;

import static io.mapstream.server.Schedules.check;
import static java.nio.charset.StandardCharsets.US_ASCII;

import io.mapstream.Datum;
import io.mapstream.Message;
import io.mapstream.MessageSink;
import io.mapstream.SinkClosedException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * A service on a {@link Stage}, whose handlers do what their datum says, letter by letter: a digit
 * is emitted, {@code !} is the fail mark, {@code x} throws, {@code ~} waits to be interrupted, and
 * {@code ^} does the same and then emits all the same, which has to be refused.
 */
final class PlayedService {

  /** How a handler came to its end. */
  enum Outcome {
    NOT_CALLED,
    RETURNED,
    THREW,
    /** By an interruption or a refused emit. */
    STOPPED
  }

  /** What a handler did for a datum. */
  static final class Handled {
    final char id;
    final String script;
    String accepted = "";
    Outcome outcome = Outcome.NOT_CALLED;

    Handled(char id, String script) {
      this.id = id;
      this.script = script;
    }
  }

  /** What a handler throws on purpose. */
  static final class Boom extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Without its stack, which would take most of the time. */
    Boom(char id) {
      super("boom of " + id, null, false, false);
    }
  }

  final MapService service;
  final List<HandlerFailure> failures = new ArrayList<>();
  final List<HandlerFailure> lateFailures = new ArrayList<>();
  final List<Handled> handled = new ArrayList<>();

  private final Stage stage;
  private final int places;
  private int running;
  private String fault = "";

  PlayedService(ServerOptions options, Stage stage) {
    this.stage = stage;
    this.places = options.maxConcurrency();
    this.service =
        new MapService(
            this::handle,
            options,
            stage,
            size -> {},
            new Counters(),
            failures::add,
            lateFailures::add);
    service.handleOn(stage::thread, () -> 0);
  }

  /** A datum for {@link PlayedCall#send}; a later one may have the same id. */
  Request datum(char id, String script) {
    handled.add(new Handled(id, script));
    String number = Integer.toString(handled.size() - 1);
    return new Request.Data(
        String.valueOf(id),
        Datum.of(List.of(number), script.getBytes(US_ASCII), Instant.EPOCH, Instant.EPOCH, null),
        10);
  }

  private void handle(List<String> keys, Datum datum, MessageSink sink) throws Exception {
    Handled self = handled.get(Integer.parseInt(keys.get(0)));
    running++;
    if (running > places) {
      fault("a place was given away before its handler had left");
    }
    try {
      for (int i = 0; i < self.script.length(); i++) {
        stage.point(self.script.substring(i, i + 1));
        play(self, self.script.charAt(i), sink);
      }
      self.outcome = Outcome.RETURNED;
    } catch (InterruptedException | SinkClosedException e) {
      self.outcome = Outcome.STOPPED;
      throw e;
    } catch (Boom e) {
      self.outcome = Outcome.THREW;
      throw e;
    } finally {
      stage.point("leaves");
      running--;
    }
  }

  private void play(Handled self, char letter, MessageSink sink) throws InterruptedException {
    switch (letter) {
      case '~' -> stage.awaitInterruption();
      case '^' -> {
        try {
          stage.awaitInterruption();
        } catch (InterruptedException e) {
          emit(self, '9', sink);
          fault("a result was accepted of a handler that had been interrupted");
        }
      }
      case 'x' -> throw new Boom(self.id);
      default -> emit(self, letter, sink);
    }
  }

  private static void emit(Handled self, char letter, MessageSink sink) {
    sink.emit(letter == '!' ? Message.toFail() : Message.of(new byte[] {(byte) letter}));
    self.accepted += letter;
  }

  /**
   * Notes a fault, to fail for it when all is over: an error thrown by a handler is its failure.
   */
  void fault(String what) {
    fault = what;
  }

  /** Handlers that have been called and have not left. */
  int running() {
    return running;
  }

  /** After all: no rule was broken, and every place and every byte is given back, none twice. */
  void verifyNothingIsLeft() {
    check(fault.isEmpty(), fault);
    check(service.admission().datums() == 0, service.admission().datums() + " datums are in work");
    long budget = Tuning.bytesInWork();
    boolean[] room = {false};
    // Bytes alone, whatever the number of places.
    service.admission().admit(budget - 1);
    service.admission().release(0);
    service.admission().whenRoom(() -> room[0] = true);
    check(room[0], "bytes were not given back");
    service.admission().admit(1);
    service.admission().whenRoom(() -> check(false, "bytes were given back twice"));
  }
}
