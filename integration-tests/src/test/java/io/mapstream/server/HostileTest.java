package io.mapstream.server;

import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Clients that do what they should not, one after the other, against one server. */
class HostileTest {

  @RegisterExtension static final HostileServer server = new HostileServer();

  static Stream<Scenario> scenarios() {
    return Stream.of(
            Scenarios.prefaces(),
            Scenarios.frames(),
            Scenarios.headers(),
            Scenarios.messages(),
            Scenarios.compressed(),
            Scenarios.goodbyes())
        .flatMap(List::stream);
  }

  @ParameterizedTest
  @MethodSource("scenarios")
  void isAnsweredWithTheRightError(Scenario scenario) throws IOException {
    try (RawConnection connection = server.connect()) {
      scenario.sent().on(connection, server.handler());
      for (Scenario.Seen seen : scenario.seen()) {
        seen.on(connection, server.handler());
      }
    }
  }
}
