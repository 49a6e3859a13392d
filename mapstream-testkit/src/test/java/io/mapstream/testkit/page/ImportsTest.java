package io.mapstream.testkit.page;

import static org.junit.jupiter.api.Assertions.*;

import io.mapstream.*;
import io.mapstream.testkit.*;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Checks that the imports in docs/testing.md are those that its examples need. */
class ImportsTest {

  @RegisterExtension
  final MapStreamHarnessExtension harness =
      MapStreamHarnessExtension.of((keys, datum, sink) -> sink.emit(datum.value()));

  @Test
  void areEnough() {
    Datum datum = TestDatum.builder().keys("k").text("a").build();
    List<Reply> replies = IntStream.range(0, 3).mapToObj(i -> harness.send(datum)).toList();

    for (Reply reply : replies) {
      Messages messages = reply.remaining();
      assertEquals(List.of(Message.of("a")), messages);
    }
  }
}
