package io.mapstream.proto;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.mapstream.Message;
import io.mapstream.proto.StreamRules.Fault;
import io.mapstream.proto.StreamRules.Rule;
import io.mapstream.proto.map.v1.Handshake;
import io.mapstream.proto.map.v1.MapResponse;
import io.mapstream.proto.map.v1.TransmissionStatus;
import io.mapstream.proto.nackoptions.NackOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a server may do and must not do on a stream: responses in, broken rules out. */
class StreamRulesTest {

  private static final MapResponse.Builder SHAKEN = handshake(true);

  private static MapResponse.Builder handshake(boolean sot) {
    return MapResponse.newBuilder().setHandshake(Handshake.newBuilder().setSot(sot));
  }

  private static MapResponse.Builder result(String id, String... tags) {
    return MapResponse.newBuilder()
        .setId(id)
        .addResults(MapResponse.Result.newBuilder().addAllTags(List.of(tags)));
  }

  private static MapResponse.Builder eot(String id) {
    return status(id, true);
  }

  private static MapResponse.Builder status(String id, boolean eot) {
    return MapResponse.newBuilder()
        .setId(id)
        .setStatus(TransmissionStatus.newBuilder().setEot(eot));
  }

  private static MapResponse.Builder nackOptions(MapResponse.Builder response) {
    response.getResultsBuilder(0).setNackOptions(NackOptions.getDefaultInstance());
    return response;
  }

  /** Datums "a", "b" and "a" once more were sent; then come these responses. */
  static Stream<Arguments> scripts() {
    return Stream.of(
        right("nothing", List.of()),
        right("the handshake", List.of(SHAKEN)),
        right("an EOT for each", List.of(SHAKEN, eot("b"), eot("a"), eot("a"))),
        right(
            "results in any order of ids",
            List.of(SHAKEN, result("a"), result("b"), eot("b"), result("a"), eot("a"), eot("a"))),
        right("a fail mark last", List.of(SHAKEN, result("a"), result("a", Message.FAIL_TAG))),
        right(
            "results of the second datum of an id after the fail mark of the first",
            List.of(SHAKEN, result("a", Message.FAIL_TAG), eot("a"), result("a"), eot("a"))),
        right(
            "nack options with their mark",
            List.of(SHAKEN, nackOptions(result("a", Message.NACK_TAG)))),
        right("tags beside a mark", List.of(SHAKEN, result("a", "t", Message.DROP_TAG))),
        wrong(
            "no handshake first",
            Rule.HANDSHAKE,
            "the first response is not a handshake with sot = true but has id \"a\", 1 result(s),"
                + " status.eot = false",
            result("a")),
        wrong(
            "a handshake without sot",
            Rule.HANDSHAKE,
            "the first response is not a handshake with sot = true but has id \"\", 0 result(s),"
                + " status.eot = false",
            handshake(false)),
        wrong(
            "a handshake with an EOT",
            Rule.HANDSHAKE,
            "the handshake carries id \"\", 0 result(s), status.eot = true",
            handshake(true).setStatus(TransmissionStatus.newBuilder().setEot(true))),
        wrong(
            "a second handshake",
            Rule.HANDSHAKE,
            "a second handshake, with id \"\", 0 result(s), status.eot = false",
            SHAKEN,
            SHAKEN),
        wrong(
            "a result for an id that was not sent",
            Rule.KNOWN_ID,
            "1 result(s) for the id \"c\", which was not sent",
            SHAKEN,
            result("c")),
        wrong(
            "an EOT for an id that was not sent",
            Rule.KNOWN_ID,
            "an EOT for the id \"c\", which was not sent",
            SHAKEN,
            eot("c")),
        wrong(
            "one EOT too many",
            Rule.ONE_EOT,
            "an EOT after the EOT of datum \"b\"",
            SHAKEN,
            eot("b"),
            eot("b")),
        wrong(
            "a result after the EOT",
            Rule.EOT_LAST,
            "1 result(s) after the EOT of datum \"b\"",
            SHAKEN,
            eot("b"),
            result("b")),
        wrong(
            "results on an EOT",
            Rule.EOT_ALONE,
            "the EOT of datum \"b\" carries 1 result(s), which the platform drops",
            SHAKEN,
            eot("b").addResults(MapResponse.Result.getDefaultInstance())),
        wrong(
            "neither results nor an EOT",
            Rule.CONTENT,
            "neither results nor an EOT in a response of datum \"a\"",
            SHAKEN,
            MapResponse.newBuilder().setId("a")),
        wrong(
            "a status that is no EOT",
            Rule.CONTENT,
            "a status without eot of datum \"a\"",
            SHAKEN,
            status("a", false)),
        wrong(
            "a result after the fail mark, in the same response",
            Rule.MARKS,
            "a result after the fail mark of datum \"a\"",
            SHAKEN,
            result("a", Message.FAIL_TAG).addResults(MapResponse.Result.getDefaultInstance())),
        wrong(
            "a result after the fail mark, in another response",
            Rule.MARKS,
            "a result after the fail mark of datum \"a\"",
            SHAKEN,
            result("a", Message.FAIL_TAG),
            result("a")),
        wrong(
            "two marks",
            Rule.MARKS,
            "a result of datum \"a\" has 2 marks: [U+005C__DROP__, U+005C__FAIL__]",
            SHAKEN,
            result("a", Message.DROP_TAG, Message.FAIL_TAG)),
        wrong(
            "nack options without their mark",
            Rule.MARKS,
            "a result of datum \"a\" has nack options but no nack mark",
            SHAKEN,
            nackOptions(result("a"))));
  }

  private static Arguments right(String name, List<MapResponse.Builder> responses) {
    return arguments(name, responses, List.of());
  }

  private static Arguments wrong(
      String name, Rule rule, String text, MapResponse.Builder... responses) {
    return arguments(name, List.of(responses), List.of(new Fault(rule, text)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("scripts")
  void tellsWhatIsBroken(String name, List<MapResponse.Builder> responses, List<Fault> expected) {
    StreamRules rules = new StreamRules();
    List.of("a", "b", "a").forEach(rules::sent);
    List<Fault> faults = new ArrayList<>();
    responses.forEach(response -> faults.addAll(rules.received(response.build())));

    assertEquals(expected, faults, name);
  }

  @Test
  void okWithOpenDatumsIsAFault() {
    StreamRules rules = new StreamRules();
    rules.received(SHAKEN.build());
    rules.sent("a");
    rules.sent("b");
    rules.received(eot("a").build());

    assertEquals(Set.of("b"), rules.unanswered());
    assertEquals(
        List.of(
            new Fault(
                Rule.ALL_ANSWERED, "the stream was closed with OK, but datums had no EOT: b")),
        rules.closedWithOk());

    rules.received(eot("b").build());
    assertEquals(List.of(), rules.closedWithOk());
  }

  @Test
  void anIdThatWasAnsweredLongAgoIsStillNoneThatIsOpen() {
    StreamRules rules = new StreamRules();
    rules.received(SHAKEN.build());
    for (int i = 0; i <= 20_000; i++) {
      rules.sent("" + i);
      assertTrue(rules.received(eot("" + i).build()).isEmpty());
    }

    assertEquals(Rule.KNOWN_ID, rules.received(eot("0").build()).getFirst().rule());
    assertEquals(Rule.ONE_EOT, rules.received(eot("20000").build()).getFirst().rule());
  }
}
