package io.mapstream.testkit;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Messages;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Gives each JUnit test its own {@link MapStreamHarness}, and closes it after the test, which then
 * fails if something is still unread or running.
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
 * <p>The field is not static, so that each test also gets its own handler. If several tests share
 * one extension and run at the same time (a static field, or one instance of the class for all
 * tests), they take their harness as a parameter of type {@link MapStreamHarness}. A class with two
 * such extensions must use their fields: a parameter cannot tell them apart.
 *
 * <p>It works with JUnit 5 and 6 and needs {@code junit-jupiter-api} on the class path. Apart from
 * the extensions, nothing in this package needs it.
 */
public final class MapStreamHarnessExtension extends PerTestExtension<MapStreamHarness> {

  private MapStreamHarnessExtension(MapStreamHarness.Builder settings) {
    // After a failed test, close does not wait: the test did not get to read or end its datums.
    super(MapStreamHarness.class, "harness", settings::build, MapStreamHarness::close);
  }

  /**
   * {@return an extension whose harnesses have the default settings}
   *
   * @param handler the function to test; all tests of this extension share the instance
   */
  public static MapStreamHarnessExtension of(MapStreamer handler) {
    return new MapStreamHarnessExtension(MapStreamHarness.builder(handler));
  }

  /**
   * {@return an extension whose harnesses have the given settings}
   *
   * @param settings the builder of each test's harness; must not be changed afterwards
   */
  public static MapStreamHarnessExtension of(MapStreamHarness.Builder settings) {
    return new MapStreamHarnessExtension(Objects.requireNonNull(settings, "settings"));
  }

  /**
   * {@return the harness of the running test; it is closed after the test}
   *
   * @throws IllegalStateException if no test, or more than one, is running
   */
  public MapStreamHarness harness() {
    return current();
  }

  /**
   * {@return the result of {@link MapStreamHarness#process(Datum)} in this test's harness}
   *
   * @param datum the handler's input
   */
  public Messages process(Datum datum) {
    return harness().process(datum);
  }

  /**
   * {@return the result of {@link MapStreamHarness#process(String)} in this test's harness}
   *
   * @param text the datum's payload; {@code null} for no bytes
   */
  public Messages process(@Nullable String text) {
    return harness().process(text);
  }

  /**
   * {@return the result of {@link MapStreamHarness#send(Datum)} in this test's harness}
   *
   * @param datum the handler's input
   */
  public Reply send(Datum datum) {
    return harness().send(datum);
  }

  /**
   * {@return the result of {@link MapStreamHarness#send(String)} in this test's harness}
   *
   * @param text the datum's payload; {@code null} for no bytes
   */
  public Reply send(@Nullable String text) {
    return harness().send(text);
  }
}
