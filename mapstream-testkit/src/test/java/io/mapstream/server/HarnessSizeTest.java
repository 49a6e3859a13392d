package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.mapstream.Message;
import io.mapstream.MessageTooLargeException;
import io.mapstream.Metadata;
import io.mapstream.NackOptions;
import io.mapstream.testkit.HandlerFailedException;
import io.mapstream.testkit.MapStreamHarness;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The harness counts a message's size as the server does. In the server's package, since it asks
 * the server's own encoding.
 */
class HarnessSizeTest {

  static List<Message> messages() {
    Metadata metadata =
        Metadata.of(Map.of("group", Map.of("name", new byte[300], "other", new byte[0])));
    NackOptions options =
        NackOptions.builder()
            .reason("größer")
            .maxDeliveries(NackOptions.MAX_DELIVERIES_LIMIT)
            .delay(Duration.ofDays(3))
            .put("k", "v")
            .build();
    return List.of(
        Message.of(""),
        Message.of("a"),
        Message.of(new byte[127]),
        Message.of(new byte[128]),
        Message.of(new byte[1024]),
        Message.of(new byte[1025]),
        Message.of(new byte[3_000_000]),
        Message.of("ä").withKeys("k", "", "日本").withTags("t"),
        Message.of("a").withUserMetadata(metadata),
        Message.toDrop(),
        Message.toNack(options).withUserMetadata(metadata).withKeys("k"),
        Message.toNack(NackOptions.of("")),
        Message.toFail());
  }

  @ParameterizedTest
  @MethodSource("messages")
  void sizeOfARefusedMessageIsTheServers(Message message) {
    int size = WireMapping.encodeResult(message).size() + WireMapping.encodeId("1").length;
    var settings =
        MapStreamHarness.builder((keys, datum, sink) -> sink.emit(message)).maxMessageSize(1);
    try (var harness = settings.build()) {
      var failed = assertThrows(HandlerFailedException.class, () -> harness.process("a"));

      var refusal = assertInstanceOf(MessageTooLargeException.class, failed.getCause());
      assertEquals(size, refusal.size());
      assertEquals(1, refusal.limit());
    }
    try (var harness = settings.maxMessageSize(size).build()) {
      assertEquals(List.of(message), harness.process("a"));
    }
  }
}
