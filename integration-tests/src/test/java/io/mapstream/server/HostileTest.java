package io.mapstream.server;

import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Clients that misbehave, one after the other, against one server. */
class HostileTest {

  @RegisterExtension static final HostileServer server = new HostileServer();

  static Stream<HostileScenario> scenarios() {
    return Stream.of(
            HostileScenarios.prefaces(),
            HostileScenarios.frames(),
            HostileScenarios.headers(),
            HostileScenarios.messages(),
            HostileScenarios.compressed(),
            HostileScenarios.goodbyes())
        .flatMap(List::stream);
  }

  @ParameterizedTest
  @MethodSource("scenarios")
  void isAnsweredWithTheRightError(HostileScenario scenario) throws IOException {
    try (RawConnection connection = server.connect()) {
      scenario.sent().on(connection, server.handler());
      for (HostileScenario.Seen seen : scenario.seen()) {
        seen.on(connection, server.handler());
      }
    }
  }
}
