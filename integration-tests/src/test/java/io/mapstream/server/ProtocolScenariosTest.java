package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.mapstream.Message;
import io.mapstream.proto.Codec;
import io.mapstream.proto.map.v1.MapRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The protocol as data: what a client sends, what it receives, and how the stream ends. The handler
 * emits one result per comma-separated word, and none for an empty value.
 */
@ParameterizedClass
@EnumSource(InternalSocketKind.class)
class ProtocolScenariosTest {

  @AutoClose private final TestServer server;

  ProtocolScenariosTest(InternalSocketKind kind) {
    server = new TestServer(kind);
  }

  /**
   * One stream.
   *
   * @param answers the results of each id, each of which must also get its EOT
   * @param code how the stream ends
   * @param said what the message of the status must contain
   */
  record Scenario(
      String name,
      List<MapRequest> sent,
      boolean halfClose,
      Map<String, List<String>> answers,
      Status.Code code,
      List<String> said) {

    @Override
    public String toString() {
      return name;
    }
  }

  private static Scenario answered(
      String name, Map<String, List<String>> answers, MapRequest... sent) {
    return new Scenario(name, List.of(sent), true, answers, Status.Code.OK, List.of());
  }

  private static Scenario refused(String name, List<String> said, MapRequest... sent) {
    return new Scenario(name, List.of(sent), false, Map.of(), Status.Code.INVALID_ARGUMENT, said);
  }

  static Stream<Scenario> answered() {
    MapRequest hello = Codec.handshake();
    return Stream.of(
        answered("half-close before anything", Map.of()),
        answered("a handshake alone", Map.of(), hello),
        answered("one result", Map.of("a", List.of("x")), hello, Requests.datum("a", "x")),
        answered("no result", Map.of("a", List.of()), hello, Requests.datum("a", "")),
        answered(
            "several results, several ids",
            Map.of("a", List.of("x", "y", "z"), "b", List.of(), "c", List.of("q")),
            hello,
            Requests.datum("a", "x,y,z"),
            Requests.datum("b", ""),
            Requests.datum("c", "q")),
        answered(
            "ids of any script and length",
            Map.of("地球 🌍 ß", List.of("x"), " ", List.of("y"), "i".repeat(70_000), List.of("z")),
            hello,
            Requests.datum("地球 🌍 ß", "x"),
            Requests.datum(" ", "y"),
            Requests.datum("i".repeat(70_000), "z")),
        answered(
            "the earliest and the latest time of a protobuf timestamp",
            Map.of("a", List.of("x")),
            hello,
            Requests.datum(
                "a",
                Requests.body("x")
                    .setEventTime(Requests.EVENT_TIME.toBuilder().setSeconds(-62_135_596_800L))
                    .setWatermark(
                        Requests.EVENT_TIME.toBuilder()
                            .setSeconds(253_402_300_799L)
                            .setNanos(999_999_999)))),
        answered(
            "no event time, which is taken as unknown",
            Map.of("a", List.of("x")),
            hello,
            Requests.datum("a", Requests.body("x").clearEventTime())),
        answered(
            "no watermark, as in a MonoVertex",
            Map.of("a", List.of("x")),
            hello,
            Requests.datum("a", Requests.body("x").clearWatermark())),
        answered(
            "the watermark of -1 ms, which means unknown",
            Map.of("a", List.of("x")),
            hello,
            Requests.datum(
                "a",
                Requests.body("x")
                    .setWatermark(
                        Requests.EVENT_TIME.toBuilder().setSeconds(-1).setNanos(999_000_000)))));
  }

  static Stream<Scenario> refused() {
    MapRequest hello = Codec.handshake();
    List<String> handshakeExpected = List.of("first message must be a handshake");
    return Stream.of(
        refused("a datum first", handshakeExpected, Requests.datum("a", "x")),
        refused("an empty message first", handshakeExpected, MapRequest.getDefaultInstance()),
        refused("an EOT first", handshakeExpected, Requests.eot("a")),
        refused("a handshake without sot", handshakeExpected, Codec.handshake(false)),
        refused("a second handshake", List.of("second handshake"), hello, hello),
        refused(
            "a datum in the handshake, which would be lost",
            List.of("first message must be a handshake", "both a handshake and a request"),
            Requests.datum("a", "x").toBuilder().mergeFrom(hello).build()),
        refused(
            "a handshake in a datum",
            List.of("both a handshake and a request"),
            hello,
            Requests.datum("a", "x").toBuilder().mergeFrom(hello).build()),
        refused(
            "an EOT from the client", List.of("status", "half-close"), hello, Requests.eot("a")),
        refused("an empty id", List.of("id is empty"), hello, Requests.datum("", "x")),
        refused(
            "no request",
            List.of("request is missing", "\"a\""),
            hello,
            MapRequest.newBuilder().setId("a").build()),
        refused(
            "an event time out of range",
            List.of("event_time is out of range", String.valueOf(Long.MAX_VALUE)),
            hello,
            Requests.datum(
                "a",
                Requests.body("x")
                    .setEventTime(Requests.EVENT_TIME.toBuilder().setSeconds(Long.MAX_VALUE)))),
        refused(
            "a watermark out of range",
            List.of("watermark is out of range", String.valueOf(Long.MIN_VALUE)),
            hello,
            Requests.datum(
                "a",
                Requests.body("x")
                    .setWatermark(Requests.EVENT_TIME.toBuilder().setSeconds(Long.MIN_VALUE)))));
  }

  @ParameterizedTest
  @MethodSource("answered")
  void everyDatumIsAnsweredInFullAndTheStreamEndsWithOk(Scenario scenario) throws Exception {
    play(scenario);
  }

  @ParameterizedTest
  @MethodSource("refused")
  void theStreamIsRefusedWithTheReasonAndTheNextIsServed(Scenario scenario) throws Exception {
    play(scenario);
  }

  private void play(Scenario scenario) throws Exception {
    server.start((keys, datum, sink) -> {
      for (String word : datum.text().isEmpty() ? new String[0] : datum.text().split(",")) {
        sink.emit(Message.of(word));
      }
    });
    Call call = new Call(server.connect());
    scenario.sent().forEach(call::send);
    if (scenario.halfClose()) {
      call.halfClose();
    }

    Status end = call.end();

    assertEquals(scenario.code(), end.getCode(), end::toString);
    assertAll(
        scenario.said().stream()
            .map(part ->
                () ->
                    assertTrue(
                        String.valueOf(end.getDescription()).contains(part), end::toString)));
    Map<String, List<String>> answers = new TreeMap<>();
    for (String id : scenario.answers().keySet()) {
      List<String> texts = new ArrayList<>(call.received(id).texts());
      answers.put(id, texts);
      assertEquals(1, call.received(id).eots(), "EOTs of " + id);
    }
    assertEquals(scenario.answers(), answers);

    assertEquals(
        List.of("on"), server.open().send("next", "on").answer("next").texts(), "the next stream");
  }
}
