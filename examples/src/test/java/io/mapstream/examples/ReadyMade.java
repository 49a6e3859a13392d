package io.mapstream.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import io.grpc.netty.shaded.io.netty.util.ResourceLeakDetector;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.mapstream.proto.map.v1.Handshake;
import io.mapstream.proto.map.v1.MapResponse;
import io.mapstream.proto.map.v1.ReadyResponse;
import io.mapstream.proto.map.v1.TransmissionStatus;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Answers each datum with the same bytes as {@link Fanout}, but from responses made once, on the
 * event loop and without handlers, which shows the cost of gRPC and the socket alone. Only the id
 * of a request is read. Linux only.
 */
public final class ReadyMade {

  private static final int RESPONSE_BYTES = 64 * 1024;
  private static final int RECEIVE_WINDOW = 4 * 1024 * 1024;
  private static final int MESSAGE_BYTES = 64 * 1024 * 1024;
  private static final int WAITING_BYTES = 4 * 1024 * 1024;
  private static final int ID = 2;
  private static final byte[] EOT =
      MapResponse.newBuilder()
          .setStatus(TransmissionStatus.newBuilder().setEot(true))
          .build()
          .toByteArray();
  private static final byte[] HANDSHAKE =
      MapResponse.newBuilder()
          .setHandshake(Handshake.newBuilder().setSot(true))
          .build()
          .toByteArray();
  private static final byte[] READY =
      ReadyResponse.newBuilder().setReady(true).build().toByteArray();

  private ReadyMade() {}

  /** Returns the command of a process that answers this load, each datum after a delay. */
  static List<String> command(List<String> java, BenchWork work, int delayMillis) {
    List<String> command = new ArrayList<>(java);
    command.add(ReadyMade.class.getName());
    for (int arg : new int[] {work.results(), work.resultBytes(), work.keys(), delayMillis}) {
      command.add("" + arg);
    }
    return command;
  }

  /**
   * Serves until the process is stopped.
   *
   * @param args the number of results of each datum, their size in bytes, the number of their keys,
   *     and the milliseconds until the responses of a datum are sent
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    List<byte[]> answer =
        answer(Integer.parseInt(args[0]), Integer.parseInt(args[1]), Integer.parseInt(args[2]));
    long delayMillis = Long.parseLong(args[3]);
    Path socket = Path.of(System.getenv("MAPSTREAM_SOCKET_PATH"));
    Path info = Path.of(System.getenv("MAPSTREAM_SERVER_INFO_FILE"));
    ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.DISABLED);
    EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    Server server =
        NettyServerBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
            .channelType(EpollServerDomainSocketChannel.class)
            .bossEventLoopGroup(loop)
            .workerEventLoopGroup(loop)
            .directExecutor()
            .flowControlWindow(RECEIVE_WINDOW)
            .maxInboundMessageSize(MESSAGE_BYTES)
            .keepAliveTime(Long.MAX_VALUE, TimeUnit.NANOSECONDS)
            .withChildOption(ChannelOption.SO_KEEPALIVE, null)
            .addService(service(answer, loop, delayMillis))
            .build()
            .start();
    Files.writeString(
        info,
        "{\"protocol\":\"uds\",\"language\":\"java\",\"minimum_numaflow_version\":\"1.4.0-z\","
            + "\"version\":\"1.0.0\",\"metadata\":{\"MAP_MODE\":\"stream-map\"}}U+005C__END__",
        UTF_8);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> end(server, List.of(socket, info))));
    server.awaitTermination();
  }

  private static void end(Server server, List<Path> files) {
    server.shutdownNow();
    try {
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    // The exit code of a signal would look like a failure.
    Runtime.getRuntime().halt(0);
  }

  /** Returns the responses without their id, merged as the server merges results. */
  private static List<byte[]> answer(int count, int size, int keys) {
    MapResponse.Result result =
        MapResponse.Result.newBuilder()
            .setValue(ByteString.copyFrom(new byte[size]))
            .addAllKeys(IntStream.range(0, keys).mapToObj(i -> "key-" + i).toList())
            .build();
    int each = Math.max(1, RESPONSE_BYTES / (result.getSerializedSize() + 4));
    List<byte[]> responses = new ArrayList<>();
    for (int left = count; left > 0; left -= each) {
      MapResponse.Builder response = MapResponse.newBuilder();
      for (int i = 0; i < Math.min(each, left); i++) {
        response.addResults(result);
      }
      responses.add(response.build().toByteArray());
    }
    responses.add(EOT);
    return responses;
  }

  private static ServerServiceDefinition service(
      List<byte[]> answer, EventLoopGroup loop, long delayMillis) {
    return ServerServiceDefinition.builder("map.v1.Map")
        .addMethod(
            method("MapFn", MethodType.BIDI_STREAMING),
            ServerCalls.asyncBidiStreamingCall(client ->
                stream(answer, loop, delayMillis, (ServerCallStreamObserver<Bytes>) client)))
        .addMethod(
            method("IsReady", MethodType.UNARY),
            ServerCalls.asyncUnaryCall((empty, client) -> {
              client.onNext(new Bytes(READY, new byte[0]));
              client.onCompleted();
            }))
        .build();
  }

  /** Requests a datum when little waits for the client, so that a slow one can't fill the heap. */
  private static StreamObserver<byte[]> stream(
      List<byte[]> answer,
      EventLoopGroup loop,
      long delayMillis,
      ServerCallStreamObserver<Bytes> client) {
    client.disableAutoRequest();
    client.setOnReadyThreshold(WAITING_BYTES);
    client.request(1);
    var stream =
        new StreamObserver<byte[]>() {
          private boolean open;
          private boolean waits;

          @Override
          public void onNext(byte[] id) {
            if (!open) {
              open = true;
              client.onNext(new Bytes(HANDSHAKE, id));
            } else if (delayMillis > 0) {
              var unused = loop.next().schedule(() -> send(id), delayMillis, TimeUnit.MILLISECONDS);
            } else {
              send(id);
            }
            waits = true;
            requestIfReady();
          }

          private void send(byte[] id) {
            for (byte[] response : answer) {
              client.onNext(new Bytes(response, id));
            }
          }

          void requestIfReady() {
            if (waits && client.isReady()) {
              waits = false;
              client.request(1);
            }
          }

          @Override
          public void onError(Throwable t) {}

          @Override
          public void onCompleted() {
            client.onCompleted();
          }
        };
    client.setOnReadyHandler(stream::requestIfReady);
    return stream;
  }

  private static MethodDescriptor<byte[], Bytes> method(String name, MethodType type) {
    return MethodDescriptor.<byte[], Bytes>newBuilder()
        .setType(type)
        .setFullMethodName(MethodDescriptor.generateFullMethodName("map.v1.Map", name))
        .setRequestMarshaller(marshaller(ReadyMade::idOf, null))
        .setResponseMarshaller(marshaller(null, bytes -> bytes))
        .build();
  }

  /** Returns the encoded field of the id, or an empty array for a handshake. */
  private static byte[] idOf(InputStream request) {
    try {
      CodedInputStream in = CodedInputStream.newInstance(request);
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        if (WireFormat.getTagFieldNumber(tag) == ID) {
          byte[] id = in.readByteArray();
          byte[] field = new byte[id.length + 2];
          field[0] = (byte) tag;
          field[1] = (byte) id.length; // The client's ids are short numbers.
          System.arraycopy(id, 0, field, 2, id.length);
          request.skipNBytes(request.available());
          return field;
        }
        in.skipField(tag);
      }
      return new byte[0];
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static <T> MethodDescriptor.Marshaller<T> marshaller(
      Function<InputStream, T> reader, Function<T, InputStream> writer) {
    return new MethodDescriptor.Marshaller<>() {
      @Override
      public InputStream stream(T value) {
        return writer.apply(value);
      }

      @Override
      public T parse(InputStream stream) {
        return reader.apply(stream);
      }
    };
  }

  /** A response and its id, which are each drained in one write. */
  private static final class Bytes extends InputStream implements KnownLength, Drainable {
    private final byte[] response;
    private final byte[] id;

    Bytes(byte[] response, byte[] id) {
      this.response = response;
      this.id = id;
    }

    @Override
    public int available() {
      return response.length + id.length;
    }

    @Override
    public int drainTo(OutputStream target) throws IOException {
      target.write(response);
      target.write(id);
      return available();
    }

    @Override
    public int read() {
      throw new UnsupportedOperationException("gRPC drains the stream");
    }

    @Override
    public int read(byte[] target, int offset, int length) {
      throw new UnsupportedOperationException("gRPC drains the stream");
    }
  }
}
