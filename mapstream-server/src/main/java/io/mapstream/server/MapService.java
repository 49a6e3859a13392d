package io.mapstream.server;

import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The binding to gRPC: the service {@code map.v1.Map} with its two methods, and how their messages
 * are read and written. gRPC must call it on the engine's event loop.
 */
final class MapService {

  /** {@code ReadyResponse{ready: true}}. */
  private static final byte[] READY = {1 << 3, 1};

  private static final String NAME = "map.v1.Map";

  private static final MethodDescriptor<Boolean, byte[]> IS_READY =
      MethodDescriptor.<Boolean, byte[]>newBuilder()
          .setType(MethodType.UNARY)
          .setFullMethodName(MethodDescriptor.generateFullMethodName(NAME, "IsReady"))
          .setRequestMarshaller(readOnly(empty -> true))
          .setResponseMarshaller(writeOnly(ByteArrayInputStream::new))
          .build();

  private final StreamRegistry streams;
  private final int maxMessageSize;

  MapService(StreamRegistry streams) {
    this.streams = streams;
    this.maxMessageSize = streams.limits().messageSize();
  }

  private MethodDescriptor<Request, Response> mapFn() {
    return MethodDescriptor.<Request, Response>newBuilder()
        .setType(MethodType.BIDI_STREAMING)
        .setFullMethodName(MethodDescriptor.generateFullMethodName(NAME, "MapFn"))
        .setRequestMarshaller(readOnly(stream -> WireMapping.readRequest(stream, maxMessageSize)))
        .setResponseMarshaller(writeOnly(Response::open))
        .build();
  }

  /** Returns the service for {@code ServerBuilder.addService}. */
  ServerServiceDefinition definition() {
    return ServerServiceDefinition.builder(NAME)
        .addMethod(
            mapFn(),
            ServerCalls.asyncBidiStreamingCall(
                client -> streams.open((ServerCallStreamObserver<Response>) client)))
        .addMethod(IS_READY, ServerCalls.asyncUnaryCall(this::isReady))
        .build();
  }

  private void isReady(@Nullable Boolean empty, StreamObserver<byte[]> client) {
    if (streams.isDraining()) {
      client.onError(StreamRegistry.stopping().asRuntimeException());
    } else {
      client.onNext(READY);
      client.onCompleted();
    }
  }

  private static <T> MethodDescriptor.Marshaller<T> readOnly(Function<InputStream, T> parse) {
    return new OneWay<>(
        parse,
        value -> {
          throw new UnsupportedOperationException("a server reads requests");
        });
  }

  private static <T> MethodDescriptor.Marshaller<T> writeOnly(Function<T, InputStream> stream) {
    return new OneWay<>(
        bytes -> {
          throw new UnsupportedOperationException("a server writes responses");
        },
        stream);
  }

  /** A marshaller for the one direction that a server needs. */
  private record OneWay<T>(Function<InputStream, T> reader, Function<T, InputStream> writer)
      implements MethodDescriptor.Marshaller<T> {
    @Override
    public InputStream stream(T value) {
      return writer.apply(value);
    }

    @Override
    public T parse(InputStream stream) {
      return reader.apply(stream);
    }
  }
}
