/**
 * Serves a map-stream function to Numaflow's data plane. Start with {@link
 * io.mapstream.server.MapStreamServer}; its settings are {@link io.mapstream.server.ServerOptions},
 * and what it does is told by {@link io.mapstream.server.ServerMetrics}. Nothing else here is
 * public, but for the words that these use.
 *
 * <p>To read how a datum travels, follow it: {@code MapService} (the gRPC binding) ▶ {@code
 * MapStream} (one stream's life) ▶ {@code InFlight} (what is in work) ▶ {@code HandlerTask} (one
 * datum on its virtual thread) ▶ your {@code MapStreamer} ▶ {@code DatumSink} ▶ {@code
 * ResponseWriter} (the one door to the client). All of them but the handler's side of the last
 * three belong to one thread, the event loop, so that nothing here needs a lock.
 */
@NullMarked
package io.mapstream.server;

import org.jspecify.annotations.NullMarked;
