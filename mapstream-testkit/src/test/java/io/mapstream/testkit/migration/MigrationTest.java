package io.mapstream.testkit.migration;

import static io.mapstream.server.ServerOptions.ErrorPolicy.FAIL;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.Metadata;
import io.mapstream.NackOptions;
import io.mapstream.server.MapStreamServer;
import io.mapstream.testkit.MapStreamHarness;
import io.mapstream.testkit.TestDatum;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The examples of docs/migration.md, which PagesTest compares with this file and with Words. */
class MigrationTest {

  @Test
  void splitsDropsAndTags() {
    try (var harness = MapStreamHarness.of(new Words())) {
      Datum datum = TestDatum.builder().keys("k").text("a,b").build();

      assertEquals(
          List.of(
              Message.of("a").withKeys("k").withTags("word"),
              Message.of("b").withKeys("k").withTags("word")),
          harness.process(datum));
      assertEquals(List.of(Message.toDrop()), harness.process(" "));
    }
  }

  @Test
  void serverOptions() {
    MapStreamServer server =
        MapStreamServer.builder(new Words())
            .socketPath(Path.of("/tmp/words.sock"))
            .serverInfoFile(Path.of("/tmp/words-info"))
            .maxMessageSize(16 * 1024 * 1024)
            .build();

    assertEquals(Path.of("/tmp/words.sock"), server.options().socketPath());
    assertEquals(16 * 1024 * 1024, server.options().maxMessageSize());
  }

  @Test
  void errorPolicy() {
    MapStreamServer server = MapStreamServer.builder(new Words()).errorPolicy(FAIL).build();

    assertEquals(FAIL, server.options().errorPolicy());
  }

  @Test
  void marks() {
    MapStreamer marking =
        (keys, datum, sink) -> {
          switch (datum.text()) {
            case "drop" -> sink.emit(Message.toDrop());
            case "nack" ->
                sink.emit(
                    Message.toNack(
                        NackOptions.builder()
                            .delay(Duration.ofMillis(500))
                            .maxDeliveries(3)
                            .reason("busy")
                            .build()));
            default -> sink.emit(Message.toFail()); // the last: what follows it is refused
          }
        };
    try (var harness = MapStreamHarness.of(marking)) {
      assertEquals(List.of(Message.toDrop()), harness.process("drop"));
      assertEquals(
          "busy",
          harness.process("nack").get(0).nackOptions().orElseThrow().reason().orElseThrow());
      assertTrue(harness.process("else").getLast().isFail());
    }
  }

  @Test
  void headersAndMetadata() {
    MapStreamer enriching =
        (keys, datum, sink) -> {
          String source = datum.headers().getOrDefault("source", "");
          Metadata own = datum.userMetadata().with("audit", "source", source);
          sink.emit(Message.of(datum.value()).withUserMetadata(own));
        };
    try (var harness = MapStreamHarness.of(enriching)) {
      Datum datum = TestDatum.builder().text("a").header("source", "file").build();

      assertEquals(
          "file",
          harness.process(datum).get(0).userMetadata().text("audit", "source").orElseThrow());
    }
  }

  @Test
  void lambda() {
    MapStreamer words =
        (keys, datum, sink) -> {
          for (String word : datum.text().split(",", -1)) {
            sink.emit(word);
          }
        };
    try (var harness = MapStreamHarness.of(words)) {
      assertEquals(List.of("a", "b"), harness.process("a,b").texts());
    }
  }
}
