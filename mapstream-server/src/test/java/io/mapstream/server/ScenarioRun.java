package io.mapstream.server;

import static io.mapstream.server.ModelChecker.check;

import io.grpc.Status;
import io.mapstream.server.Scenario.Event;
import io.mapstream.server.ServerOptions.ErrorPolicy;
import io.mapstream.server.StepHandlers.Handled;
import io.mapstream.server.StepHandlers.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** One run of a scenario, and the checks after it: nothing is lost, duplicated or half-ended. */
final class ScenarioRun {

  private final Scenario scenario;
  private final StepScheduler scheduler;
  private final StepHandlers handlers;
  private final List<FakeCall> calls = new ArrayList<>();
  private int idleAfterDrain;
  private int idleAfterAbort;

  ScenarioRun(Scenario scenario, Orders orders) {
    this.scenario = scenario;
    this.scheduler = new StepScheduler(orders);
    this.handlers =
        new StepHandlers(
            MapStreamServer.builder((keys, datum, sink) -> {})
                .maxConcurrency(scenario.maxConcurrency())
                .errorPolicy(scenario.policy())
                .optionsIn(Map.of()),
            scheduler);
    scheduler.whenStarted(thread -> {
      if (!thread.getName().equals(StartQueue.STARTER)
          && !thread.isInterrupted()
          && calls.stream().allMatch(FakeCall::hasEnded)) {
        handlers.fault("a handler was started after the end without an interrupt");
      }
    });
  }

  void run() {
    try {
      scheduler.event(this::openAll);
      addEnding();
      scheduler.run();
      verifyDatums();
      verifyFailures();
      verifyEnds();
      verifyIdle();
      handlers.verifyNothingIsLeft();
    } catch (AssertionError e) {
      throw new AssertionError(e.getMessage() + "; " + scheduler, e);
    }
  }

  private void openAll() {
    for (int i = 0; i < scenario.streams(); i++) {
      calls.add(new FakeCall(new MapService(handlers.streams).definition(), scheduler));
    }
    for (int i = 0; i < scenario.datums().size(); i++) {
      callOf(i).send(handlers.datum((char) ('a' + i), scenario.datums().get(i)));
    }
  }

  private FakeCall callOf(int datum) {
    return calls.get(datum % scenario.streams());
  }

  private void addEnding() {
    for (Event event : scenario.ending()) {
      scheduler.event(() -> happens(event));
    }
    if (!endsBy(Event.DRAIN) && !endsBy(Event.ABORT)) {
      for (int i = 0; i < scenario.streams() - 1; i++) {
        int other = i;
        scheduler.event(() -> calls.get(other).halfClose());
      }
    }
  }

  private void happens(Event event) {
    FakeCall last = calls.get(scenario.streams() - 1);
    switch (event) {
      case HALF_CLOSE -> last.halfClose();
      case REFUSAL -> last.send(new Request.Handshake(true));
      case DRAIN -> handlers.streams.drain(this::idleAfterDrain);
      case CANCEL -> last.cancel();
      case ABORT -> handlers.streams.abort(this::idleAfterAbort, "aborted");
    }
  }

  private boolean endsBy(Event event) {
    return scenario.ending().contains(event);
  }

  private void idleAfterDrain() {
    idleAfterDrain++;
    calls.forEach(call -> check(call.hasEnded(), "idle with an open stream"));
  }

  private void idleAfterAbort() {
    idleAfterAbort++;
    calls.forEach(call -> check(call.hasEnded(), "idle with an open stream"));
    check(handlers.running() == 0, "idle with a running handler");
    check(reported() == thrown() || isAnsweredWithFail(), "idle with an unreported failure");
  }

  private boolean isAnsweredWithFail() {
    return scenario.policy() == ErrorPolicy.FAIL;
  }

  private int thrown() {
    return (int) handlers.handled.stream().filter(h -> h.outcome == Outcome.THREW).count();
  }

  private int reported() {
    return handlers.failures.size() + handlers.lateFailures.size();
  }

  private void verifyDatums() {
    for (int i = 0; i < handlers.handled.size(); i++) {
      verify(handlers.handled.get(i), callOf(i).transcript.of(handlers.handled.get(i).id));
    }
  }

  /**
   * Checks what was written of a datum: its results in order, and an EOT only after all of them.
   */
  private void verify(Handled handled, String written) {
    boolean answeredForIt =
        isAnsweredWithFail() && handled.outcome == Outcome.THREW && !handled.accepted.endsWith("!");
    String all = handled.accepted + (answeredForIt ? "!." : ".");
    check(all.startsWith(written), written + " was written of " + all);
    check(
        !written.endsWith(".") || handled.outcome == Outcome.RETURNED || all.endsWith("!."),
        "an EOT for a handler with outcome " + handled.outcome);
  }

  private boolean isAnswered(int datum) {
    return callOf(datum).transcript.of(handlers.handled.get(datum).id).endsWith(".");
  }

  /**
   * Checks that the first failure stops the server and is sent to its client, and that no other is
   * lost.
   */
  private void verifyFailures() {
    int first = handlers.failures.size();
    if (isAnsweredWithFail()) {
      check(first == 0, "a failure stops the server");
      return;
    }
    check(first <= 1, first + " failures stop the server");
    check(reported() == thrown(), thrown() + " were thrown, but reported " + reported());
    long notified = calls.stream().filter(call -> hasCode(call, Status.Code.INTERNAL)).count();
    check(notified == first, notified + " clients got a failure");
  }

  private static boolean hasCode(FakeCall call, Status.Code code) {
    return call.status() != null && call.status().getCode() == code;
  }

  private void verifyEnds() {
    for (FakeCall call : calls) {
      check(call.hasEnded(), "a call is still open");
      if (scenario.isPatient() && handlers.failures.isEmpty()) {
        Status.Code expected = endsBy(Event.DRAIN) ? Status.Code.UNAVAILABLE : Status.Code.OK;
        check(hasCode(call, expected), "ended with " + call.status());
      }
    }
    for (int i = 0; i < handlers.handled.size(); i++) {
      boolean called = handlers.handled.get(i).outcome != Outcome.NOT_CALLED;
      boolean patient = scenario.isPatient() && handlers.failures.isEmpty();
      check(!hasCode(callOf(i), Status.Code.OK) || isAnswered(i), "OK without an EOT");
      check(!patient || !called || isAnswered(i), "a handler that could end was cut off");
    }
  }

  private void verifyIdle() {
    check(!endsBy(Event.ABORT) || idleAfterAbort == 1, idleAfterAbort + " times idle");
    check(idleAfterDrain <= 1, idleAfterDrain + " times idle");
    check(!endsBy(Event.DRAIN) || endsBy(Event.ABORT) || idleAfterDrain == 1, "never idle");
  }
}
