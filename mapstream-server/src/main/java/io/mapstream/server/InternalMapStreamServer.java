package io.mapstream.server;

import io.grpc.ServerServiceDefinition;
import io.mapstream.MapStreamer;
import java.util.concurrent.Executor;

/**
 * The server's engine for the test kit. Internal: not part of the API, and may change in any
 * release.
 */
public final class InternalMapStreamServer {

  private InternalMapStreamServer() {}

  /**
   * Returns the gRPC service of a handler, for any server. A handler's failure ends its stream and
   * nothing else.
   *
   * @param handler called once per datum
   * @param options the options; those about handlers, failures and sizes are used, paths and grace
   *     are not
   * @param pendingResults how many results of a stream may wait to be written before {@code emit}
   *     blocks; each is sent in its own response
   * @param loop one thread, on which the server must run gRPC's callbacks
   * @return the service
   */
  public static ServerServiceDefinition service(
      MapStreamer handler, ServerOptions options, int pendingResults, Executor loop) {
    StreamContext context =
        StreamContext.builder(handler, options, loop)
            .limits(Limits.of(options).countingResults(pendingResults))
            .build();
    return new MapService(new StreamRegistry(context)).definition();
  }

  /**
   * Returns whether a handler threw only because its stream had ended: it was interrupted, or its
   * {@code emit} was refused.
   *
   * @param thrown what the handler threw
   * @return whether that or one of its causes results from the end
   */
  public static boolean comesFromTheEnd(Throwable thrown) {
    return Failures.comesFromTheEnd(thrown);
  }
}
