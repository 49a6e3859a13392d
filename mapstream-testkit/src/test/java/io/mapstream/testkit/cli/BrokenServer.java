package io.mapstream.testkit.cli;

import com.google.protobuf.ByteString;
import com.google.protobuf.Empty;
import io.grpc.Server;
import io.grpc.Status;
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
import io.mapstream.proto.metadata.KeyValueGroup;
import io.mapstream.proto.metadata.Metadata;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * A server that answers each datum with one result and its EOT, and has one fault. With {@link
 * Fault#NONE} it honours the contract.
 */
final class BrokenServer implements AutoCloseable {

  enum Fault {
    NONE,
    NOT_READY,
    NO_SOT,
    ACCEPTS_ALL_FIRSTS,
    NO_EOT,
    NO_ID,
    TWO_EOTS,
    RESULT_AFTER_EOT,
    RESULTS_ON_EOT,
    FOREIGN_ID,
    TWO_MARKS,
    RESULT_AFTER_FAIL,
    OPEN_AFTER_HALF_CLOSE,
    NO_REPEATED_IDS,
    OVERTAKEN_RESULTS,
    SMALL_LIMIT,
    NO_METADATA,
    SYSTEM_METADATA_BACK,
    ENDS_AFTER_A_STREAM,
    ENDS_AT_A_CANCEL,
    DRAINED
  }

  private final EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final Server server;
  private final Path socketPath;
  private final Fault fault;

  BrokenServer(Path socketPath, Fault fault) throws IOException {
    this.socketPath = socketPath;
    this.fault = fault;
    server =
        NettyServerBuilder.forAddress(UnixDomainSocketAddress.of(socketPath))
            .channelType(NioServerDomainSocketChannel.class)
            .bossEventLoopGroup(loop)
            .workerEventLoopGroup(loop)
            .directExecutor()
            .maxInboundMessageSize(fault == Fault.SMALL_LIMIT ? 4096 : 64 * 1024 * 1024)
            .addService(new Service())
            .build()
            .start();
  }

  Path socketPath() {
    return socketPath;
  }

  @Override
  public void close() {
    server.shutdownNow();
    loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
  }

  private final class Service extends MapGrpc.MapImplBase {

    @Override
    public void isReady(Empty empty, StreamObserver<ReadyResponse> answer) {
      answer.onNext(ReadyResponse.newBuilder().setReady(fault != Fault.NOT_READY).build());
      answer.onCompleted();
    }

    @Override
    public StreamObserver<MapRequest> mapFn(StreamObserver<MapResponse> client) {
      return new Stream(client);
    }
  }

  private final class Stream implements StreamObserver<MapRequest> {

    private final StreamObserver<MapResponse> client;
    private final Set<String> seen = new HashSet<>();
    private boolean shaken;
    private boolean over;

    Stream(StreamObserver<MapResponse> client) {
      this.client = client;
    }

    @Override
    public void onNext(MapRequest request) {
      if (over) {
        return;
      }
      if (fault == Fault.NO_METADATA && request.getRequest().hasMetadata()) {
        return;
      }
      if (shaken) {
        answer(request.getId());
      } else if (request.getHandshake().getSot() || fault == Fault.ACCEPTS_ALL_FIRSTS) {
        shaken = true;
        var handshake = Handshake.newBuilder().setSot(fault != Fault.NO_SOT);
        client.onNext(MapResponse.newBuilder().setHandshake(handshake).build());
      } else {
        over = true;
        client.onError(
            Status.INVALID_ARGUMENT.withDescription("expected a handshake").asRuntimeException());
      }
    }

    private void answer(String id) {
      boolean isNew = seen.add(id);
      MapResponse.Builder eot = eot(id);
      switch (fault) {
        case NO_EOT -> client.onNext(results(id, 1).build());
        case NO_ID -> end("", eot(""));
        case NO_REPEATED_IDS -> {
          if (isNew) {
            end(id, eot);
          }
        }
        case TWO_EOTS -> {
          end(id, eot);
          client.onNext(eot.build());
        }
        case RESULT_AFTER_EOT -> {
          end(id, eot);
          client.onNext(results(id, 1).build());
        }
        case RESULTS_ON_EOT -> client.onNext(results(id, 1).setStatus(eot.getStatus()).build());
        case FOREIGN_ID -> {
          client.onNext(results("somebody's", 1).build());
          end(id, eot);
        }
        case TWO_MARKS -> {
          client.onNext(marked(id, "U+005C__DROP__", "U+005C__FAIL__"));
          client.onNext(eot.build());
        }
        case RESULT_AFTER_FAIL -> {
          client.onNext(marked(id, "U+005C__FAIL__"));
          end(id, eot);
        }
        case OVERTAKEN_RESULTS -> {
          // In order for the first datum of a stream, swapped for the others.
          boolean swapped = seen.size() > 1;
          client.onNext(numbered(id, swapped ? 2 : 1));
          client.onNext(numbered(id, swapped ? 1 : 2));
          client.onNext(eot.build());
        }
        case SYSTEM_METADATA_BACK -> {
          var system = KeyValueGroup.newBuilder().putKeyValue("k", ByteString.EMPTY).build();
          var metadata = Metadata.newBuilder().putSysMetadata("s", system);
          var result = MapResponse.Result.newBuilder().setMetadata(metadata);
          client.onNext(MapResponse.newBuilder().setId(id).addResults(result).build());
          client.onNext(eot.build());
        }
        case DRAINED -> {
          end(id, eot);
          over = true;
          client.onError(Status.UNAVAILABLE.withDescription("draining").asRuntimeException());
        }
        default -> end(id, eot);
      }
    }

    private void end(String id, MapResponse.Builder eot) {
      client.onNext(results(id, 1).build());
      client.onNext(eot.build());
    }

    @Override
    public void onError(Throwable t) {
      over = true;
      endServerOf(Fault.ENDS_AT_A_CANCEL);
    }

    private void endServerOf(Fault ending) {
      if (fault == ending) {
        server.shutdownNow();
      }
    }

    @Override
    public void onCompleted() {
      if (!over && fault != Fault.OPEN_AFTER_HALF_CLOSE) {
        client.onCompleted();
        endServerOf(Fault.ENDS_AFTER_A_STREAM);
      }
    }
  }

  private static MapResponse.Builder results(String id, int count) {
    MapResponse.Builder response = MapResponse.newBuilder().setId(id);
    for (int i = 0; i < count; i++) {
      response.addResults(MapResponse.Result.getDefaultInstance());
    }
    return response;
  }

  private static MapResponse numbered(String id, int number) {
    var result = MapResponse.Result.newBuilder().addKeys("" + number);
    return MapResponse.newBuilder().setId(id).addResults(result).build();
  }

  private static MapResponse marked(String id, String... tags) {
    var result = MapResponse.Result.newBuilder().addAllTags(java.util.List.of(tags));
    return MapResponse.newBuilder().setId(id).addResults(result).build();
  }

  private static MapResponse.Builder eot(String id) {
    return MapResponse.newBuilder()
        .setId(id)
        .setStatus(TransmissionStatus.newBuilder().setEot(true));
  }
}
