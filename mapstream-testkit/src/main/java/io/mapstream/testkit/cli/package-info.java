/**
 * The command line of the test kit, for a running function written with any SDK.
 *
 * <p>{@link io.mapstream.testkit.cli.Main} has three commands: {@code drive} sends lines to a
 * function and prints its results as they arrive, {@code load} measures throughput and latencies
 * under load, and {@code check} tests whether a function keeps the contract with the platform.
 *
 * <pre>
 * printf 'a,b\nc\n' | java -cp … io.mapstream.testkit.cli.Main drive --socket /tmp/words.sock
 * 1  a
 * 1  b
 * 2  c
 * </pre>
 *
 * <p>They need picocli and HdrHistogram on the class path. Both are optional dependencies of this
 * artifact, since tests do not need them.
 */
@NullMarked
package io.mapstream.testkit.cli;

import org.jspecify.annotations.NullMarked;
