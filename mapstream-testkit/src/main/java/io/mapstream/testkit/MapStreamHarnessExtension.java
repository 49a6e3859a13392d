package io.mapstream.testkit;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Messages;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Gives each JUnit test a {@link MapStreamHarness} of its own, and closes it after the test, which
 * then fails if it has left something unread or running.
 *
 * {@snippet lang=java :
 * class WordSplitterTest {
 *
 *   @RegisterExtension
 *   final MapStreamHarnessExtension harness = MapStreamHarnessExtension.of(new WordSplitter());
 *
 *   @Test
 *   void splitsAtCommas() {
 *     assertEquals(List.of("a", "b"), harness.process("a,b").texts());
 *   }
 * }
 * }
 *
 * <p>The field isn't static, so that each test also gets a handler of its own. Where several tests
 * share one extension and run at the same time (a static field, or one instance of the class for
 * all tests), they take their harness as a parameter of the type {@link MapStreamHarness}.
 *
 * <p>It works with JUnit 5 and 6, whose {@code junit-jupiter-api} has to be on the class path;
 * nothing else in this package needs it.
 */
public final class MapStreamHarnessExtension
    implements BeforeEachCallback, AfterEachCallback, ParameterResolver {

  private final MapStreamHarness.Builder settings;

  /** By the test's id: several when tests run at the same time. */
  private final Map<String, MapStreamHarness> open = new ConcurrentHashMap<>();

  private MapStreamHarnessExtension(MapStreamHarness.Builder settings) {
    this.settings = settings;
  }

  /**
   * Makes an extension whose harnesses have the default settings.
   *
   * @param handler the function to test; one instance for all tests of this extension
   * @return the extension, to be registered in a field with {@code @RegisterExtension}
   */
  public static MapStreamHarnessExtension of(MapStreamer handler) {
    return new MapStreamHarnessExtension(MapStreamHarness.builder(handler));
  }

  /**
   * Makes an extension whose harnesses have other settings.
   *
   * @param settings what each test's harness is built by; not to be changed afterwards
   * @return the extension, to be registered in a field with {@code @RegisterExtension}
   */
  public static MapStreamHarnessExtension of(MapStreamHarness.Builder settings) {
    return new MapStreamHarnessExtension(Objects.requireNonNull(settings, "settings"));
  }

  /**
   * Gives the harness of the test that runs.
   *
   * @return the harness, closed after the test
   * @throws IllegalStateException if no test runs, or more than one
   */
  public MapStreamHarness harness() {
    var now = open.values().toArray(MapStreamHarness[]::new);
    if (now.length == 1) {
      return now[0];
    }
    throw new IllegalStateException(
        now.length == 0
            ? "no test runs: a harness is there from before each test to after it, if the extension"
                + " is in a field with @RegisterExtension"
            : now.length
                + " tests share this extension at the same time: take the harness as a parameter of"
                + " the test method");
  }

  /**
   * Does what {@link MapStreamHarness#process(Datum)} does, in this test's harness.
   *
   * @param datum what the handler is given
   * @return the messages in the order of their emission
   * @throws HandlerFailedException as {@link MapStreamHarness#process(Datum)} does
   * @throws WaitTimeoutError as {@link MapStreamHarness#process(Datum)} does
   * @throws IllegalStateException if no test runs, or more than one
   */
  public Messages process(Datum datum) {
    return harness().process(datum);
  }

  /**
   * Does what {@link MapStreamHarness#process(String)} does, in this test's harness.
   *
   * @param text the datum's payload; {@code null} for no bytes
   * @return the messages in the order of their emission
   * @throws HandlerFailedException as {@link MapStreamHarness#process(Datum)} does
   * @throws WaitTimeoutError as {@link MapStreamHarness#process(Datum)} does
   * @throws IllegalStateException if no test runs, or more than one
   */
  public Messages process(@Nullable String text) {
    return harness().process(text);
  }

  /**
   * Does what {@link MapStreamHarness#send(Datum)} does, in this test's harness.
   *
   * @param datum what the handler is given
   * @return where the messages arrive
   * @throws IllegalStateException if no test runs, or more than one
   */
  public Reply send(Datum datum) {
    return harness().send(datum);
  }

  /**
   * Does what {@link MapStreamHarness#send(String)} does, in this test's harness.
   *
   * @param text the datum's payload; {@code null} for no bytes
   * @return where the messages arrive
   * @throws IllegalStateException if no test runs, or more than one
   */
  public Reply send(@Nullable String text) {
    return harness().send(text);
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    open.put(context.getUniqueId(), settings.build());
  }

  /**
   * After a test that has failed nothing is waited for: what it would have read or ended is open.
   */
  @Override
  public void afterEach(ExtensionContext context) {
    MapStreamHarness harness = open.remove(context.getUniqueId());
    if (harness == null) {
      return;
    }
    if (context.getExecutionException().isPresent()) {
      harness.close(Duration.ZERO);
    } else {
      harness.close();
    }
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == MapStreamHarness.class
        && open.containsKey(context.getUniqueId());
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    MapStreamHarness harness = open.get(context.getUniqueId());
    if (harness == null) {
      throw new IllegalStateException("no harness for " + context.getUniqueId());
    }
    return harness;
  }
}
