package io.mapstream.testkit;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Messages;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

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
 * all tests), they take their harness as a parameter of the type {@link MapStreamHarness}. A class
 * with two such extensions uses their fields and no parameters: a parameter can't tell them apart.
 *
 * <p>It works with JUnit 5 and 6, whose {@code junit-jupiter-api} has to be on the class path;
 * nothing else in this package needs it.
 */
public final class MapStreamHarnessExtension extends PerTestExtension<MapStreamHarness> {

  private MapStreamHarnessExtension(MapStreamHarness.Builder settings) {
    // After a failed test nothing is waited for: what it would have read or ended is open.
    super(MapStreamHarness.class, "harness", settings::build, MapStreamHarness::close);
  }

  /**
   * {@return an extension whose harnesses have the default settings}
   *
   * @param handler the function to test; one instance for all tests of this extension
   */
  public static MapStreamHarnessExtension of(MapStreamer handler) {
    return new MapStreamHarnessExtension(MapStreamHarness.builder(handler));
  }

  /**
   * {@return an extension whose harnesses have other settings}
   *
   * @param settings what each test's harness is built by; not to be changed afterwards
   */
  public static MapStreamHarnessExtension of(MapStreamHarness.Builder settings) {
    return new MapStreamHarnessExtension(Objects.requireNonNull(settings, "settings"));
  }

  /**
   * {@return the harness of the test that runs, closed after the test}
   *
   * @throws IllegalStateException if no test runs, or more than one
   */
  public MapStreamHarness harness() {
    return current();
  }

  /**
   * {@return what {@link MapStreamHarness#process(Datum)} gives in this test's harness}
   *
   * @param datum what the handler is given
   */
  public Messages process(Datum datum) {
    return harness().process(datum);
  }

  /**
   * {@return what {@link MapStreamHarness#process(String)} gives in this test's harness}
   *
   * @param text the datum's payload; {@code null} for no bytes
   */
  public Messages process(@Nullable String text) {
    return harness().process(text);
  }

  /**
   * {@return what {@link MapStreamHarness#send(Datum)} gives in this test's harness}
   *
   * @param datum what the handler is given
   */
  public Reply send(Datum datum) {
    return harness().send(datum);
  }

  /**
   * {@return what {@link MapStreamHarness#send(String)} gives in this test's harness}
   *
   * @param text the datum's payload; {@code null} for no bytes
   */
  public Reply send(@Nullable String text) {
    return harness().send(text);
  }
}
