/**
 * Tests a map-stream function: as a method, in memory on the server's engine, and from outside.
 *
 * <p>Most tests want to know what comes out for a datum, and a {@link
 * io.mapstream.testkit.MapStreamHarness} tells it without a socket. The Javadoc of that class is a
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
 *       <td>runs a handler on the server's engine, in memory</td>
 *     </tr>
 *     <tr>
 *       <th scope="row">{@link io.mapstream.testkit.Reply}</th>
 *       <td>what comes for one datum: its messages as they arrive, its end, a cancel</td>
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
 *       <th scope="row">{@link io.mapstream.testkit.MapStreamTestServerExtension}</th>
 *       <td>such a server for each JUnit test</td>
 *     </tr>
 *     <tr>
 *       <th scope="row">{@link io.mapstream.testkit.MapStreamClient}</th>
 *       <td>calls that server, or any other running function, as the platform does</td>
 *     </tr>
 *   </tbody>
 * </table>
 *
 * <p>An argument that is {@code null} is a {@link java.lang.NullPointerException} with the
 * parameter's name, any other wrong argument an {@link java.lang.IllegalArgumentException} with the
 * name and what was given. What a test expected and didn't get is an {@link
 * java.lang.AssertionError}, so that every test framework counts it as a failed test: {@link
 * io.mapstream.testkit.WaitTimeoutError} where it did not come in time, {@link
 * io.mapstream.testkit.ProtocolFaultError} where a server broke the protocol. A stream that has
 * ended without an EOT is a {@link io.mapstream.testkit.StreamBrokenException}, and in a harness or
 * of a test server, where what the handler threw is known, a {@link
 * io.mapstream.testkit.HandlerFailedException}.
 */
@NullMarked
package io.mapstream.testkit;

import org.jspecify.annotations.NullMarked;
