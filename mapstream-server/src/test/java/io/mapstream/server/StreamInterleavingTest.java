package io.mapstream.server;

import static io.mapstream.server.Scenario.Step.awaitInterrupt;
import static io.mapstream.server.Scenario.Step.emit;
import static io.mapstream.server.Scenario.Step.emitFailMark;
import static io.mapstream.server.Scenario.Step.emitWhenInterrupted;
import static io.mapstream.server.Scenario.Step.fail;

import io.mapstream.server.Scenario.Ending;
import io.mapstream.server.ServerOptions.ErrorPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Handlers against the end of their stream: {@link StreamRegistry}, {@link MapStream}, {@link
 * InFlight}, {@link Admission}, {@link HandlerTask}, {@link Failures} and the classes through which
 * they write, in all {@link Orders} of the steps of handlers, event loop and client on a {@link
 * StepScheduler}. Each pair of handler steps and stream ending is a test.
 */
@Tag("slow")
class StreamInterleavingTest {

  /** The largest number of interruptions; one more in scenarios with few orders. */
  private static final int INTERRUPTIONS =
      Integer.getInteger("mapstream.interleaving.interruptions", 1);

  private static final List<Scenario> ALONE =
      List.of(
          Scenario.datum(),
          Scenario.datum(emit('1'), emit('2')),
          Scenario.datum(emit('1'), emitFailMark()),
          Scenario.datum(emitFailMark(), fail()),
          Scenario.datum(emit('1'), fail()),
          Scenario.datum(emit('1'), awaitInterrupt()),
          Scenario.datum(emitWhenInterrupted()));

  private static final List<Scenario> TOGETHER =
      List.of(
          Scenario.datum(emit('1')).andDatum(emit('2')),
          Scenario.datum(fail()).andDatum(fail()),
          Scenario.datum(awaitInterrupt()).andDatum(emit('1'), fail()));

  private static final List<Scenario> WAITING_FOR_CAPACITY =
      List.of(
          Scenario.datum(emit('1')).andDatum(emit('2')).andDatum(emit('3')).withMaxConcurrency(1),
          Scenario.datum(emit('1')).andDatum(emit('2')).onStreams(2).withMaxConcurrency(1));

  static Stream<Scenario> scenarios() {
    List<Scenario> all = new ArrayList<>();
    for (Ending ending : Ending.values()) {
      for (ErrorPolicy policy : ErrorPolicy.values()) {
        ALONE.forEach(one -> all.add(one.under(policy).endsBy(ending)));
        if (ending.isOneEvent()) {
          TOGETHER.forEach(two -> all.add(two.withMaxConcurrency(3).under(policy).endsBy(ending)));
        }
      }
      if (ending.isOneEvent() && ending != Ending.REFUSAL) {
        WAITING_FOR_CAPACITY.forEach(scenario -> all.add(scenario.endsBy(ending)));
      }
    }
    return all.stream().filter(scenario -> !scenario.hangs() && !scenario.isTwin());
  }

  @ParameterizedTest
  @MethodSource("scenarios")
  void nothingIsLostOrHalfEnded(Scenario scenario) {
    boolean hasFewOrders = scenario.datums().size() == 1 && scenario.ending().isOneEvent();
    scenario.explore(INTERRUPTIONS + (hasFewOrders ? 1 : 0));
  }
}
