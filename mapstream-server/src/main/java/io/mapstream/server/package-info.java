/**
 * Serves a map-stream function to Numaflow's data plane. Start with {@link
 * io.mapstream.server.MapStreamServer}; its settings are {@link io.mapstream.server.ServerOptions},
 * and {@link io.mapstream.server.ServerMetrics} has numbers about what it does. Only these and the
 * types that they use are public, and two that are internal by name.
 *
 * <p>To read how a datum travels, follow it: {@code MapService} (the gRPC binding, which decodes by
 * {@code WireMapping}) ▶ {@code StreamRegistry} (the open streams) ▶ {@code MapStream} (one
 * stream's life) ▶ {@code InFlight} (what is in work) ▶ {@code StartQueue} ▶ {@code HandlerTask}
 * (one datum on its virtual thread) ▶ your {@code MapStreamer} ▶ {@code DatumSink} ▶ {@code
 * ResponseWriter} (all that is written to the client) ▶ {@code MapStream} again, which hears what
 * was answered. {@code StreamContext} is what they share, {@code Failures} decides what a failure
 * does. All but the handler's side of tasks and sinks belongs to one thread, the event loop, which
 * never waits for a lock.
 */
@NullMarked
package io.mapstream.server;

import org.jspecify.annotations.NullMarked;
