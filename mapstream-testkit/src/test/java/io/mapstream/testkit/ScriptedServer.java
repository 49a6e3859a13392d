package io.mapstream.testkit;

import com.google.protobuf.Empty;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.nio.NioIoHandler;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.grpc.stub.StreamObserver;
import io.mapstream.proto.map.v1.Handshake;
import io.mapstream.proto.map.v1.MapGrpc;
import io.mapstream.proto.map.v1.MapRequest;
import io.mapstream.proto.map.v1.MapResponse;
import io.mapstream.proto.map.v1.ReadyResponse;
import io.mapstream.proto.map.v1.TransmissionStatus;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/** A server that answers requests as a test defines, correctly or not. */
final class ScriptedServer implements AutoCloseable {

  private final InternalTemporaryFolder folder = InternalTemporaryFolder.create();
  private final EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final Server server;

  /** The answer to IsReady. */
  volatile boolean ready = true;

  /** Calls {@code script} with each request, including the handshake, and its responses. */
  ScriptedServer(BiConsumer<MapRequest, StreamObserver<MapResponse>> script) throws IOException {
    server =
        NettyServerBuilder.forAddress(UnixDomainSocketAddress.of(socketPath()))
            .channelType(NioServerDomainSocketChannel.class)
            .bossEventLoopGroup(loop)
            .workerEventLoopGroup(loop)
            .directExecutor()
            .addService(new Scripted(script))
            .build()
            .start();
  }

  Path socketPath() {
    return folder.resolve("s");
  }

  /** Answers the handshake correctly and passes all other requests to {@code script}. */
  static BiConsumer<MapRequest, StreamObserver<MapResponse>> afterHandshake(
      BiConsumer<MapRequest, StreamObserver<MapResponse>> script) {
    return (request, responses) -> {
      if (request.hasHandshake()) {
        responses.onNext(handshake());
      } else {
        script.accept(request, responses);
      }
    };
  }

  static MapResponse handshake() {
    return MapResponse.newBuilder().setHandshake(Handshake.newBuilder().setSot(true)).build();
  }

  static MapResponse.Builder results(String id, int count) {
    MapResponse.Builder response = MapResponse.newBuilder().setId(id);
    for (int i = 0; i < count; i++) {
      response.addResults(MapResponse.Result.getDefaultInstance());
    }
    return response;
  }

  static MapResponse.Builder eot(String id) {
    return MapResponse.newBuilder()
        .setId(id)
        .setStatus(TransmissionStatus.newBuilder().setEot(true));
  }

  @Override
  public void close() {
    server.shutdownNow();
    loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
    folder.delete();
  }

  private final class Scripted extends MapGrpc.MapImplBase {

    private final BiConsumer<MapRequest, StreamObserver<MapResponse>> script;

    Scripted(BiConsumer<MapRequest, StreamObserver<MapResponse>> script) {
      this.script = script;
    }

    @Override
    public void isReady(Empty empty, StreamObserver<ReadyResponse> answer) {
      answer.onNext(ReadyResponse.newBuilder().setReady(ready).build());
      answer.onCompleted();
    }

    @Override
    public StreamObserver<MapRequest> mapFn(StreamObserver<MapResponse> responses) {
      return new StreamObserver<>() {
        @Override
        public void onNext(MapRequest request) {
          script.accept(request, responses);
        }

        @Override
        public void onError(Throwable t) {}

        @Override
        public void onCompleted() {
          responses.onCompleted();
        }
      };
    }
  }
}
