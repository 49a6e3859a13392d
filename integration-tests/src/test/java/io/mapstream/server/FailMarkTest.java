package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.Message;
import io.mapstream.SinkClosedException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** A result with the fail mark is the last one of its datum, whatever the handler does next. */
@ParameterizedClass
@EnumSource(InternalSocketKind.class)
class FailMarkTest {

  private static final List<String> FAIL = List.of(Message.FAIL_TAG);

  @AutoClose private final TestServer server;

  FailMarkTest(InternalSocketKind kind) {
    server = new TestServer(kind);
  }

  private static void assertFailed(Call.Received received, String... before) {
    var results = received.results();
    assertEquals(List.of(before), received.texts().subList(0, results.size() - 1));
    assertEquals(FAIL, results.get(results.size() - 1).getTagsList());
    assertEquals(1, received.eots());
  }

  @Test
  void eotIsSentWithTheMarkWhileTheHandlerStillRuns() throws Exception {
    CountDownLatch seen = new CountDownLatch(1);
    server.start((keys, datum, sink) -> {
      sink.emit(Message.of("before"));
      sink.emit(Message.toFail());
      Waits.await(seen);
    });
    Call call = server.open().send("1", "");
    assertFailed(call.answer("1"), "before");
    seen.countDown();
    call.completes();

    assertFailed(call.received("1"), "before");
  }

  @Test
  void emitAfterTheMarkIsRefused() throws Exception {
    CompletableFuture<SinkClosedException> refused = new CompletableFuture<>();
    server.start((keys, datum, sink) -> {
      sink.emit(Message.toFail());
      refused.complete(
          assertThrows(SinkClosedException.class, () -> sink.emit(Message.of("late"))));
      assertThrows(SinkClosedException.class, () -> sink.emit(Message.toFail()));
    });
    Call call = server.open().send("1", "");
    call.completes();

    assertTrue(Waits.get(refused).getMessage().contains("fail mark"));
    assertFailed(call.received("1"));
  }

  /** The platform resends a failed datum immediately, under the same id. */
  @Test
  void theIdCanBeUsedAgainWhileTheFailedHandlerStillRuns() throws Exception {
    CountDownLatch answered = new CountDownLatch(1);
    server.start((keys, datum, sink) -> {
      if (datum.text().equals("retry")) {
        sink.emit(Message.of("done"));
        return;
      }
      sink.emit(Message.toFail());
      Waits.await(answered);
    });
    Call call = server.open().send("1", "");
    call.answer("1");
    call.send("1", "retry").answer("1");
    answered.countDown();
    call.completes();

    assertEquals(List.of("", "done"), call.received("1").texts());
    assertEquals(2, call.received("1").eots());
  }

  @Test
  void exceptionAfterTheMarkAddsNoSecondEot() throws Exception {
    CountDownLatch seen = new CountDownLatch(1);
    server
        .with(options -> options.errorPolicy(ServerOptions.ErrorPolicy.FAIL))
        .start((keys, datum, sink) -> {
          sink.emit(Message.toFail());
          Waits.await(seen);
          throw new IllegalStateException("after the mark");
        });
    Call call = server.open().send("1", "");
    assertFailed(call.answer("1"));
    seen.countDown();
    call.completes();

    assertFailed(call.received("1"));
  }
}
