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

  private final MapStreamHarness.Builder settings;

  private MapStreamHarnessExtension(MapStreamHarness.Builder settings) {
    super(MapStreamHarness.class, "harness");
    this.settings = Objects.requireNonNull(settings, "settings");
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
    return new MapStreamHarnessExtension(settings);
  }

  /**
   * Gives the harness of the test that runs.
   *
   * @return the harness, closed after the test
   * @throws IllegalStateException if no test runs, or more than one
   */
  public MapStreamHarness harness() {
    return current();
  }

  /**
   * Does what {@link MapStreamHarness#process(Datum)} does, in this test's harness.
   *
   * @param datum what the handler is given
   * @return the messages in the order of their emission
   */
  public Messages process(Datum datum) {
    return harness().process(datum);
  }

  /**
   * Does what {@link MapStreamHarness#process(String)} does, in this test's harness.
   *
   * @param text the datum's payload; {@code null} for no bytes
   * @return the messages in the order of their emission
   */
  public Messages process(@Nullable String text) {
    return harness().process(text);
  }

  /**
   * Does what {@link MapStreamHarness#send(Datum)} does, in this test's harness.
   *
   * @param datum what the handler is given
   * @return where the messages arrive
   */
  public Reply send(Datum datum) {
    return harness().send(datum);
  }

  /**
   * Does what {@link MapStreamHarness#send(String)} does, in this test's harness.
   *
   * @param text the datum's payload; {@code null} for no bytes
   * @return where the messages arrive
   */
  public Reply send(@Nullable String text) {
    return harness().send(text);
  }

  @Override
  MapStreamHarness make() {
    return settings.build();
  }

  /** After a failed test nothing is waited for: what it would have read or ended is open. */
  @Override
  void close(MapStreamHarness harness, boolean testFailed) {
    harness.close(testFailed);
  }
}
