package io.mapstream.testkit;

import static io.mapstream.testkit.ScriptedServer.afterHandshake;
import static io.mapstream.testkit.ScriptedServer.eot;
import static io.mapstream.testkit.ScriptedServer.handshake;
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
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a server must not do is told by what waits, or at the close. */
class ProtocolFaultTest {

  static Stream<Arguments> faults() {
    return Stream.of(
        arguments(
            "a result after the EOT",
            List.of(eot("a"), results("a", 1)),
            "1 result(s) after the EOT of datum \"a\""),
        arguments(
            "a second EOT",
            List.of(results("a", 2), eot("a"), eot("a")),
            "an EOT after the EOT of datum \"a\""),
        arguments(
            "an id that was not sent",
            List.of(results("b", 1)),
            "1 result(s) for the id \"b\", which was not sent"),
        arguments(
            "the EOT of an id that was not sent",
            List.of(eot("b")),
            "an EOT for the id \"b\", which was not sent"),
        arguments(
            "results on an EOT",
            List.of(eot("a").addResults(MapResponse.Result.getDefaultInstance())),
            "an EOT that carries results, which the platform drops: id \"a\", 1 result(s)"),
        arguments(
            "a second handshake",
            List.of(handshake().toBuilder()),
            "a second handshake, with id \"\", 0 result(s)"),
        arguments(
            "a result after a fail mark, in a response of its own",
            List.of(marked(Message.FAIL_TAG), results("a", 1)),
            "a result after the fail mark of datum \"a\""),
        arguments(
            "a result after a fail mark, in the same response",
            List.of(marked(Message.FAIL_TAG).addResults(MapResponse.Result.getDefaultInstance())),
            "a result after the fail mark of datum \"a\""),
        arguments(
            "a result with two marks",
            List.of(marked(Message.DROP_TAG, Message.FAIL_TAG)),
            "a result of datum \"a\": tags must hold at most one mark"));
  }

  private static MapResponse.Builder marked(String... tags) {
    var result = MapResponse.Result.newBuilder().addAllTags(List.of(tags));
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

      var fault = assertThrows(ProtocolFaultException.class, () -> stream.awaitEnd(LIMIT), name);

      assertContains(expected, fault.getMessage());
      assertContains("stream 1 on " + server.socketPath(), fault.getMessage());
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("faults")
  void isThrownByCloseIfNothingElseHas(
      String name, List<MapResponse.Builder> responses, String expected) throws Exception {
    try (var server = server(responses)) {
      var client = MapStreamClient.connect(server.socketPath());
      client.send("a", datum("x"));
      ClientStream stream = client.stream();
      Testing.until(stream::hasEnded, "the end of the stream");

      var fault = assertThrows(ProtocolFaultException.class, client::close, name);

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

      var fault = assertThrows(ProtocolFaultException.class, () -> reply.await(LIMIT));

      assertContains("which was not sent", fault.getMessage());
      assertEquals(1, reply.takeArrived().size(), "what had come before stays");
    }
  }

  @Test
  void anIdForgottenLongAgoIsStillNoneThatIsOpen() throws Exception {
    int many = 1100;
    try (var server =
            new ScriptedServer(
                afterHandshake((request, client) -> {
                  client.onNext(eot(request.getId()).build());
                  if (request.getId().equals("last")) {
                    client.onNext(eot("1").build());
                  }
                }));
        var client = MapStreamClient.connect(server.socketPath())) {
      for (int i = 0; i < many; i++) {
        client.send(datum(""));
      }
      client.send("last", datum(""));
      ClientStream stream = client.stream();

      assertThrows(ProtocolFaultException.class, () -> stream.awaitEnd(LIMIT));
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

      var fault = assertThrows(ProtocolFaultException.class, () -> reply.await(LIMIT));

      assertContains("closed with OK, and datums had no EOT: a", fault.getMessage());
    }
  }

  @Test
  void anEchoWithoutSotIsAFault() throws Exception {
    var noSot = MapResponse.newBuilder().setHandshake(Handshake.getDefaultInstance()).build();
    try (var server = new ScriptedServer((request, client) -> client.onNext(noSot));
        var client = MapStreamClient.connect(server.socketPath())) {
      var fault = assertThrows(ProtocolFaultException.class, client::openStream);

      assertContains("no handshake with sot = true", fault.getMessage());
    }
  }

  @Test
  void aServerThatNeverEchoesIsNotWaitedForForEver() throws Exception {
    try (var server = new ScriptedServer((request, client) -> {});
        var client =
            MapStreamClient.builder(server.socketPath()).timeout(Duration.ofSeconds(3)).connect()) {
      var late = assertThrows(WaitTimeoutException.class, client::openStream);

      assertContains("waited PT3S for the echo of the handshake", late.getMessage());
    }
  }

  @Test
  void aServerThatIsNotReadyIsNotUsed() throws Exception {
    try (var server = new ScriptedServer((request, client) -> {})) {
      server.ready = false;
      var builder = MapStreamClient.builder(server.socketPath()).timeout(Duration.ofSeconds(2));

      var late = assertThrows(WaitTimeoutException.class, builder::connect);

      assertContains("its answer to IsReady: ready = false", late.getMessage());
    }
  }

  static void assertContains(String part, String whole) {
    assertTrue(whole.contains(part), () -> "\"" + part + "\" is not in \"" + whole + "\"");
  }
}
