package io.mapstream.server;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Clients that do what they should not, one after the other, against one server. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HostileTest {

  private HostileServer server;

  @BeforeAll
  void start(@TempDir Path folder) throws IOException {
    server = new HostileServer(folder);
  }

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

  @AfterEach
  void nextClientIsServedInFull() {
    server.verifyNextClientIsServedInFull();
  }

  @AfterAll
  void nothingIsLeft() throws IOException {
    server.closeAndVerifyNothingIsLeft();
  }
}
