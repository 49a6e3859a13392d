/**
 * Tests a map-stream function: as a method, in memory as a server runs it, and from outside.
 *
 * <p>Most tests want to know what comes out for a datum, and a {@link
 * io.mapstream.testkit.MapStreamHarness} tells it without a server. The Javadoc of that class is a
 * tutorial; this is its beginning, with JUnit:
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
 * <table class="striped">
 *   <caption>Where to look first</caption>
 *   <thead>
 *     <tr><th scope="col">Type</th><th scope="col">What it is</th></tr>
 *   </thead>
 *   <tbody>
 *     <tr>
 *       <th scope="row">{@link io.mapstream.testkit.RecordingSink}</th>
 *       <td>keeps what is emitted, for a test that calls the handler itself</td>
 *     </tr>
 *     <tr>
 *       <th scope="row">{@link io.mapstream.testkit.MapStreamHarness}</th>
 *       <td>runs a handler as a server does, in memory</td>
 *     </tr>
 *     <tr>
 *       <th scope="row">{@link io.mapstream.testkit.DatumStream}</th>
 *       <td>one datum in work: its messages as they come, its end, a cancel</td>
 *     </tr>
 *     <tr>
 *       <th scope="row">{@link io.mapstream.testkit.TestDatum}</th>
 *       <td>datums of which only what matters is set</td>
 *     </tr>
 *     <tr>
 *       <th scope="row">{@link io.mapstream.testkit.MapStreamHarnessExtension}</th>
 *       <td>a harness for each JUnit test</td>
 *     </tr>
 *     <tr>
 *       <th scope="row">{@link io.mapstream.testkit.MapStreamTestServer}</th>
 *       <td>serves a handler on a temporary Unix socket, with the server that a pod runs</td>
 *     </tr>
 *     <tr>
 *       <th scope="row">{@link io.mapstream.testkit.MapStreamClient}</th>
 *       <td>calls that server, or any other running function, as the platform does</td>
 *     </tr>
 *   </tbody>
 * </table>
 *
 * <p>Wrong arguments are an {@link java.lang.IllegalArgumentException} that names the argument and
 * what was given. What a test expected of a harness and didn't get is an {@link
 * java.lang.AssertionError}, so that every test framework counts it as a failed test. The client
 * throws exceptions of its own instead, since programs use it, too: {@link
 * io.mapstream.testkit.WaitTimeoutException}, {@link io.mapstream.testkit.StreamBrokenException},
 * {@link io.mapstream.testkit.ProtocolFaultException}.
 */
@NullMarked
package io.mapstream.testkit;

import org.jspecify.annotations.NullMarked;
