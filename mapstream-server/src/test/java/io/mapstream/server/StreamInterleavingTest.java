package io.mapstream.server;

import io.mapstream.server.ServerOptions.ErrorPolicy;
import io.mapstream.server.StreamScenario.Ending;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Handlers against the end of their stream: {@link MapService}, {@link MapStream}, {@link
 * InFlight}, {@link Admission}, {@link HandlerTask} and what they write through, in all {@link
 * Orders} of the steps that handlers, the event loop and the client do on a {@link Stage}. Each
 * pair of what handlers do and how the stream ends is a test.
 */
class StreamInterleavingTest {

  /** How often somebody is interrupted in what he does; once more where few have much to do. */
  private static final int INTERRUPTIONS =
      Integer.getInteger("mapstream.interleaving.interruptions", 1);

  private static final List<String> ALONE = List.of("", "12", "1!", "!x", "1x", "1~", "^");

  private static final List<List<String>> TOGETHER =
      List.of(List.of("1", "2"), List.of("x", "x"), List.of("~", "1x"));

  static Stream<StreamScenario> scenarios() {
    List<StreamScenario> all = new ArrayList<>();
    for (Ending ending : Ending.values()) {
      for (ErrorPolicy policy : ErrorPolicy.values()) {
        ALONE.forEach(one -> all.add(new StreamScenario(1, List.of(one), 2, policy, ending)));
        if (ending.isOneEvent()) {
          TOGETHER.forEach(two -> all.add(new StreamScenario(1, two, 3, policy, ending)));
        }
      }
      if (ending.isOneEvent() && ending != Ending.REFUSAL) {
        all.add(new StreamScenario(1, List.of("1", "2", "3"), 1, ErrorPolicy.STOP, ending));
        all.add(new StreamScenario(2, List.of("1", "2"), 1, ErrorPolicy.STOP, ending));
      }
    }
    return all.stream().filter(scenario -> !scenario.hangs() && !scenario.isTwin());
  }

  @ParameterizedTest
  @MethodSource("scenarios")
  void nothingIsLostOrHalfEnded(StreamScenario scenario) {
    explore(scenario);
  }

  static int explore(StreamScenario scenario) {
    boolean hasFewOrders = scenario.scripts().size() == 1 && scenario.ending().isOneEvent();
    return Orders.explore(
        INTERRUPTIONS + (hasFewOrders ? 1 : 0), orders -> new StreamPlay(scenario, orders).run());
  }
}
