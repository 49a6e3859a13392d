package com.example;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mapstream.Message;
import io.mapstream.testkit.MapStreamTestServer;
import io.mapstream.testkit.TestDatum;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Tests the handler in a real server, over its Unix socket. */
class WordsServerTest {

  @Test
  void keepsTheKeys() throws Exception {
    try (var server = MapStreamTestServer.start(new Words())) {
      var reply = server.client().send(TestDatum.builder().keys("k").text("a,b").build());

      assertEquals(
          List.of(Message.of("a").withKeys("k"), Message.of("b").withKeys("k")),
          reply.remaining(Duration.ofSeconds(10)));
    }
  }
}
