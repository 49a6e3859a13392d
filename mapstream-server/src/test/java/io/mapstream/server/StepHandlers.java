package io.mapstream.server;

import static io.mapstream.server.ModelChecker.check;

import io.mapstream.Datum;
import io.mapstream.Message;
import io.mapstream.MessageSink;
import io.mapstream.SinkClosedException;
import io.mapstream.server.Scenario.Step;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** An engine on a {@link StepScheduler}, whose handlers perform the steps of their datums. */
final class StepHandlers {

  /** How a handler ended. */
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
    final List<Step> steps;
    String accepted = "";
    Outcome outcome = Outcome.NOT_CALLED;

    Handled(char id, List<Step> steps) {
      this.id = id;
      this.steps = steps;
    }
  }

  /** The exception that a handler throws on purpose. */
  static final class Boom extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Has no stack trace, which would take most of the time. */
    Boom(char id) {
      super("boom of " + id, null, false, false);
    }
  }

  final StreamRegistry streams;
  final List<HandlerFailure> failures = new ArrayList<>();
  final List<HandlerFailure> lateFailures = new ArrayList<>();
  final List<Handled> handled = new ArrayList<>();

  private final StepScheduler scheduler;
  private final Admission admission;
  private final int maxConcurrency;
  private int running;
  private String fault = "";

  StepHandlers(ServerOptions options, StepScheduler scheduler) {
    this.scheduler = scheduler;
    this.maxConcurrency = options.maxConcurrency();
    Counters counters = new Counters();
    StreamContext context =
        StreamContext.builder(this::handle, options, scheduler)
            .counters(counters)
            .failures(new Failures(options, counters, this::failed))
            .threads(scheduler::thread)
            .clock(() -> 0)
            .build();
    this.admission = context.admission();
    this.streams = new StreamRegistry(context);
  }

  private void failed(HandlerFailure failure, FailureKind kind) {
    switch (kind) {
      case HANDLER_STOPPED_SERVER -> failures.add(failure);
      case HANDLER_LATE -> lateFailures.add(failure);
      default -> {}
    }
  }

  /** A datum for {@link FakeCall#send}; a later one may have the same id. */
  Request datum(char id, List<Step> steps) {
    handled.add(new Handled(id, steps));
    String number = Integer.toString(handled.size() - 1);
    return new Request.Data(
        String.valueOf(id),
        Datum.of(List.of(number), null, Instant.EPOCH, Instant.EPOCH, null),
        10);
  }

  private void handle(List<String> keys, Datum datum, MessageSink sink) throws Exception {
    Handled self = handled.get(Integer.parseInt(keys.get(0)));
    running++;
    if (running > maxConcurrency) {
      fault("capacity was released before its handler had returned");
    }
    try {
      for (Step step : self.steps) {
        scheduler.point(step.toString());
        run(self, step, sink);
      }
      self.outcome = Outcome.RETURNED;
    } catch (InterruptedException | SinkClosedException e) {
      self.outcome = Outcome.STOPPED;
      throw e;
    } catch (Boom e) {
      self.outcome = Outcome.THREW;
      throw e;
    } finally {
      scheduler.point("returns");
      running--;
    }
  }

  private void run(Handled self, Step step, MessageSink sink) throws InterruptedException {
    switch (step) {
      case THROW -> throw new Boom(self.id);
      case AWAIT_INTERRUPT -> scheduler.awaitInterruption();
      case EMIT_WHEN_INTERRUPTED -> {
        try {
          scheduler.awaitInterruption();
        } catch (InterruptedException e) {
          emit(self, step, sink);
          fault("a result of an interrupted handler was accepted");
        }
      }
      default -> emit(self, step, sink);
    }
  }

  private static void emit(Handled self, Step step, MessageSink sink) {
    boolean failMark = step == Step.EMIT_FAIL_MARK;
    sink.emit(failMark ? Message.toFail() : Message.of(new byte[] {(byte) step.value}));
    self.accepted += step.value;
  }

  /**
   * Records a fault for the check at the end: an error thrown here would count as the handler's
   * failure.
   */
  void fault(String what) {
    fault = what;
  }

  /** The number of handlers that were called and have not returned. */
  int running() {
    return running;
  }

  /** Checks at the end that no rule was broken, and that all capacity was released exactly once. */
  void verifyNothingIsLeft() {
    check(fault.isEmpty(), fault);
    check(admission.datums() == 0, admission.datums() + " datums are in work");
    long budget = Tuning.bytesInWork();
    boolean[] free = {false};
    // Checks the bytes only, independent of the number of datums.
    admission.admit(budget - 1);
    admission.release(0);
    admission.whenCapacity(() -> free[0] = true);
    check(free[0], "bytes were not released");
    admission.admit(1);
    admission.whenCapacity(() -> check(false, "bytes were released twice"));
  }
}
