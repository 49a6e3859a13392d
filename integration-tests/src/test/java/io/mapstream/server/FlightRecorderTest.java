package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.mapstream.Message;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import jdk.jfr.Configuration;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What flight recordings contain about a server under load. */
class FlightRecorderTest {

  private static final String DATUM = "io.mapstream.Datum";
  private static final String STREAM = "io.mapstream.Stream";

  @AutoClose private final TestServer server = new TestServer();
  @AutoClose private final ChildProcess child = new ChildProcess();
  @AutoClose private final Recording recording = new Recording();

  @TempDir private Path folder;

  private void record() {
    recording.enable(DATUM);
    recording.enable(STREAM);
    recording.start();
  }

  /** A handler's event may be recorded shortly after the end of its datum. */
  private List<RecordedEvent> awaitDatums(int count) throws IOException {
    List<RecordedEvent> found = events(recording, DATUM);
    long deadline = System.nanoTime() + Waits.LIMIT.toNanos();
    while (found.size() < count && System.nanoTime() < deadline) {
      found = events(recording, DATUM);
    }
    assertEquals(count, found.size(), found::toString);
    return found;
  }

  private List<RecordedEvent> events(Recording recording, String name) throws IOException {
    Path file = folder.resolve(name + ".jfr");
    recording.dump(file);
    return RecordingFile.readAllEvents(file).stream()
        .filter(event -> event.getEventType().getName().equals(name))
        .toList();
  }

  private void complete(Call call) throws Exception {
    call.completes();
    server.server().close();
  }

  @Test
  void aDatumsEventReportsItsDurationAndItsResults() throws Exception {
    record();
    server.start((keys, datum, sink) -> {
      for (String word : datum.text().split(",", -1)) {
        sink.emit(Message.of(word));
      }
      Thread.sleep(20);
    });
    Call call = server.open().send("one", "a,b,c");
    int bytes =
        call.answer("one").results().stream().mapToInt(r -> 2 + r.getSerializedSize()).sum();
    complete(call);
    RecordedEvent event = awaitDatums(1).get(0);

    assertEquals("one", event.getString("id"));
    assertTrue(event.getDuration().compareTo(Duration.ofMillis(20)) >= 0, event::toString);
    assertEquals(3, event.getLong("results"));
    assertEquals(bytes, event.getLong("resultSize"));
    assertEquals(0, event.getLong("emitBlocked"));
    assertEquals("ANSWERED", event.getString("outcome"));
    assertEquals("mapstream-one", event.getThread().getJavaName());
    assertTrue(event.getThread().isVirtual());
  }

  @Test
  void timeBlockedInEmitIsPartOfTheDatumsEvent() throws Exception {
    record();
    server.start((keys, datum, sink) -> {
      for (int i = 0; i < 400; i++) {
        sink.emit(new byte[50_000]);
      }
    });
    Call call = server.openPaused().send("one", "");
    server.await("a blocked emit", metrics -> metrics.emitsWaiting() == 1);
    call.readAll();
    call.answer("one");
    complete(call);
    RecordedEvent event = awaitDatums(1).get(0);

    Duration blocked = event.getDuration("emitBlocked");
    assertTrue(blocked.isPositive(), event::toString);
    assertTrue(blocked.compareTo(event.getDuration()) <= 0, event::toString);
    assertEquals(400, event.getLong("results"));
    // The metrics count whole microseconds of each wait.
    Duration counted = server.metrics().emitWaitTime();
    assertTrue(counted.compareTo(blocked) <= 0, () -> counted + ", " + event);
    assertTrue(
        blocked.minus(counted).compareTo(Duration.of(400, ChronoUnit.MICROS)) < 0,
        () -> counted + ", " + event);
  }

  @Test
  void theOutcomeReportsHowAHandlerEnded() throws Exception {
    Gate gate = new Gate();
    record();
    server
        .with(options -> options.errorPolicy(ServerOptions.ErrorPolicy.FAIL))
        .start((keys, datum, sink) -> {
          switch (datum.text()) {
            case "fails" -> throw new IllegalStateException("played");
            case "breaks" -> throw new AssertionError("played");
            default -> gate.pass();
          }
        });
    Call call = server.open().send("a", "waits").send("b", "fails");
    call.answer("b");
    gate.awaitHandlers();
    call.send("c", "breaks").endsWith(Status.Code.INTERNAL);
    server.server().close();

    Map<String, String> outcomes =
        awaitDatums(3).stream()
            .collect(
                Collectors.toMap(
                    event -> event.getString("id"), event -> event.getString("outcome")));
    assertEquals(Map.of("a", "STREAM_ENDED", "b", "ANSWERED_WITH_FAIL", "c", "FAILED"), outcomes);
  }

  @Test
  void aStreamsEventReportsHowItEnded() throws Exception {
    record();
    server.start((keys, datum, sink) -> sink.emit(datum.value()));
    Call call = server.open();
    call.send("a", "x").send("b", "y").answer("a");
    call.answer("b");
    complete(call);
    List<RecordedEvent> events = events(recording, STREAM);

    assertEquals(1, events.size(), events::toString);
    RecordedEvent event = events.get(0);
    assertEquals(2, event.getLong("datums"));
    assertEquals(2, event.getLong("results"));
    assertEquals("OK", event.getString("status"));
    assertEquals("the stream is complete", event.getString("reason"));
    assertTrue(event.getDuration().isPositive(), event::toString);
    assertTrue(event.getDuration("openFor").isPositive(), event::toString);
  }

  @Test
  void aRecordingThatBeganLaterHasTheStreamsEndAndHowLongItWasOpen() throws Exception {
    server.start((keys, datum, sink) -> sink.emit(datum.value()));
    Call call = server.open().send("a", "x");
    call.answer("a");
    long opened = System.nanoTime();
    record();
    Duration before = Duration.ofNanos(System.nanoTime() - opened);
    call.cancel();
    server.await("no stream open", metrics -> metrics.streamsOpen() == 0);
    List<RecordedEvent> events = events(recording, STREAM);

    assertEquals(1, events.size(), events::toString);
    RecordedEvent event = events.get(0);
    assertEquals("CANCELLED", event.getString("status"));
    assertEquals(1, event.getLong("datums"));
    assertTrue(event.getDuration("openFor").compareTo(before) > 0, event::toString);
  }

  @Test
  void aRecordingThatDoesNotEnableTheEventsGetsNone() throws Exception {
    try (Recording recording = new Recording(Configuration.getConfiguration("profile"))) {
      server.start((keys, datum, sink) -> sink.emit(datum.value()));
      recording.start();
      Call call = server.open().send("a", "x");
      call.answer("a");
      complete(call);

      assertEquals(List.of(), events(recording, DATUM));
      assertEquals(List.of(), events(recording, STREAM));
    }
  }

  /** The handler returns as if nothing had happened, but its datum is not answered. */
  @Test
  void aHandlerThatReturnsAfterTheEndOfItsStreamIsNotAnswered() throws Exception {
    Gate gate = new Gate();
    record();
    server.start((keys, datum, sink) -> {
      try {
        gate.pass();
      } catch (InterruptedException e) {
        // returns
      }
    });
    Call call = server.open().send("one", "");
    gate.awaitHandlers();
    call.cancel();

    RecordedEvent event = awaitDatums(1).get(0);
    assertEquals("STREAM_ENDED", event.getString("outcome"));
  }

  @Test
  void theSettingsOfTheDocumentationEnableBothEvents() throws Exception {
    Map<String, String> settings =
        Configuration.create(Path.of("../examples/starter/docker/mapstream.jfc")).getSettings();

    assertEquals("true", settings.get(DATUM + "#enabled"));
    assertEquals("true", settings.get(STREAM + "#enabled"));
  }

  @Test
  void aServerWithoutARecordingLoadsNoEventClass() throws Exception {
    String log = "-Xlog:class+load:file=";
    Path classes = folder.resolve("classes");
    child.env("JDK_JAVA_OPTIONS", log + classes).start("run");
    Call call = child.open().send("a", "echo");
    call.answer("a");
    call.completes();
    child.stop();

    String loaded = Files.readString(classes);
    assertTrue(
        loaded.contains("io.mapstream.server.StreamRecording "), "the log is not as expected");
    assertFalse(loaded.contains("$DatumEvent "));
    assertFalse(loaded.contains("$StreamEvent "));
  }
}
