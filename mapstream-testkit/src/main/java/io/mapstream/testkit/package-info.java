/**
 * Classes that test a map-stream function: as a method, in memory on the server's engine, or from
 * outside.
 *
 * <p>Most tests check which messages a handler emits for a datum. A {@link
 * io.mapstream.testkit.MapStreamHarness} does that without a socket, and the Javadoc of that class
 * is a tutorial.
 *
 * <p>The main classes:
 *
 * <ul>
 *   <li>{@link io.mapstream.testkit.RecordingSink} records what is emitted, for a test that calls
 *       the handler itself.
 *   <li>{@link io.mapstream.testkit.MapStreamHarness} runs a handler on the server's engine, in
 *       memory; {@link io.mapstream.testkit.MapStreamHarnessExtension} creates one for each JUnit
 *       test.
 *   <li>{@link io.mapstream.testkit.Reply} gives access to the messages of one datum as they
 *       arrive, and to its end, and can cancel it.
 *   <li>{@link io.mapstream.testkit.TestDatum} creates datums in which a test sets only what
 *       matters.
 *   <li>{@link io.mapstream.testkit.MapStreamTestServer} serves a handler on a temporary Unix
 *       socket, with the server that a pod runs; {@link
 *       io.mapstream.testkit.MapStreamTestServerExtension} creates one for each JUnit test.
 *   <li>{@link io.mapstream.testkit.MapStreamClient} calls that server, or any other running
 *       function, as the platform does.
 * </ul>
 *
 * <p>A {@code null} argument causes a {@link java.lang.NullPointerException} with the parameter's
 * name, unless the parameter is {@code @Nullable}; any other invalid argument causes an {@link
 * java.lang.IllegalArgumentException} with the name, of the parameter or of a builder's setting,
 * and the value. An unmet expectation of a test causes an {@link java.lang.AssertionError}, so that
 * every test framework counts it as a failed test: a {@link io.mapstream.testkit.WaitTimeoutError}
 * if a wait timed out, a {@link io.mapstream.testkit.ProtocolFaultError} if a server violated the
 * protocol. A stream that ended without an EOT causes a {@link
 * io.mapstream.testkit.StreamBrokenException}; in a harness or with a test server, where the
 * handler's exception is known, it is a {@link io.mapstream.testkit.HandlerFailedException}.
 */
@NullMarked
package io.mapstream.testkit;

import org.jspecify.annotations.NullMarked;
