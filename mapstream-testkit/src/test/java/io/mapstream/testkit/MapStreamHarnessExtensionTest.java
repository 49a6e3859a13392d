package io.mapstream.testkit;

import static io.mapstream.testkit.MapStreamHarnessTest.assertContains;
import static io.mapstream.testkit.MapStreamHarnessTest.assertNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import io.mapstream.MapStreamer;
import io.mapstream.Message;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** Runs test classes as users write them with JUnit's launcher, and checks their results. */
@Timeout(60)
class MapStreamHarnessExtensionTest {

  private static final Duration LONG = Duration.ofDays(1000);

  /** An extension in an instance field, as most users have it. */
  static class EachOwn {

    @RegisterExtension
    final MapStreamHarnessExtension harness =
        MapStreamHarnessExtension.of(MapStreamHarness.builder(new WordSplitter()).timeLimit(LONG));

    @Test
    void processes() {
      assertEquals(List.of("a", "b"), harness.process("a,b").texts());
      assertEquals(List.of("c"), harness.process(TestDatum.of("c")).texts());
    }

    @Test
    void streams() {
      assertEquals("a", harness.send("a").next().text());
      assertEquals(List.of("b"), harness.send(TestDatum.of("b")).remaining().texts());
    }

    @Test
    void takesTheHarnessAsAParameter(MapStreamHarness given) {
      assertSame(harness.harness(), given);
      assertEquals(LONG, given.timeLimit);
    }

    @Test
    void leavesMessagesUnread() {
      assertEquals("a", harness.send("a,b").next().text());
    }

    @Test
    void failsItself() {
      assertEquals(Optional.empty(), harness.send("a,b").failure());
      throw new IllegalStateException("the test's own");
    }

    @Nested
    class Inner {
      @Test
      void usesTheHarnessOfTheOuterClass() {
        assertEquals(List.of("a"), harness.process("a").texts());
      }
    }
  }

  /** A test that fails while its handler runs; nothing may wait for the handler. */
  static class Failing {

    private final Gate gate = new Gate();

    @RegisterExtension
    final MapStreamHarnessExtension harness =
        MapStreamHarnessExtension.of(
            MapStreamHarness.builder((keys, datum, sink) -> gate.await()).timeLimit(LONG));

    @Test
    void failsWhileAHandlerRuns() {
      var unused = harness.send("a");
      throw new IllegalStateException("the test's own");
    }
  }

  /** Tests that share an extension and run concurrently. */
  @Execution(ExecutionMode.CONCURRENT)
  static class AtOnce {

    private static final Map<String, MapStreamHarness> SEEN = new ConcurrentHashMap<>();
    private static final CyclicBarrier TOGETHER = new CyclicBarrier(2);
    private static final MapStreamer ECHO = (keys, datum, sink) -> sink.emit(datum.value());

    @RegisterExtension
    static final MapStreamHarnessExtension SHARED = MapStreamHarnessExtension.of(ECHO);

    @Test
    void one(MapStreamHarness harness) throws Exception {
      check("one", harness);
    }

    @Test
    void other(MapStreamHarness harness) throws Exception {
      check("other", harness);
    }

    private static void check(String name, MapStreamHarness harness) throws Exception {
      var unused = TOGETHER.await(10, TimeUnit.SECONDS);
      SEEN.put(name, harness);
      assertEquals(List.of(Message.of(name)), harness.process(name));
      var refusal = assertThrows(IllegalStateException.class, () -> SHARED.process("a"));
      assertContains(refusal, "2 tests share this extension", "as a parameter");
      unused = TOGETHER.await(10, TimeUnit.SECONDS);
    }
  }

  /** Two harnesses and a server in one class. */
  static class Several {

    @RegisterExtension
    final MapStreamHarnessExtension words = MapStreamHarnessExtension.of(new WordSplitter());

    @RegisterExtension
    final MapStreamHarnessExtension echo =
        MapStreamHarnessExtension.of((keys, datum, sink) -> sink.emit(datum.value()));

    @RegisterExtension
    final MapStreamTestServerExtension server =
        MapStreamTestServerExtension.of(
            (keys, datum, sink) -> {
              if (datum.text().equals("bad")) {
                throw new IllegalStateException("boom");
              }
              sink.emit(Message.of("" + datum.text().length()));
            },
            options -> options.maxConcurrency(1));

    @Test
    void usesTheFields() throws Exception {
      assertEquals(List.of("a", "b"), words.process("a,b").texts());
      assertEquals(List.of("a,b"), echo.process("a,b").texts());
      assertEquals(List.of("3"), server.send("a,b").remaining().texts());
      assertEquals(List.of("1"), server.send(TestDatum.of("c")).remaining().texts());
    }

    @Test
    void takesTheServerAsAParameter(MapStreamTestServer given) {
      assertSame(server.server(), given);
      assertEquals(1, given.server().options().maxConcurrency());
    }

    @Test
    void takesOneOfTwoAsAParameter(MapStreamHarness which) {}

    @Test
    void doesNotCheckForTheFailure() throws Exception {
      server.send("bad").stream().awaitEnd(Testing.LIMIT);
    }
  }

  @Test
  void severalExtensionsCanServeOneClass() {
    Map<String, TestExecutionResult> results = run(Several.class);

    assertEquals(4, results.size());
    for (String name :
        List.of("usesTheFields()", "takesTheServerAsAParameter(MapStreamTestServer)")) {
      assertEquals(Map.of(), failureOf(results.get(name)));
    }
    assertContains(
        thrown(results.get("takesOneOfTwoAsAParameter(MapStreamHarness)")),
        "multiple competing ParameterResolvers",
        "MapStreamHarness which");
    Throwable unchecked = thrown(results.get("doesNotCheckForTheFailure()"));
    assertEquals("boom", unchecked.getCause().getMessage());
  }

  @Test
  void eachTestHasAHarnessThatIsClosedAfterwards() {
    Map<String, TestExecutionResult> results = run(EachOwn.class);

    assertEquals(6, results.size());
    for (String name :
        List.of(
            "processes()",
            "streams()",
            "takesTheHarnessAsAParameter(MapStreamHarness)",
            "usesTheHarnessOfTheOuterClass()")) {
      assertEquals(TestExecutionResult.successful().getStatus(), results.get(name).getStatus());
    }
    assertContains(thrown(results.get("leavesMessagesUnread()")), "- not read: ", "\"b\"");
  }

  @Test
  void failureOfTheTestIsNotHiddenByTheClose() {
    Throwable thrown = thrown(run(EachOwn.class).get("failsItself()"));

    assertEquals("the test's own", thrown.getMessage());
    assertContains(thrown.getSuppressed()[0], "- not read: ");
  }

  @Test
  void failedTestDoesNotWaitForItsHandlers() {
    Throwable thrown = thrown(run(Failing.class).get("failsWhileAHandlerRuns()"));

    assertEquals("the test's own", thrown.getMessage());
    assertContains(thrown.getSuppressed()[0], "- still running: ");
  }

  @Test
  void concurrentTestsHaveSeparateHarnesses() {
    Map<String, TestExecutionResult> results = run(AtOnce.class);

    results.values().forEach(result -> assertEquals(Map.of(), failureOf(result)));
    assertNotSame(AtOnce.SEEN.get("one"), AtOnce.SEEN.get("other"));
  }

  @Test
  void harnessIsRefusedOutsideOfATest() {
    var extension = MapStreamHarnessExtension.of(new WordSplitter());

    var refusal = assertThrows(IllegalStateException.class, extension::harness);

    assertContains(refusal, "no test is running", "@RegisterExtension");
  }

  @Test
  void nullIsRefusedByName() {
    assertNull("handler", () -> MapStreamHarnessExtension.of((MapStreamer) null));
    assertNull("settings", () -> MapStreamHarnessExtension.of((MapStreamHarness.Builder) null));
  }

  private static Map<String, TestExecutionResult> run(Class<?> tests) {
    Map<String, TestExecutionResult> results = new ConcurrentHashMap<>();
    LauncherFactory.create()
        .execute(
            LauncherDiscoveryRequestBuilder.request()
                .selectors(selectClass(tests))
                .configurationParameter("junit.jupiter.execution.parallel.enabled", "true")
                .configurationParameter("junit.jupiter.execution.parallel.config.strategy", "fixed")
                .configurationParameter(
                    "junit.jupiter.execution.parallel.config.fixed.parallelism", "2")
                .build(),
            new TestExecutionListener() {
              @Override
              public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                if (test.isTest()) {
                  results.put(test.getDisplayName(), result);
                }
              }
            });
    return results;
  }

  private static Throwable thrown(TestExecutionResult result) {
    return result.getThrowable().orElseThrow();
  }

  private static Map<String, Throwable> failureOf(TestExecutionResult result) {
    return result.getThrowable().map(t -> Map.of("failure", t)).orElse(Map.of());
  }
}
