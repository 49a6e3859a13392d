package io.mapstream.server;

import static io.mapstream.server.Scenario.Event.ABORT;
import static io.mapstream.server.Scenario.Event.CANCEL;
import static io.mapstream.server.Scenario.Event.DRAIN;
import static io.mapstream.server.Scenario.Event.HALF_CLOSE;
import static io.mapstream.server.Scenario.Event.REFUSAL;
import static io.mapstream.server.Scenario.Step.AWAIT_INTERRUPT;
import static io.mapstream.server.Scenario.Step.EMIT_1;
import static io.mapstream.server.Scenario.Step.EMIT_2;
import static io.mapstream.server.Scenario.Step.EMIT_3;
import static io.mapstream.server.Scenario.Step.EMIT_FAIL_MARK;
import static io.mapstream.server.Scenario.Step.EMIT_WHEN_INTERRUPTED;
import static io.mapstream.server.Scenario.Step.THROW;

import io.mapstream.server.Scenario.Event;
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

  private static final Event[][] ENDINGS = {
    {HALF_CLOSE},
    {CANCEL},
    {REFUSAL},
    {DRAIN},
    {ABORT},
    {HALF_CLOSE, CANCEL},
    {HALF_CLOSE, ABORT},
    {DRAIN, CANCEL},
    {DRAIN, ABORT}
  };

  private static final List<Scenario> ALONE =
      List.of(
          Scenario.datum(),
          Scenario.datum(EMIT_1, EMIT_2),
          Scenario.datum(EMIT_1, EMIT_FAIL_MARK),
          Scenario.datum(EMIT_FAIL_MARK, THROW),
          Scenario.datum(EMIT_1, THROW),
          Scenario.datum(EMIT_1, AWAIT_INTERRUPT),
          Scenario.datum(EMIT_WHEN_INTERRUPTED));

  private static final List<Scenario> TOGETHER =
      List.of(
          Scenario.datum(EMIT_1).andDatum(EMIT_2),
          Scenario.datum(THROW).andDatum(THROW),
          Scenario.datum(AWAIT_INTERRUPT).andDatum(EMIT_1, THROW));

  private static final List<Scenario> WAITING_FOR_CAPACITY =
      List.of(
          Scenario.datum(EMIT_1).andDatum(EMIT_2).andDatum(EMIT_3).withMaxConcurrency(1),
          Scenario.datum(EMIT_1).andDatum(EMIT_2).onStreams(2).withMaxConcurrency(1));

  static Stream<Scenario> scenarios() {
    List<Scenario> all = new ArrayList<>();
    for (Event[] ending : ENDINGS) {
      for (ErrorPolicy policy : ErrorPolicy.values()) {
        ALONE.forEach(one -> all.add(one.under(policy).endsBy(ending)));
        if (ending.length == 1) {
          TOGETHER.forEach(two -> all.add(two.withMaxConcurrency(3).under(policy).endsBy(ending)));
        }
      }
      if (ending.length == 1 && ending[0] != REFUSAL) {
        WAITING_FOR_CAPACITY.forEach(scenario -> all.add(scenario.endsBy(ending)));
      }
    }
    return all.stream().filter(scenario -> !scenario.hangs() && !scenario.isTwin());
  }

  @ParameterizedTest
  @MethodSource("scenarios")
  void nothingIsLostOrHalfEnded(Scenario scenario) {
    boolean hasFewOrders = scenario.datums().size() == 1 && scenario.ending().size() == 1;
    scenario.explore(INTERRUPTIONS + (hasFewOrders ? 1 : 0));
  }
}
