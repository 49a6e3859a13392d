package io.mapstream.server.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mapstream.server.OpenServer;
import io.mapstream.server.ServerOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
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

  private final ScriptedHandler handler = new ScriptedHandler();
  private OpenServer server;

  @BeforeAll
  void start(@TempDir Path folder) throws IOException {
    server =
        OpenServer.start(
            handler,
            ServerOptions.builder()
                .socketPath(folder.resolve("hostile.sock"))
                .maxMessageSize(Scenarios.LIMIT)
                .build());
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
    try (RawConnection connection = new RawConnection(server.socket())) {
      scenario.sent().on(connection, handler);
      for (Scenario.Seen seen : scenario.seen()) {
        seen.on(connection, handler);
      }
    }
  }

  @AfterEach
  void nextClientIsServedInFull() {
    try (GrpcClient client = new GrpcClient(server.socket())) {
      GrpcClient.Stream stream = client.open();
      for (int i = 0; i < 10; i++) {
        stream.fan("next-" + i, 2, 50, 100);
      }
      stream.finish();
    }
    Await.until("no handler is left", handler.running()::isEmpty, () -> handler.running());
    Await.until("nothing is in work", () -> server.inWork() == 0, server::inWork);
    assertEquals(Set.of(), Set.copyOf(server.failures()));
  }

  @AfterAll
  void stop() throws Exception {
    server.close();
  }
}
