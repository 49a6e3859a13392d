/**
 * Serves a map-stream function to Numaflow's data plane. Start with {@link
 * io.mapstream.server.MapStreamServer}; its settings are {@link io.mapstream.server.ServerOptions},
 * and its metrics are {@link io.mapstream.server.ServerMetrics}. Only these and the types that they
 * use are public, and two whose names mark them as internal.
 *
 * <p>To follow a datum through the code, read: {@code MapService} (the gRPC binding, which decodes
 * with {@code WireMapping}) ▶ {@code StreamRegistry} (the open streams) ▶ {@code MapStream} (one
 * stream's life) ▶ {@code InFlight} (what is in work) ▶ {@code StartQueue} ▶ {@code HandlerTask}
 * (one datum on its virtual thread) ▶ your {@code MapStreamer} ▶ {@code DatumSink} ▶ {@code
 * ResponseWriter} (everything that is written to the client) ▶ {@code MapStream} again, which is
 * notified of answered datums. {@code StreamContext} is what they share, and {@code Failures}
 * decides what a failure does. Everything except the handler's side of tasks and sinks belongs to
 * one thread, the event loop, which never waits for a lock.
 */
@NullMarked
package io.mapstream.server;

import org.jspecify.annotations.NullMarked;
