package io.mapstream.testkit;

import com.google.protobuf.Empty;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.util.concurrent.DefaultThreadFactory;
import io.mapstream.proto.map.v1.MapGrpc;
import io.mapstream.server.InternalSocketKind;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The client's end of a Unix socket; the only class of the test kit that uses Netty. */
final class ClientSocket {

  private static final Duration READY_CALL = Duration.ofSeconds(5);

  // Answers to IsReady for which the server gives no status.
  private static final StreamStatus READY = new StreamStatus("OK", "ready = true", "");
  private static final StreamStatus NOT_READY =
      new StreamStatus("UNAVAILABLE", "ready = false", "");
  private static final StreamStatus NONE = new StreamStatus("DEADLINE_EXCEEDED", "no answer", "");

  private final Path path;
  private final EventLoopGroup loop;
  private final ManagedChannel channel;

  ClientSocket(Path path, InternalSocketKind kind, int maxMessageSize) {
    this.path = path;
    loop =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("mapstream-client-io", true), kind.ioHandler());
    channel =
        NettyChannelBuilder.forAddress(kind.address(path))
            .channelType(kind.clientChannel())
            .eventLoopGroup(loop)
            .usePlaintext()
            // The authority that gRPC derives from a path would be invalid.
            .overrideAuthority("localhost")
            // gRPC's own retries would hide a broken stream, and buffer what was sent.
            .disableRetry()
            // gRPC sets it for TCP; on a Unix socket Netty would log a warning.
            .withOption(ChannelOption.SO_KEEPALIVE, null)
            .maxInboundMessageSize(maxMessageSize)
            .build();
  }

  /** {@return a channel that connects at the first call, and again after a lost connection} */
  ManagedChannel channel() {
    return channel;
  }

  /** Asks the server once whether it is ready, and waits at most five seconds for the answer. */
  StreamStatus readiness(Duration limit) throws InterruptedException {
    // Otherwise gRPC would wait for a second before it reconnects.
    channel.resetConnectBackoff();
    long nanos = Math.min(Deadline.nanos(limit), READY_CALL.toNanos());
    var call = MapGrpc.newFutureStub(channel).isReady(Empty.getDefaultInstance());
    try {
      return call.get(nanos, TimeUnit.NANOSECONDS).getReady() ? READY : NOT_READY;
    } catch (ExecutionException e) {
      return StreamStatus.of(Status.fromThrowable(e), new Metadata());
    } catch (TimeoutException e) {
      return NONE;
    } finally {
      call.cancel(true);
    }
  }

  /** Waits until the server reports that it is ready. */
  void awaitReady(Deadline deadline) throws InterruptedException {
    StreamStatus last = NONE;
    do {
      StreamStatus answer = readiness(deadline.left());
      if (answer.isOk()) {
        return;
      }
      // The last call may have had no time to complete; an earlier answer is more informative.
      last = answer.equals(NONE) ? last : answer;
    } while (deadline.pause());
    throw new WaitTimeoutError(
        "waited %s for a server on %s to be ready; its answer to IsReady: %s"
            .formatted(deadline, path, last.equals(NOT_READY) ? last.message() : last));
  }

  /** Closes the connection. Returns when that is done, or after a few seconds. */
  void close() {
    channel.shutdownNow();
    try {
      channel.awaitTermination(2, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
  }
}
