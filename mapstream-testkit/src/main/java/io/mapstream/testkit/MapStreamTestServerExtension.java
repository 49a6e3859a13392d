package io.mapstream.testkit;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.server.MapStreamServerBuilder;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Gives each JUnit test its own {@link MapStreamTestServer}, and closes it after the test, which
 * then fails if a handler failed and the test did not check for it.
 *
 * {@snippet lang=java :
 * class WordSplitterServerTest {
 *
 *   @RegisterExtension
 *   final MapStreamTestServerExtension server =
 *       MapStreamTestServerExtension.of(new WordSplitter());
 *
 *   @Test
 *   void splitsAtCommas() throws Exception {
 *     assertEquals(List.of("a", "b"), server.send("a,b").remaining().texts());
 *   }
 * }
 * }
 *
 * <p>For static fields, parameters and JUnit versions, see {@link MapStreamHarnessExtension}; the
 * parameter's type is {@link MapStreamTestServer}.
 */
public final class MapStreamTestServerExtension extends PerTestExtension<MapStreamTestServer> {

  private MapStreamTestServerExtension(
      MapStreamer handler, Consumer<MapStreamServerBuilder> options) {
    super(
        MapStreamTestServer.class,
        "server",
        () -> MapStreamTestServer.start(handler, options),
        (server, testFailed) -> server.close());
  }

  /**
   * {@return an extension whose servers have the default settings}
   *
   * @param handler the function to test; all tests of this extension share the instance
   */
  public static MapStreamTestServerExtension of(MapStreamer handler) {
    return of(handler, options -> {});
  }

  /**
   * {@return an extension whose servers have the given settings}
   *
   * @param handler the function to test; all tests of this extension share the instance
   * @param options changes settings, as for {@link MapStreamTestServer#start(MapStreamer,
   *     Consumer)}; called before each test
   */
  public static MapStreamTestServerExtension of(
      MapStreamer handler, Consumer<MapStreamServerBuilder> options) {
    return new MapStreamTestServerExtension(
        Objects.requireNonNull(handler, "handler"), Objects.requireNonNull(options, "options"));
  }

  /**
   * {@return the server of the running test; it is closed after the test}
   *
   * @throws IllegalStateException if no test, or more than one, is running
   */
  public MapStreamTestServer server() {
    return current();
  }

  /**
   * Sends a datum with the test's {@linkplain MapStreamTestServer#client() client}.
   *
   * @param datum the datum to send
   * @return the reply that receives its results
   * @throws InterruptedException if the thread was interrupted; the datum was not sent
   * @throws IllegalStateException if no test, or more than one, is running
   */
  public Reply send(Datum datum) throws InterruptedException {
    return server().client().send(datum);
  }

  /**
   * Sends {@link TestDatum#of(String)} of a text. Waits and fails as {@link #send(Datum)} does.
   *
   * @param text the datum's payload; {@code null} for no bytes
   * @return the reply that receives its results
   * @throws InterruptedException if the thread was interrupted; the datum was not sent
   */
  public Reply send(@Nullable String text) throws InterruptedException {
    return send(TestDatum.of(text));
  }
}
