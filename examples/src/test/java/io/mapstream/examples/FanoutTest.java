package io.mapstream.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.Datum;
import io.mapstream.Message;
import io.mapstream.Messages;
import io.mapstream.testkit.MapStreamTestServer;
import io.mapstream.testkit.Reply;
import io.mapstream.testkit.StreamBrokenException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FanoutTest {

  private static final Duration LIMIT = Duration.ofSeconds(30);

  @ParameterizedTest
  @CsvSource({"0 4 0, 0, 4", "1 4 0, 1, 4", "300 1000 0, 300, 1000", "'3 8 1   ', 3, 8"})
  void answersWithTheRequestedNumberAndSizeOfMessages(String text, int count, int size)
      throws Exception {
    try (MapStreamTestServer server = MapStreamTestServer.start(new Fanout())) {
      Messages messages = server.client().send(datum(text)).remaining(LIMIT);

      assertEquals(count, messages.size());
      for (int index = 0; index < count; index++) {
        Message message = messages.get(index);
        assertEquals(size, message.value().length);
        assertEquals(index, ByteBuffer.wrap(message.value()).getInt());
        assertEquals(List.of("k1", "k2"), message.keys());
      }
    }
  }

  @Test
  void manyDatumsSleepConcurrently() throws Exception {
    int many = 500;
    try (MapStreamTestServer server = MapStreamTestServer.start(new Fanout())) {
      server.client().send(datum("1 4 0")).remaining(LIMIT);
      long start = System.nanoTime();
      List<Reply> replies = new ArrayList<>();
      for (int i = 0; i < many; i++) {
        replies.add(server.client().send(datum("1 4 1000")));
      }
      for (Reply reply : replies) {
        assertEquals(1, reply.remaining(LIMIT).size());
      }
      Duration took = Duration.ofNanos(System.nanoTime() - start);

      assertTrue(took.compareTo(Duration.ofSeconds(1)) >= 0, () -> "each sleeps; took " + took);
      assertTrue(
          took.compareTo(Duration.ofSeconds(20)) < 0, () -> "none waits for another; took " + took);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "3", "3 4", "3 3 0", "-1 4 0", "3 4 -1", "a 4 0", "3 4 0.5"})
  void saysWhatIsWrongWithADatum(String text) throws Exception {
    try (MapStreamTestServer server = MapStreamTestServer.start(new Fanout())) {
      Reply reply = server.client().send(datum(text));

      var broken = assertThrows(StreamBrokenException.class, () -> reply.remaining(LIMIT));

      String message = broken.status().message();
      assertTrue(message.contains("in the datum \"" + text + "\""), message);
      assertTrue(message.contains("must be a number of at least"), message);
      server.awaitFailure(LIMIT);
    }
  }

  private static Datum datum(String text) {
    return Datum.builder()
        .keys("k1", "k2")
        .text(text)
        .eventTime(Instant.EPOCH)
        .watermark(Instant.EPOCH)
        .build();
  }
}
