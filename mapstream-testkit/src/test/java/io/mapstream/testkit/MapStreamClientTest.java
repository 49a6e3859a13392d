package io.mapstream.testkit;

import static io.mapstream.testkit.MapStreamHarnessTest.assertRefused;
import static io.mapstream.testkit.ProtocolFaultTest.assertContains;
import static io.mapstream.testkit.Testing.LIMIT;
import static io.mapstream.testkit.Testing.datum;
import static io.mapstream.testkit.Testing.until;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.Messages;
import io.mapstream.Metadata;
import io.mapstream.NackOptions;
import io.mapstream.server.InternalSocketKind;
import io.mapstream.server.MapStreamServer;
import io.mapstream.server.MapStreamServerBuilder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MapStreamClientTest {

  private static final MapStreamer SPLIT =
      (keys, datum, sink) -> {
        for (String word : datum.text().split(",", -1)) {
          sink.emit(Message.of(word).withKeys(keys));
        }
      };

  @ParameterizedTest
  @EnumSource
  void messagesArriveInOrderOverEitherKindOfSocket(InternalSocketKind kind) throws Exception {
    try (var server = MapStreamTestServer.start(SPLIT);
        var client = server.connect(options -> options.kind(kind))) {
      assertEquals(List.of("a", "b", ""), client.send(datum("a,b,")).remaining(LIMIT).texts());
      client.stream().complete(LIMIT);
    }
  }

  @Test
  void firstMessageArrivesBeforeTheHandlerReturns() throws Exception {
    CountDownLatch read = new CountDownLatch(1);
    try (var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          sink.emit(Message.of("first"));
          Testing.await(read, "the first message to be read");
          sink.emit(Message.of("second"));
        })) {
      Reply reply = server.client().send(datum(""));

      assertEquals("first", reply.next(LIMIT).text());
      assertFalse(reply.hasEnded());
      read.countDown();
      assertEquals(List.of("second"), reply.remaining(LIMIT).texts());
      assertTrue(reply.hasEnded());
      assertEquals(2, reply.arrived());
    }
  }

  @Test
  void hasNextDistinguishesTheEndFromAMessage() throws Exception {
    try (var server = MapStreamTestServer.start(SPLIT)) {
      Reply reply = server.client().send(datum("a,b"));
      List<String> words = new ArrayList<>();
      while (reply.hasNext(LIMIT)) {
        words.add(reply.next(LIMIT).text());
      }
      assertEquals(List.of("a", "b"), words);

      var past = assertThrows(AssertionError.class, () -> reply.next(LIMIT));
      assertContains("no further message: datum \"1\" had 2 messages", past.getMessage());
    }
  }

  @Test
  void manyDatumsInFlightGetTheirOwnResults() throws Exception {
    int many = 500;
    CountDownLatch allStarted = new CountDownLatch(many);
    try (var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          allStarted.countDown();
          Testing.await(allStarted, "all handlers to start");
          SPLIT.handle(keys, datum, sink);
        })) {
      List<Reply> replies = new ArrayList<>();
      for (int i = 0; i < many; i++) {
        replies.add(server.client().send(datum(i + ",x," + i)));
      }
      for (int i = 0; i < many; i++) {
        String number = Integer.toString(i);
        assertEquals(List.of(number, "x", number), replies.get(i).remaining(LIMIT).texts());
      }
      assertEquals(Map.of(), server.client().stream().unanswered());
    }
  }

  @Test
  void everyFieldOfADatumReachesTheHandler() throws Exception {
    Datum sent =
        Datum.builder()
            .keys("k1", "")
            .value(new byte[] {0, -1, 7})
            .eventTime(Instant.parse("1969-12-31T23:59:59.5Z"))
            .watermark(Instant.parse("2026-01-02T03:04:05.000000001Z"))
            .header("h", "v")
            .userMetadata(Metadata.empty().with("g", "k", new byte[] {1}))
            .systemMetadata(Metadata.empty().with("s", "k", new byte[] {2}))
            .build();
    AtomicReference<Datum> received = new AtomicReference<>();
    try (var server = MapStreamTestServer.start((keys, datum, sink) -> received.set(datum))) {
      assertEquals(Messages.empty(), server.client().send(sent).remaining(LIMIT));
    }
    assertEquals(sent, received.get());
  }

  @ParameterizedTest
  @EnumSource
  void aTraceContextReachesTheHandlerOverEitherKindOfSocket(InternalSocketKind kind)
      throws Exception {
    Map<String, String> context =
        Map.of(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "tracestate",
            "vendor=opaque");
    LinkedBlockingQueue<Map<String, String>> received = new LinkedBlockingQueue<>();
    try (var server =
            MapStreamTestServer.start((keys, datum, sink) -> received.add(datum.traceContext()));
        var client = server.connect(options -> options.kind(kind))) {
      client.send(TestDatum.builder().traceContext(context).build()).remaining(LIMIT);
      client.send(TestDatum.of("no trace")).remaining(LIMIT);
    }
    assertEquals(List.of(context, Map.of()), List.copyOf(received));
  }

  @Test
  void everyFieldAndMarkOfAMessageIsVisible() throws Exception {
    List<Message> emitted =
        List.of(
            new Message(new byte[] {-1}, List.of("k", ""), List.of("t")),
            Message.of("m").withUserMetadata(Metadata.empty().with("g", "k", new byte[] {3})),
            Message.of(""),
            Message.toDrop(),
            Message.toNack(),
            Message.toNack(
                    NackOptions.builder()
                        .reason("later")
                        .maxDeliveries(NackOptions.MAX_DELIVERIES_LIMIT)
                        .delay(Duration.ofMillis(1))
                        .put("a", "b")
                        .build())
                .withKeys("k")
                .withTags("t"),
            Message.toFail());
    try (var server = MapStreamTestServer.start((keys, datum, sink) -> sink.emitAll(emitted))) {
      Messages arrived = server.client().send(datum("")).remaining(LIMIT);

      assertEquals(emitted, arrived);
      assertTrue(arrived.get(3).isDrop());
      assertTrue(arrived.get(5).isNack());
      assertEquals("later", arrived.get(5).nackOptions().orElseThrow().reason().orElseThrow());
      assertTrue(arrived.get(6).isFail());
    }
  }

  @Test
  void anIdCanBeUsedAgainAfterItsEnd() throws Exception {
    try (var server = MapStreamTestServer.start(SPLIT)) {
      assertEquals(List.of("a"), server.client().send("id", datum("a")).remaining(LIMIT).texts());
      assertEquals(List.of("b"), server.client().send("id", datum("b")).remaining(LIMIT).texts());
    }
  }

  @Test
  void anIdCanBeUsedAgainWhileItIsOpen() throws Exception {
    CountDownLatch bothStarted = new CountDownLatch(2);
    Semaphore turn = new Semaphore(0);
    try (var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          bothStarted.countDown();
          turn.acquire();
          sink.emit(Message.of("x"));
        })) {
      Reply first = server.client().send("id", datum("1"));
      Reply retry = server.client().send("id", datum("2"));
      Testing.await(bothStarted, "both handlers to start");
      assertEquals(1, server.client().stream().unanswered().size());

      turn.release();
      assertEquals(List.of("x"), first.remaining(LIMIT).texts());
      assertFalse(retry.hasEnded());
      turn.release();
      assertEquals(List.of("x"), retry.remaining(LIMIT).texts());
    }
  }

  @Test
  void anEmptyIdIsRefused() throws Exception {
    try (var server = MapStreamTestServer.start(SPLIT)) {
      var client = server.client();
      assertThrows(IllegalArgumentException.class, () -> client.send("", datum("a")));
    }
  }

  @Test
  void streamsHaveSeparateIds() throws Exception {
    try (var server = MapStreamTestServer.start(SPLIT);
        ClientStream one = server.client().openStream();
        ClientStream other = server.client().openStream()) {
      Reply fromOne = one.send("id", datum("a"));
      Reply fromOther = other.send("id", datum("b"));

      assertEquals(List.of("a"), fromOne.remaining(LIMIT).texts());
      assertEquals(List.of("b"), fromOther.remaining(LIMIT).texts());
      one.complete(LIMIT);
      assertEquals(List.of("c"), other.send(datum("c")).remaining(LIMIT).texts());
    }
  }

  @Test
  void aPausedStreamReadsAsManyResponsesAsRequested() throws Exception {
    try (var server = MapStreamTestServer.start(SPLIT)) {
      ClientStream stream = server.client().openPausedStream();
      Reply reply = stream.send(datum("a"));

      stream.read(1);
      assertEquals("a", reply.next(LIMIT).text());
      // A reply on another stream of the connection shows that the rest has arrived, but is unread.
      server.client().send(datum("b")).remaining(LIMIT);
      assertFalse(reply.hasEnded());
      var late = assertThrows(WaitTimeoutError.class, () -> reply.remaining(Duration.ofMillis(1)));
      assertContains("reading paused", late.getMessage());

      stream.read(1);
      assertEquals(Messages.empty(), reply.remaining(LIMIT));
    }
  }

  @Test
  void readIsRefusedUnlessReadingIsPaused() throws Exception {
    try (var server = MapStreamTestServer.start(SPLIT)) {
      ClientStream stream = server.client().stream();
      assertThrows(IllegalStateException.class, () -> stream.read(1));
    }
  }

  @Test
  void pausedReadingStopsTheHandlerAndResumedReadingLosesNothing() throws Exception {
    int results = 20_000;
    AtomicReference<Thread> handler = new AtomicReference<>();
    AtomicInteger emitted = new AtomicInteger();
    try (var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          handler.set(Thread.currentThread());
          for (int i = 0; i < results; i++) {
            sink.emit(new Message(new byte[1000], List.of(Integer.toString(i)), null));
            emitted.incrementAndGet();
          }
        })) {
      ClientStream stream = server.client().openPausedStream();
      Reply reply = stream.send(datum(""));

      until(
          () -> handler.get() != null && handler.get().getState() == Thread.State.WAITING,
          "the handler to wait in emit");
      assertTrue(emitted.get() < results, "the buffers are smaller than what is emitted");
      assertEquals(0, reply.arrived());

      stream.resumeReading();
      Messages all = reply.remaining(LIMIT);
      assertEquals(results, all.size());
      for (int i = 0; i < results; i++) {
        assertEquals(List.of(Integer.toString(i)), all.get(i).keys());
      }
    }
  }

  @Test
  void aReadOfLessThanOneIsRefused() throws Exception {
    try (var server = MapStreamTestServer.start((keys, datum, sink) -> {})) {
      ClientStream stream = server.client().openPausedStream();

      var refused = assertThrows(IllegalArgumentException.class, () -> stream.read(0));
      assertEquals("responses must be at least 1 but was 0", refused.getMessage());
    }
  }

  @Test
  void aPausedStreamReceivesNoMoreThanRequestedHoweverOftenItWasResumed() throws Exception {
    int results = 10 * ClientStream.READ_AHEAD;
    try (var server =
            new ScriptedServer(
                ScriptedServer.afterHandshake((request, client) -> {
                  for (int i = 0; i < results; i++) {
                    client.onNext(ScriptedServer.results(request.getId(), 1).build());
                  }
                  client.onNext(ScriptedServer.eot(request.getId()).build());
                }));
        var client = MapStreamClient.connect(server.socketPath())) {
      ClientStream stream = client.openStream();
      for (int i = 0; i < 20; i++) {
        stream.pauseReading();
        stream.resumeReading();
      }
      stream.pauseReading();
      Reply reply = stream.send(datum(""));
      until(() -> reply.arrived() == ClientStream.READ_AHEAD, "the requested responses");
      // On the same connection, this reply arrives after all that remains unread.
      client.send(datum("")).remaining(LIMIT);
      assertEquals(ClientStream.READ_AHEAD, reply.arrived());

      stream.resumeReading();
      assertEquals(results, reply.remaining(LIMIT).size());
    }
  }

  @Test
  void cancelInterruptsTheHandlerAndEndsTheWaits() throws Exception {
    CountDownLatch started = new CountDownLatch(1);
    CountDownLatch interrupted = new CountDownLatch(1);
    try (var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          started.countDown();
          try {
            new CountDownLatch(1).await();
          } catch (InterruptedException e) {
            interrupted.countDown();
          }
        })) {
      Reply reply = server.client().send(datum(""));
      Testing.await(started, "the handler to start");
      reply.stream().cancel();

      var broken = assertThrows(StreamBrokenException.class, () -> reply.remaining(LIMIT));
      assertEquals("CANCELLED", broken.status().code());
      Testing.await(interrupted, "the handler to be interrupted");
      assertThrows(StreamBrokenException.class, () -> reply.stream().send(datum("")));
      assertEquals("CANCELLED", reply.stream().awaitEnd(LIMIT).code());
    }
  }

  @Test
  void completeWaitsForOpenDatums() throws Exception {
    CountDownLatch finish = new CountDownLatch(1);
    try (var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          Testing.await(finish, "permission to finish");
          sink.emit(Message.of("late"));
        })) {
      Reply reply = server.client().send(datum(""));
      ClientStream stream = reply.stream();

      var late = assertThrows(WaitTimeoutError.class, () -> stream.complete(Duration.ofMillis(1)));
      assertContains("datums without an EOT: 1 (1)", late.getMessage());
      var refused = assertThrows(IllegalStateException.class, () -> stream.send(datum("")));
      assertContains("was half-closed", refused.getMessage());

      finish.countDown();
      stream.complete(LIMIT);
      assertTrue(stream.awaitEnd(LIMIT).isOk());
      assertEquals(List.of("late"), reply.remaining(LIMIT).texts());
    }
  }

  @Test
  void aHandlersFailureIsReportedWithCodeMessageAndStack() throws Exception {
    try (var server =
            MapStreamTestServer.start((keys, datum, sink) -> {
              sink.emit(Message.of("before"));
              throw new IllegalStateException("boom");
            });
        var client = MapStreamClient.connect(server.socketPath())) {
      Reply reply = client.send(datum(""));

      assertEquals("before", reply.next(LIMIT).text());
      var broken = assertThrows(StreamBrokenException.class, () -> reply.next(LIMIT));
      assertEquals("INTERNAL", broken.status().code());
      assertContains(
          "UDF_EXECUTION_ERROR(unknown-container): java.lang.IllegalStateException: boom",
          broken.status().message());
      assertContains("IllegalStateException: boom", broken.status().debugInfo());
      assertContains("MapStreamClientTest", broken.status().debugInfo());
      assertContains("boom", broken.getMessage());
      assertContains("datum \"1\" (1 arrived)", broken.getMessage());
      server.awaitFailure(LIMIT);
    }
  }

  @Test
  void redriveResendsDatumsWithoutAnEot() throws Exception {
    LinkedBlockingQueue<String> calls = new LinkedBlockingQueue<>();
    AtomicReference<CountDownLatch> gate = new AtomicReference<>(new CountDownLatch(1));
    try (var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          calls.add(datum.text());
          if (!datum.text().equals("done")) {
            gate.get().await();
          }
          sink.emit(Message.of(datum.text()));
        })) {
      ClientStream stream = server.client().stream();
      stream.send("1", datum("done")).remaining(LIMIT);
      stream.send("2", datum("b"));
      stream.send("3", datum("c"));
      assertEquals(List.of("2", "3"), List.copyOf(stream.unanswered().keySet()));
      assertThrows(IllegalArgumentException.class, () -> server.client().redrive(stream));
      for (int i = 0; i < 3; i++) {
        calls.poll(LIMIT.toSeconds(), TimeUnit.SECONDS);
      }

      stream.cancel();
      gate.set(new CountDownLatch(0));
      List<Reply> again = server.client().redrive(stream);

      assertEquals(List.of("2", "3"), again.stream().map(Reply::id).toList());
      assertEquals(List.of("b"), again.get(0).remaining(LIMIT).texts());
      assertEquals(List.of("c"), again.get(1).remaining(LIMIT).texts());
      assertNotSame(stream, again.getFirst().stream());
      assertEquals(2, calls.size(), "answered datums are not sent again");
    }
  }

  @Test
  void redriveResendsAllDatumsOfAnIdInTheOrderOfSending() throws Exception {
    LinkedBlockingQueue<String> calls = new LinkedBlockingQueue<>();
    try (var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          calls.add(datum.text());
          new CountDownLatch(1).await();
        })) {
      ClientStream stream = server.client().stream();
      stream.send("a", datum("1"));
      stream.send("b", datum("2"));
      stream.send("a", datum("3"));
      for (int i = 0; i < 3; i++) {
        calls.poll(LIMIT.toSeconds(), TimeUnit.SECONDS);
      }
      assertEquals(Map.of("a", datum("1"), "b", datum("2")), stream.unanswered());

      stream.cancel();
      List<Reply> again = server.client().redrive(stream);

      assertEquals(
          List.of("1", "2", "3"), again.stream().map(reply -> reply.datum().text()).toList());
      assertEquals(List.of("a", "b", "a"), again.stream().map(Reply::id).toList());
    }
  }

  @Test
  void redriveWaitsForARestartedServer(@TempDir Path folder) throws Exception {
    CountDownLatch started = new CountDownLatch(1);
    MapStreamServer first =
        serverIn(
                folder,
                (keys, datum, sink) -> {
                  started.countDown();
                  new CountDownLatch(1).await();
                })
            .shutdownGrace(Duration.ZERO)
            .build();
    first.start();
    try (var client = MapStreamClient.connect(folder.resolve("s"));
        var restarted = serverIn(folder, SPLIT).build()) {
      Reply reply = client.send("id", datum("a,b"));
      Testing.await(started, "the handler to start");
      first.close();
      var broken = assertThrows(StreamBrokenException.class, () -> reply.remaining(LIMIT));
      assertEquals("UNAVAILABLE", broken.status().code());
      assertFalse(client.readiness().isOk());

      var redriven = onThread(() -> client.redrive(reply.stream()));
      restarted.start();

      List<Reply> replies = redriven.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
      assertEquals(List.of("a", "b"), replies.getFirst().remaining(LIMIT).texts());
    }
  }

  private static MapStreamServerBuilder serverIn(Path folder, MapStreamer handler) {
    return MapStreamServer.builder(handler)
        .socketPath(folder.resolve("s"))
        .serverInfoFile(folder.resolve("info"));
  }

  private static <T> CompletableFuture<T> onThread(Callable<T> call) {
    var result = new CompletableFuture<T>();
    Thread.ofVirtual()
        .start(() -> {
          try {
            result.complete(call.call());
          } catch (Exception e) {
            result.completeExceptionally(e);
          }
        });
    return result;
  }

  @Test
  void aListenerIsNotifiedOfMessagesAndTheEndInOrder() throws Exception {
    Recording recording = new Recording();
    try (var server = MapStreamTestServer.start(SPLIT)) {
      server.client().stream().send("1", datum("a,b"), recording);

      Testing.await(recording.over, "the end of the datum");
      assertEquals(List.of("a", "b", "EOT"), recording.events);
    }
  }

  @Test
  void aListenerIsNotifiedOfABrokenStream() throws Exception {
    Recording recording = new Recording();
    try (var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          throw new IllegalStateException("boom");
        })) {
      server.client().stream().send("a", datum(""), recording);

      Testing.await(recording.over, "the end of the stream");
      assertContains("boom", recording.events.getFirst());
      server.awaitFailure(LIMIT);
    }
  }

  @Test
  void aSlowListenerBlocksTheHandlerInEmit() throws Exception {
    int results = 20_000;
    CountDownLatch proceed = new CountDownLatch(1);
    AtomicReference<Thread> handler = new AtomicReference<>();
    AtomicInteger emitted = new AtomicInteger();
    Recording recording =
        new Recording() {
          @Override
          public void message(Message message) {
            try {
              Testing.await(proceed, "permission to continue");
            } catch (InterruptedException e) {
              throw new IllegalStateException(e);
            }
          }
        };
    try (var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          handler.set(Thread.currentThread());
          for (; emitted.get() < results; emitted.incrementAndGet()) {
            sink.emit(new byte[1000]);
          }
        })) {
      server.client().stream().send("a", datum(""), recording);

      until(
          () -> handler.get() != null && handler.get().getState() == Thread.State.WAITING,
          "the handler to wait in emit");
      assertTrue(emitted.get() < results);
      proceed.countDown();
      Testing.await(recording.over, "the EOT");
      assertEquals(results, emitted.get());
    }
  }

  @Test
  void anExceptionOfAListenerCancelsTheStream() throws Exception {
    Recording recording =
        new Recording() {
          @Override
          public void message(Message message) {
            throw new IllegalArgumentException("not liked");
          }
        };
    try (var server = MapStreamTestServer.start(SPLIT)) {
      server.client().stream().send("a", datum("x"), recording);

      assertContains("not liked", server.client().stream().awaitEnd(LIMIT).message());
      Testing.await(recording.over, "the listener to be notified");
      assertContains("StreamBrokenException", recording.events.getFirst());
    }
  }

  private static class Recording implements ReplyListener {
    final List<String> events = new ArrayList<>();
    final CountDownLatch over = new CountDownLatch(1);

    @Override
    public void message(Message message) {
      events.add(message.text());
    }

    @Override
    public void ended() {
      events.add("EOT");
      over.countDown();
    }

    @Override
    public void failed(Throwable reason) {
      events.add(reason.toString());
      over.countDown();
    }
  }

  @Test
  void aWaitThatTimesOutSaysWhatItWaitedFor() throws Exception {
    try (var server =
        MapStreamTestServer.start((keys, datum, sink) -> {
          sink.emit(Message.of("a"));
          new CountDownLatch(1).await();
        })) {
      Reply reply = server.client().send("id7", datum("the text"));
      reply.next(LIMIT);

      var late = assertThrows(WaitTimeoutError.class, () -> reply.next(Duration.ofMillis(1)));

      assertContains(
          "waited 0.001 s for message 2: datum \"id7\" had 1 message", late.getMessage());
      assertContains("the text", late.getMessage());
      assertContains("(stream open, datums without an EOT: 1 (id7))", late.getMessage());
      assertFalse(reply.hasEnded(), "a wait that times out changes nothing");
    }
  }

  @Test
  void interruptionEndsAWaitAndKeepsTheFlag() throws Exception {
    try (var server =
        MapStreamTestServer.start((keys, datum, sink) -> new CountDownLatch(1).await())) {
      Reply reply = server.client().send(datum(""));
      Thread.currentThread().interrupt();

      var interrupted = assertThrows(AssertionError.class, () -> reply.remaining(LIMIT));

      assertTrue(Thread.interrupted());
      assertContains("interrupted while waiting for the end", interrupted.getMessage());
    }
  }

  @Test
  void sendToAServerThatAcceptsNothingTimesOut() throws Exception {
    Datum large = datum("").toBuilder().value(new byte[100_000]).build();
    try (var server =
            MapStreamTestServer.start(
                (keys, datum, sink) -> new CountDownLatch(1).await(),
                options -> options.maxConcurrency(1));
        var client = server.connect(options -> options.timeout(Duration.ofSeconds(5)))) {
      var late =
          assertThrows(
              WaitTimeoutError.class,
              () -> {
                for (int i = 0; i < 1000; i++) {
                  client.send(large);
                }
              });

      assertContains("for the server to accept datum", late.getMessage());
    }
  }

  @Test
  void connectWithoutAServerNamesTheSocket(@TempDir Path folder) {
    Path socket = folder.resolve("none");
    var builder = MapStreamClient.builder(socket).timeout(Duration.ofSeconds(4));

    var late = assertThrows(WaitTimeoutError.class, builder::connect);

    assertContains("waited 4 s for a server on " + socket + " to be ready", late.getMessage());
    assertContains("UNAVAILABLE", late.getMessage());
  }

  @Test
  void connectWaitsForAServerThatStartsLater(@TempDir Path folder) throws Exception {
    var connected =
        onThread(
            MapStreamClient.builder(folder.resolve("s")).serverInfoFile(folder.resolve("info"))
                ::connect);
    try (var server = serverIn(folder, SPLIT).build().start();
        var client = connected.get(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
      assertEquals("java", client.serverInfo().orElseThrow().language());
      assertTrue(client.readiness().isOk());
      assertEquals(server.options().socketPath(), client.socketPath());
    }
  }

  @Test
  void connectSaysWhyAServerInfoFileIsUnusable(@TempDir Path folder) throws Exception {
    Path info = folder.resolve("info");
    var builder =
        MapStreamClient.builder(folder.resolve("s"))
            .serverInfoFile(info)
            .timeout(Duration.ofMillis(100));

    var missing = assertThrows(WaitTimeoutError.class, builder::connect);
    assertContains(info + ", and there was no such file", missing.getMessage());

    Files.writeString(info, "{\"protocol\":", UTF_8);
    var halfWritten = assertThrows(WaitTimeoutError.class, builder::connect);
    assertContains("it had no closing marker: {\"protocol\":", halfWritten.getMessage());

    Files.writeString(info, "{\"protocol\":\"tcp\"}U+005C__END__", UTF_8);
    assertThrows(ProtocolFaultError.class, builder::connect);
  }

  @Test
  void aClosedClientOpensNoStreamAndHasEndedTheOpenOnes() throws Exception {
    try (var server = MapStreamTestServer.start(SPLIT)) {
      MapStreamClient client = server.client();
      RawStream raw = client.openRawStream();
      client.close();
      client.close();
      assertThrows(IllegalStateException.class, client::openStream);
      assertTrue(raw.awaitEnd());
      assertEquals("UNAVAILABLE", client.readiness().code());
    }
  }

  @Test
  void theLongestTimeoutIsAccepted() throws Exception {
    try (var server = MapStreamTestServer.start(SPLIT);
        var client =
            server.connect(options -> options.timeout(Duration.ofSeconds(Long.MAX_VALUE)));
        RawStream stream = client.openRawStream()) {
      assertTrue(client.readiness().isOk());
      assertEquals(List.of("a"), client.send(datum("a")).remaining().texts());
      stream.halfClose();

      assertTrue(stream.awaitEnd());
    }
  }

  @Test
  void settingsOutOfRangeAreRefusedByNameAndValue() throws Exception {
    var builder = MapStreamClient.builder(Path.of("s"));
    assertRefused(
        "timeout must be more than 0 s but was 0 s", () -> builder.timeout(Duration.ZERO));
    assertRefused(
        "timeout must be more than 0 s but was -1 s",
        () -> builder.timeout(Duration.ofSeconds(-1)));
    assertRefused("maxMessageSize must be at least 1 but was 0", () -> builder.maxMessageSize(0));
  }

  @Test
  void aRefusedLimitLeavesTheStreamOpen() throws Exception {
    try (var server = MapStreamTestServer.start(SPLIT)) {
      ClientStream stream = server.client().stream();

      assertRefused(
          "limit must not be negative but was -1 s", () -> stream.complete(Duration.ofSeconds(-1)));

      assertEquals(List.of("a"), stream.send(datum("a")).remaining(LIMIT).texts());
    }
  }

  @Test
  void aRawStreamRefusesWhatItCannotSend() throws Exception {
    try (var server = MapStreamTestServer.start(SPLIT)) {
      RawStream stream = server.client().openRawStream();
      assertRefused("most must be at least 1 but was 0", () -> stream.read(0));
      assertRefused("most must be at least 1 but was -1", () -> stream.read(-1));
      stream.halfClose();
      assertThrows(IllegalStateException.class, stream::halfClose);
      assertThrows(IllegalStateException.class, () -> stream.send("1", datum("a")));
      stream.close();
      assertTrue(stream.awaitEnd());
      stream.close();
      assertThrows(IllegalStateException.class, () -> stream.send("1", datum("a")));
    }
  }

  @Test
  void valuesMayBeArbitraryBytes() throws Exception {
    byte[] value = new byte[300_000];
    new Random(1).nextBytes(value);
    try (var server = MapStreamTestServer.start((keys, datum, sink) -> sink.emit(datum.value()))) {
      Datum sent = datum("").toBuilder().value(value).build();
      assertArrayEquals(value, server.client().send(sent).next(LIMIT).value());
    }
  }
}
