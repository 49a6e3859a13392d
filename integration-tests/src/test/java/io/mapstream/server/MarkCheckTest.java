package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.mapstream.Message;
import io.mapstream.UnsupportedMarkException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Messages with a mark, on releases that know the mark and on those that don't. */
class MarkCheckTest {

  @AutoClose private final TestServer server = new TestServer();

  private static Message marked(String mark) {
    return switch (mark) {
      case "drop" -> Message.toDrop();
      case "nack" -> Message.toNack().withTags("other");
      case "fail" -> Message.toFail();
      default -> Message.of("no mark");
    };
  }

  @ParameterizedTest
  @CsvSource({"1.8.1, nack", "1.8.3, fail", "1.4.0, fail"})
  void markThatTheReleaseDoesNotKnowIsRefusedAndTheSinkStaysOpen(String version, String mark)
      throws Exception {
    CompletableFuture<UnsupportedMarkException> refused = new CompletableFuture<>();
    server
        .with(options -> options.numaflowVersion(version))
        .start((keys, datum, sink) -> {
          refused.complete(
              assertThrows(UnsupportedMarkException.class, () -> sink.emit(marked(mark))));
          sink.emit(Message.of("after"));
        });
    Call call = server.open().send("1", "");

    assertEquals(List.of("after"), call.answer("1").texts());
    assertEquals(mark, Waits.get(refused).mark());
    assertEquals(version, Waits.get(refused).numaflowVersion());
    call.completes();
  }

  @ParameterizedTest
  @CsvSource({"1.4.0, drop", "1.4.0, none", "1.8.2, nack", "1.8.3, nack", "1.8.4, fail"})
  void markThatTheReleaseKnowsPasses(String version, String mark) throws Exception {
    server
        .with(options -> options.numaflowVersion(version))
        .start((keys, datum, sink) -> sink.emit(marked(mark)));
    Call call = server.open().send("1", "");

    assertEquals(marked(mark).tags(), call.answer("1").results().get(0).getTagsList());
  }

  @Test
  void everyMarkPassesWhereTheReleaseIsNotKnown() throws Exception {
    server.start((keys, datum, sink) -> sink.emit(marked(datum.text())));
    Call call = server.open();
    for (String mark : List.of("drop", "nack", "fail")) {
      call.send(mark, mark);

      assertEquals(marked(mark).tags(), call.answer(mark).results().get(0).getTagsList());
    }
  }
}
