package io.mapstream.server;

import static io.mapstream.server.Schedules.check;

import io.grpc.Status;
import io.mapstream.server.PlayedService.Handled;
import io.mapstream.server.PlayedService.Outcome;
import io.mapstream.server.ServerOptions.ErrorPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A scenario, played once and then looked at: nothing may be lost, doubled or half-ended. */
final class StreamPlay {

  private final StreamScenario scenario;
  private final StreamScenario.Ending ending;
  private final Stage stage;
  private final PlayedService played;
  private final List<PlayedCall> calls = new ArrayList<>();
  private int quietAfterDrain;
  private int quietAfterAbort;

  StreamPlay(StreamScenario scenario, Orders orders) {
    this.scenario = scenario;
    this.ending = scenario.ending();
    this.stage = new Stage(orders);
    this.played =
        new PlayedService(
            ServerOptions.builder()
                .maxConcurrency(scenario.places())
                .errorPolicy(scenario.policy())
                .build(Map.of()),
            stage);
    stage.whenStarted(() -> {
      if (calls.stream().allMatch(PlayedCall::hasEnded)) {
        played.fault("a handler was started after the end");
      }
    });
  }

  void run() {
    try {
      stage.event(this::openAll);
      theEnd();
      stage.run();
      verifyDatums();
      verifyFailures();
      verifyEnds();
      verifyQuiet();
      played.verifyNothingIsLeft();
    } catch (AssertionError e) {
      throw new AssertionError(e.getMessage() + "; " + stage, e);
    }
  }

  private void openAll() {
    for (int i = 0; i < scenario.streams(); i++) {
      calls.add(new PlayedCall(played.service.bind(), stage));
    }
    for (int i = 0; i < scenario.scripts().size(); i++) {
      callOf(i).send(played.datum((char) ('a' + i), scenario.scripts().get(i)));
    }
  }

  private PlayedCall callOf(int datum) {
    return calls.get(datum % scenario.streams());
  }

  private PlayedCall last() {
    return calls.get(scenario.streams() - 1);
  }

  private void theEnd() {
    if (ending.halfCloses()) {
      stage.event(() -> last().halfClose());
    }
    if (ending.drains()) {
      stage.event(() -> played.service.drain(this::quietAfterDrain));
    }
    if (ending.refuses()) {
      stage.event(() -> last().send(new Request.Handshake(true)));
    }
    if (ending.cancels()) {
      stage.event(() -> last().cancel());
    }
    if (ending.aborts()) {
      stage.event(() -> played.service.abort(this::quietAfterAbort, "played"));
    }
    if (!ending.drains() && !ending.aborts()) {
      for (int i = 0; i < scenario.streams() - 1; i++) {
        int other = i;
        stage.event(() -> calls.get(other).halfClose());
      }
    }
  }

  private void quietAfterDrain() {
    quietAfterDrain++;
    calls.forEach(call -> check(call.hasEnded(), "quiet with an open stream"));
  }

  private void quietAfterAbort() {
    quietAfterAbort++;
    calls.forEach(call -> check(call.hasEnded(), "quiet with an open stream"));
    check(played.running() == 0, "quiet with a handler that runs");
    check(reported() == thrown() || isAnsweredWithFail(), "quiet with a failure not yet told");
  }

  private boolean isAnsweredWithFail() {
    return scenario.policy() == ErrorPolicy.FAIL;
  }

  private int thrown() {
    return (int) played.handled.stream().filter(h -> h.outcome == Outcome.THREW).count();
  }

  private int reported() {
    return played.failures.size() + played.lateFailures.size();
  }

  private void verifyDatums() {
    for (int i = 0; i < played.handled.size(); i++) {
      verify(played.handled.get(i), callOf(i).transcript.of(played.handled.get(i).id));
    }
  }

  /** What was written of a datum: its results in order, and an EOT only after all of them. */
  private void verify(Handled handled, String written) {
    boolean answeredForIt =
        isAnsweredWithFail() && handled.outcome == Outcome.THREW && !handled.accepted.endsWith("!");
    String all = handled.accepted + (answeredForIt ? "!." : ".");
    check(all.startsWith(written), written + " was written of " + all);
    check(
        !written.endsWith(".") || handled.outcome == Outcome.RETURNED || all.endsWith("!."),
        "an EOT of a handler that " + handled.outcome);
  }

  private boolean isAnswered(int datum) {
    return callOf(datum).transcript.of(played.handled.get(datum).id).endsWith(".");
  }

  /** The first failure stops the server and is what its client sees; no other is lost. */
  private void verifyFailures() {
    int first = played.failures.size();
    if (isAnsweredWithFail()) {
      check(first == 0, "a failure stops the server");
      return;
    }
    check(first <= 1, first + " failures stop the server");
    check(reported() == thrown(), thrown() + " were thrown, but told " + reported());
    long told = calls.stream().filter(call -> hasCode(call, Status.Code.INTERNAL)).count();
    check(told == first, told + " clients see a failure");
  }

  private static boolean hasCode(PlayedCall call, Status.Code code) {
    return call.status() != null && call.status().getCode() == code;
  }

  private void verifyEnds() {
    for (PlayedCall call : calls) {
      check(call.hasEnded(), "a call is open");
      if (ending.isPatient() && played.failures.isEmpty()) {
        Status.Code expected = ending.drains() ? Status.Code.UNAVAILABLE : Status.Code.OK;
        check(hasCode(call, expected), "ended with " + call.status());
      }
    }
    for (int i = 0; i < played.handled.size(); i++) {
      boolean called = played.handled.get(i).outcome != Outcome.NOT_CALLED;
      boolean patient = ending.isPatient() && played.failures.isEmpty();
      check(!hasCode(callOf(i), Status.Code.OK) || isAnswered(i), "OK without an EOT");
      check(!patient || !called || isAnswered(i), "a handler was cut off that could end");
    }
  }

  private void verifyQuiet() {
    check(!ending.aborts() || quietAfterAbort == 1, quietAfterAbort + " times quiet");
    check(quietAfterDrain <= 1, quietAfterDrain + " times quiet");
    check(!ending.drains() || ending.aborts() || quietAfterDrain == 1, "not quiet after all");
  }
}
