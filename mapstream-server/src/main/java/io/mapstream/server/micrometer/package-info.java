/**
 * The server's metrics as Micrometer meters: {@link
 * io.mapstream.server.micrometer.MapStreamMetrics}. It needs {@code micrometer-core} on the class
 * path, which comes with the chosen registry and not with the server.
 */
@NullMarked
package io.mapstream.server.micrometer;

import org.jspecify.annotations.NullMarked;
