package io.mapstream.testkit.page;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.MessageSink;
import io.mapstream.server.MapStreamServer;
import io.mapstream.testkit.HandlerFailedException;
import io.mapstream.testkit.MapStreamHarness;
import io.mapstream.testkit.Reply;
import io.mapstream.testkit.TestDatum;
import java.io.IOException;
import java.net.http.HttpClient;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Tests the patterns of docs/handlers.md, which PagesTest compares with this file. */
class HandlersPageTest {

  /** The service that the patterns call. */
  @FunctionalInterface
  interface Service {
    String call(String request) throws IOException, InterruptedException;
  }

  record Lookup(HttpClient client) implements MapStreamer {
    @Override
    public void handle(List<String> keys, Datum datum, MessageSink sink) {
      sink.emit(client.version().name());
    }
  }

  /** Only compiled; the server's tests run servers. */
  void clientOfAllDatums() throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      MapStreamServer.run(new Lookup(client));
    }
  }

  private static MapStreamer refusing(Service service) {
    return (keys, datum, sink) -> {
      try {
        sink.emit(service.call(datum.text()));
      } catch (IllegalArgumentException e) {
        sink.emit(Message.of(datum.value()).withTags("error"));
      }
    };
  }

  @Test
  void datumThatTheServiceRefusesGetsTheTag() {
    Service service =
        request -> {
          throw new IllegalArgumentException("refused");
        };
    try (var harness = MapStreamHarness.of(refusing(service))) {
      assertEquals(List.of(Message.of("a").withTags("error")), harness.process("a"));
    }
  }

  static final class Digests implements MapStreamer {

    private final BlockingQueue<MessageDigest> digests = new ArrayBlockingQueue<>(8);

    Digests(int size) throws NoSuchAlgorithmException {
      for (int i = 0; i < size; i++) {
        digests.add(MessageDigest.getInstance("SHA-256"));
      }
    }

    @Override
    public void handle(List<String> keys, Datum datum, MessageSink sink) throws Exception {
      MessageDigest digest = digests.take();
      try {
        sink.emit(digest.digest(datum.value()));
      } finally {
        digests.add(digest);
      }
    }
  }

  @Test
  void digestsAreSharedByMoreHandlersThanThereAreDigests() throws Exception {
    MessageDigest expected = MessageDigest.getInstance("SHA-256");
    try (var harness = MapStreamHarness.of(new Digests(2))) {
      List<Reply> replies = IntStream.range(0, 50).mapToObj(i -> harness.send("" + i)).toList();

      for (int i = 0; i < replies.size(); i++) {
        byte[] digest = expected.digest(("" + i).getBytes(java.nio.charset.StandardCharsets.UTF_8));
        assertArrayEquals(digest, replies.get(i).remaining().getFirst().value());
      }
    }
  }

  private static MapStreamer retrying(Service service, Duration pause) {
    return (keys, datum, sink) -> {
      for (int attempt = 1; ; attempt++) {
        try {
          sink.emit(service.call(datum.text()));
          return;
        } catch (IOException e) {
          if (attempt == 3) {
            throw e;
          }
          Thread.sleep(pause.multipliedBy(attempt));
        }
      }
    };
  }

  private static Service failing(int times) {
    AtomicInteger left = new AtomicInteger(times);
    return request -> {
      if (left.getAndDecrement() > 0) {
        throw new IOException("reset");
      }
      return request;
    };
  }

  @Test
  void twoFailuresAreRetriedAndAThirdIsThrown() {
    try (var harness = MapStreamHarness.of(retrying(failing(2), Duration.ZERO))) {
      assertEquals(List.of("a"), harness.process("a").texts());
    }
    try (var harness = MapStreamHarness.of(retrying(failing(3), Duration.ZERO))) {
      var failed = assertThrows(HandlerFailedException.class, () -> harness.process("a"));

      assertInstanceOf(IOException.class, failed.getCause());
    }
  }

  private static MapStreamer fanningOut(Service service) {
    return (keys, datum, sink) -> {
      List<Callable<Void>> calls = new ArrayList<>();
      for (String part : datum.text().split(",", -1)) {
        calls.add(() -> {
          sink.emit(service.call(part));
          return null;
        });
      }
      try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
        for (Future<Void> call : threads.invokeAll(calls)) {
          call.get(); // throws what the call has thrown
        }
      }
    };
  }

  @Test
  void callsOfAFanOutRunAtTheSameTime() {
    CountDownLatch all = new CountDownLatch(3);
    Service service =
        request -> {
          all.countDown();
          if (!all.await(30, TimeUnit.SECONDS)) {
            throw new IOException("the calls run one after the other");
          }
          return request;
        };
    try (var harness = MapStreamHarness.of(fanningOut(service))) {
      Set<String> results = harness.process("a,b,c").texts().stream().collect(Collectors.toSet());

      assertEquals(Set.of("a", "b", "c"), results);
    }
  }

  @Test
  void failureOfOneCallFailsTheHandler() {
    try (var harness = MapStreamHarness.of(fanningOut(failing(1)))) {
      var failed = assertThrows(HandlerFailedException.class, () -> harness.process("a"));

      assertInstanceOf(IOException.class, failed.getCause().getCause());
    }
  }

  @Test
  void cancelReachesTheCallsOfAFanOut() {
    CountDownLatch called = new CountDownLatch(2);
    CountDownLatch interrupted = new CountDownLatch(2);
    Service service =
        request -> {
          called.countDown();
          try {
            new CountDownLatch(1).await();
          } catch (InterruptedException e) {
            interrupted.countDown();
            throw e;
          }
          return request;
        };
    try (var harness = MapStreamHarness.of(fanningOut(service))) {
      Reply reply = harness.send("a,b");
      assertReached(called);

      reply.cancel();

      assertInstanceOf(InterruptedException.class, reply.failure().orElseThrow());
      assertReached(interrupted);
    }
  }

  private static void assertReached(CountDownLatch latch) {
    try {
      assertEquals(true, latch.await(30, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static void numbered(List<String> keys, Datum datum, MessageSink sink) {
    int number = 0;
    for (String word : datum.text().split(",", -1)) {
      sink.emit(Message.of(word).withKeys(datum.id() + "/" + number++));
    }
  }

  @Test
  void keysAreTheSameWhenADatumIsSentAgain() {
    Datum datum = TestDatum.builder().id("7").text("a,b").build();
    try (var harness = MapStreamHarness.of(HandlersPageTest::numbered)) {
      assertEquals(harness.process(datum), harness.process(datum));
    }
  }

  private static void following(BlockingQueue<String> lines, MessageSink sink) throws Exception {
    while (!sink.isStopping()) {
      String line = lines.poll(100, TimeUnit.MILLISECONDS);
      if (line != null) {
        sink.emit(line);
      }
    }
  }

  @Test
  void followingEndsWhenTheServerStops() throws Exception {
    BlockingQueue<String> lines = new LinkedBlockingQueue<>(List.of("first"));
    List<String> emitted = new ArrayList<>();
    AtomicBoolean stopping = new AtomicBoolean();
    MessageSink sink =
        new MessageSink() {
          @Override
          public void emit(Message message) {
            emitted.add(message.text());
            stopping.set(true);
          }

          @Override
          public boolean isStopping() {
            return stopping.get();
          }
        };

    following(lines, sink);

    assertEquals(List.of("first"), emitted);
    assertFalse(lines.contains("first"));
  }
}
