package io.mapstream.testkit;

import static io.mapstream.testkit.ScriptedServer.afterHandshake;
import static io.mapstream.testkit.ScriptedServer.eot;
import static io.mapstream.testkit.ScriptedServer.results;
import static io.mapstream.testkit.Testing.LIMIT;
import static io.mapstream.testkit.Testing.datum;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.mapstream.Message;
import io.mapstream.proto.map.v1.Handshake;
import io.mapstream.proto.map.v1.MapResponse;
import io.mapstream.proto.nackoptions.NackOptions;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Checks that a wait, or otherwise close, reports a server's protocol faults. */
class ProtocolFaultTest {

  static Stream<Arguments> faults() {
    return Stream.of(
        arguments(
            "a broken rule",
            List.of(eot("a"), results("a", 1)),
            "1 result(s) after the EOT of datum \"a\""),
        arguments(
            "a result that is not a valid message",
            List.of(marked(Message.NACK_TAG, NackOptions.newBuilder().setDelay(-1).build())),
            "a result of datum \"a\": delay must be"));
  }

  private static MapResponse.Builder marked(String tag, NackOptions options) {
    var result = MapResponse.Result.newBuilder().addTags(tag).setNackOptions(options);
    return MapResponse.newBuilder().setId("a").addResults(result);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("faults")
  void isThrownByTheWaitForTheEndOfTheStream(
      String name, List<MapResponse.Builder> responses, String expected) throws Exception {
    try (var server = server(responses);
        var client = MapStreamClient.connect(server.socketPath())) {
      client.send("a", datum("x"));
      ClientStream stream = client.stream();

      var fault = assertThrows(ProtocolFaultError.class, () -> stream.awaitEnd(LIMIT), name);

      assertContains(expected, fault.getMessage());
      assertContains("stream 1 on " + server.socketPath(), fault.getMessage());
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("faults")
  void isThrownByCloseIfNoWaitThrewIt(
      String name, List<MapResponse.Builder> responses, String expected) throws Exception {
    try (var server = server(responses)) {
      var client = MapStreamClient.connect(server.socketPath());
      client.send("a", datum("x"));
      ClientStream stream = client.stream();
      Testing.until(stream::hasEnded, "the end of the stream");

      var fault = assertThrows(ProtocolFaultError.class, client::close, name);

      assertContains(expected, fault.getMessage());
    }
  }

  private static ScriptedServer server(List<MapResponse.Builder> responses) throws Exception {
    return new ScriptedServer(
        afterHandshake(
            (request, client) -> responses.forEach(each -> client.onNext(each.build()))));
  }

  @Test
  void isThrownByTheWaitForAReply() throws Exception {
    try (var server = server(List.of(results("a", 1), results("b", 1)));
        var client = MapStreamClient.connect(server.socketPath())) {
      Reply reply = client.send("a", datum("x"));

      var fault = assertThrows(ProtocolFaultError.class, () -> reply.remaining(LIMIT));

      assertContains("which was not sent", fault.getMessage());
      assertEquals(1, reply.takeArrived().size(), "earlier results are kept");
    }
  }

  @Test
  void okBeforeTheEotIsAFault() throws Exception {
    try (var server =
            new ScriptedServer(
                afterHandshake((request, client) -> {
                  client.onNext(results(request.getId(), 1).build());
                  client.onCompleted();
                }));
        var client = MapStreamClient.connect(server.socketPath())) {
      Reply reply = client.send("a", datum("x"));

      var fault = assertThrows(ProtocolFaultError.class, () -> reply.remaining(LIMIT));

      assertContains("closed with OK, but datums had no EOT: a", fault.getMessage());
    }
  }

  @Test
  void anEchoWithoutSotIsAFault() throws Exception {
    var noSot = MapResponse.newBuilder().setHandshake(Handshake.getDefaultInstance()).build();
    try (var server = new ScriptedServer((request, client) -> client.onNext(noSot));
        var client = MapStreamClient.connect(server.socketPath())) {
      var fault = assertThrows(ProtocolFaultError.class, client::openStream);

      assertContains("not a handshake with sot = true", fault.getMessage());
    }
  }

  @Test
  void theWaitForTheEchoOfTheHandshakeTimesOut() throws Exception {
    try (var server = new ScriptedServer((request, client) -> {});
        var client =
            MapStreamClient.builder(server.socketPath()).timeout(Duration.ofSeconds(5)).connect()) {
      var late = assertThrows(WaitTimeoutError.class, client::openStream);

      assertContains("waited 5 s for the echo of the handshake", late.getMessage());
    }
  }

  @Test
  void connectTimesOutIfTheServerIsNotReady() throws Exception {
    try (var server = new ScriptedServer((request, client) -> {})) {
      server.ready = false;
      var builder = MapStreamClient.builder(server.socketPath()).timeout(Duration.ofSeconds(5));

      var late = assertThrows(WaitTimeoutError.class, builder::connect);

      assertContains("its answer to IsReady: ready = false", late.getMessage());
    }
  }

  static void assertContains(String part, String whole) {
    assertTrue(whole.contains(part), () -> "\"" + part + "\" is not in \"" + whole + "\"");
  }
}
