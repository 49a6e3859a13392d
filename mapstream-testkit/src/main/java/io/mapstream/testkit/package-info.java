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
 * <p>Where to look first:
 *
 * <ul>
 *   <li>{@link io.mapstream.testkit.RecordingSink} keeps what is emitted, for a test that calls the
 *       handler itself.
 *   <li>{@link io.mapstream.testkit.MapStreamHarness} runs a handler on the server's engine, in
 *       memory; {@link io.mapstream.testkit.MapStreamHarnessExtension} makes one for each JUnit
 *       test.
 *   <li>{@link io.mapstream.testkit.Reply} is what comes for one datum: its messages as they
 *       arrive, its end, a cancel.
 *   <li>{@link io.mapstream.testkit.TestDatum} makes datums of which only what matters is set.
 *   <li>{@link io.mapstream.testkit.MapStreamTestServer} serves a handler on a temporary Unix
 *       socket, with the server that a pod runs; {@link
 *       io.mapstream.testkit.MapStreamTestServerExtension} makes one for each JUnit test.
 *   <li>{@link io.mapstream.testkit.MapStreamClient} calls that server, or any other running
 *       function, as the platform does.
 * </ul>
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
