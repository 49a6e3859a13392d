package io.mapstream.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.Message;
import io.mapstream.Messages;
import io.mapstream.NackOptions;
import io.mapstream.testkit.HandlerFailedException;
import io.mapstream.testkit.MapStreamHarness;
import io.mapstream.testkit.MapStreamHarnessExtension;
import io.mapstream.testkit.MapStreamTestServer;
import io.mapstream.testkit.TestDatum;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class RetryingTest {

  private static final Duration LIMIT = Duration.ofSeconds(10);

  @RegisterExtension
  final MapStreamHarnessExtension harness =
      MapStreamHarnessExtension.of(new Retrying(Retrying::doAsToldBy));

  @Test
  void anAnswerIsEmitted() {
    assertEquals(List.of("HELLO"), harness.process("hello").texts());
  }

  @Test
  void aBusyServiceNacksTheDatumWithADelay() {
    NackOptions expected =
        NackOptions.builder()
            .reason("busy for 200 ms")
            .delay(Duration.ofMillis(200))
            .maxDeliveries(5)
            .build();

    assertEquals(List.of(Message.toNack(expected)), harness.process("busy 200"));
  }

  @Test
  void aHiccupFailsTheDatum() {
    assertEquals(List.of(Message.toFail()), harness.process("hiccup"));
  }

  @Test
  void aRefusedDatumIsNotDeliveredAgain() {
    assertNotDeliveredAgain("refused: \"refuse this\"", "refuse this");
    assertNotDeliveredAgain("\"busy\" takes milliseconds but was given \"bees\"", "busy bees");
    assertNotDeliveredAgain("\"busy\" takes milliseconds but was given \"\"", "busy");
  }

  private void assertNotDeliveredAgain(String reason, String text) {
    Message nack = harness.process(text).getFirst();

    assertTrue(nack.isNack());
    assertEquals(
        NackOptions.builder().reason(reason).maxDeliveries(1).build(),
        nack.nackOptions().orElseThrow());
  }

  @Test
  void aProgrammingErrorIsThrown() {
    var bug = new IllegalStateException("bug");
    var faulty =
        new Retrying(request -> {
          throw bug;
        });
    try (var other = MapStreamHarness.of(faulty)) {
      var failed = assertThrows(HandlerFailedException.class, () -> other.process("x"));
      assertSame(bug, failed.getCause());
    }
  }

  @Test
  void aFailedDatumDoesNotAffectTheOthers() throws Exception {
    try (var server = MapStreamTestServer.start(new Retrying(Retrying::doAsToldBy))) {
      Messages failed = server.client().send(TestDatum.of("hiccup")).remaining(LIMIT);
      Messages nacked = server.client().send(TestDatum.of("busy 1")).remaining(LIMIT);
      Messages answered = server.client().send(TestDatum.of("x")).remaining(LIMIT);

      assertTrue(failed.getFirst().isFail());
      assertEquals(
          Duration.ofMillis(1),
          nacked.getFirst().nackOptions().orElseThrow().delay().orElseThrow());
      assertEquals(List.of("X"), answered.texts());
    }
  }
}
