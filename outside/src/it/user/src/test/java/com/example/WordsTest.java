package com.example;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mapstream.testkit.MapStreamHarnessExtension;
import io.mapstream.testkit.MapStreamTestServer;
import io.mapstream.testkit.TestDatum;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class WordsTest {

  @RegisterExtension
  final MapStreamHarnessExtension harness = MapStreamHarnessExtension.of(new Words());

  @Test
  void splitsAtCommas() {
    assertEquals(List.of("a", "b"), harness.process("a,b").texts());
  }

  @Test
  void splitsAtCommasInARealServer() throws Exception {
    try (var server = MapStreamTestServer.start(new Words())) {
      var reply = server.client().send(TestDatum.of("a,b"));

      assertEquals(List.of("a", "b"), reply.await(Duration.ofSeconds(10)).texts());
    }
  }
}
