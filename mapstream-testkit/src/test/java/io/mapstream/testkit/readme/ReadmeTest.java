package io.mapstream.testkit.readme;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.server.MapStreamServer;
import io.mapstream.testkit.MapStreamHarness;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The README's other examples, which PagesTest compares with this file and with Words. */
class ReadmeTest {

  private final MapStreamer handler =
      (keys, datum, sink) ->
          List.of(datum.text().split(",", -1)).forEach(s -> sink.emit(Message.of(s)));

  @Test
  void harness() {
    try (var harness = MapStreamHarness.of(handler)) {
      assertEquals(List.of("a", "b"), harness.process("a,b").texts());
    }
  }

  /** Only compiled; the server's tests run servers. */
  void run() throws Exception {
    MapStreamServer.builder(handler).maxConcurrency(50).numaflowVersion("1.8.3").build().run();
  }
}
