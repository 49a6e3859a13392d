/**
 * The test kit from a terminal, against a running function that may be written with any SDK.
 *
 * <p>{@link io.mapstream.testkit.cli.Main} has three commands: {@code drive} feeds lines to a
 * function and prints its results as they arrive, {@code load} loads one and tells its throughput
 * and latencies, {@code check} tells whether one honours the contract with the platform.
 *
 * <pre>
 * printf 'a,b\nc\n' | java -cp … io.mapstream.testkit.cli.Main drive --socket /tmp/words.sock
 * 1  a
 * 1  b
 * 2  c
 * </pre>
 *
 * <p>They need picocli and HdrHistogram on the class path, which are optional dependencies of this
 * artifact: tests don't need them.
 */
@NullMarked
package io.mapstream.testkit.cli;

import org.jspecify.annotations.NullMarked;
