package io.mapstream.server.hostile;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import io.grpc.netty.shaded.io.netty.util.concurrent.DefaultThreadFactory;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.mapstream.proto.map.v1.MapGrpc;
import io.mapstream.proto.map.v1.MapRequest;
import io.mapstream.proto.map.v1.MapResponse;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** An ordinary client of gRPC's own making, with one connection and any number of streams. */
public final class GrpcClient implements AutoCloseable {

  private static final int LARGEST_MESSAGE = 64 * 1024 * 1024;

  private final EventLoopGroup loop =
      new MultiThreadIoEventLoopGroup(
          1, new DefaultThreadFactory("client-io", true), EpollIoHandler.newFactory());
  private final ManagedChannel channel;

  public GrpcClient(Path socket) {
    channel =
        NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
            .eventLoopGroup(loop)
            .channelType(EpollDomainSocketChannel.class)
            .usePlaintext()
            .directExecutor()
            .maxInboundMessageSize(LARGEST_MESSAGE)
            .build();
  }

  /** A stream that reads all it can get. */
  public Stream open() {
    return open(Integer.MAX_VALUE);
  }

  /** A stream that reads {@code initially} messages, and then as many as it is told to. */
  public Stream open(int initially) {
    Stream stream = new Stream(initially);
    MapGrpc.newStub(channel).mapFn(stream);
    stream.send(Requests.handshake());
    return stream;
  }

  @Override
  public void close() {
    channel.shutdownNow();
    Await.until("the channel ends", channel::isTerminated, channel::toString);
    if (!loop.shutdownGracefully(0, 1, TimeUnit.SECONDS)
        .awaitUninterruptibly(Await.LIMIT.toMillis())) {
      throw new AssertionError("the client's event loop does not end");
    }
  }

  /** One MapFn stream whose responses go into a {@link Ledger}. */
  public static final class Stream implements ClientResponseObserver<MapRequest, MapResponse> {

    private final Ledger ledger = new Ledger();
    private final CompletableFuture<Status> end = new CompletableFuture<>();
    private final int initially;
    private ClientCallStreamObserver<MapRequest> server;

    private Stream(int initially) {
      this.initially = initially;
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<MapRequest> requests) {
      server = requests;
      requests.disableAutoRequestWithInitial(initially);
    }

    @Override
    public void onNext(MapResponse response) {
      ledger.received(response);
    }

    @Override
    public void onError(Throwable t) {
      end.complete(Status.fromThrowable(t));
    }

    @Override
    public void onCompleted() {
      end.complete(Status.OK);
    }

    /** Sends a datum whose every result is then counted. */
    public void fan(String id, int emitters, int count, int size) {
      fan(id, emitters, count, size, 0, 0);
    }

    /** Sends a datum of {@code datumSize} bytes or more; each result waits {@code delayMillis}. */
    public void fan(String id, int emitters, int count, int size, int delayMillis, int datumSize) {
      ledger.expect(id, emitters, count);
      String script = "fan %d %d %d %d".formatted(emitters, count, size, delayMillis);
      send(Requests.datum(id, script, datumSize));
    }

    /** Sends a datum whose emitters wait at a gate of the server when half of all is out. */
    public void fanInHalves(String id, int emitters, int count, int size, int gate) {
      ledger.expect(id, emitters, count);
      send(Requests.datum(id, "fan %d %d %d 0 %d".formatted(emitters, count, size, gate)));
    }

    /** Opens the server's gates up to that number. */
    public void openGates(int upTo) {
      order("gates up to " + upTo, "go " + upTo);
    }

    /** Has the server's process write its {@link ProcessAccount}. */
    public void account(String id, Path file) {
      order(id, "account " + file);
    }

    private void order(String id, String script) {
      ledger.expect(id, 0, 0);
      send(Requests.datum(id, script));
    }

    /** Sends a datum that fails while its emitters are at it. */
    public void fail(String id, int emitters, int count, int size) {
      failBy("fail", id, emitters, count, size);
    }

    /** Sends a datum whose handler throws while its emitters are at it. */
    public void failByThrowing(String id, int emitters, int count, int size) {
      failBy("throw", id, emitters, count, size);
    }

    private void failBy(String verb, String id, int emitters, int count, int size) {
      ledger.expectFail(id, emitters, count);
      send(Requests.datum(id, "%s %d %d %d 0".formatted(verb, emitters, count, size)));
    }

    /** One caller at a time. */
    public void send(MapRequest request) {
      server.onNext(request);
    }

    /** Waits until what was sent has nearly left, so that it does not pile up in here. */
    public void awaitReady() {
      Await.until(
          "the server takes more", () -> server.isReady() || hasEnded(), ledger::unanswered);
    }

    public void halfClose() {
      server.onCompleted();
    }

    public void cancel() {
      server.cancel("the test says so", null);
    }

    /** Reads this many messages more. */
    public void read(int messages) {
      server.request(messages);
    }

    public Ledger ledger() {
      return ledger;
    }

    public boolean hasEnded() {
      return end.isDone();
    }

    /** Waits for the stream's end. */
    public Status awaitEnd() {
      try {
        return end.get(Await.LIMIT.toSeconds(), TimeUnit.SECONDS);
      } catch (Exception e) {
        throw new AssertionError("the stream does not end; unanswered " + ledger.unanswered(), e);
      }
    }

    /** Half-closes, and checks that everything came and the stream ends with OK. */
    public void finish() {
      halfClose();
      Status status = awaitEnd();
      if (!status.isOk()) {
        throw new AssertionError("ended with " + status + "; unanswered " + ledger.unanswered());
      }
      ledger.verifyComplete();
    }

    /** Waits until every datum sent so far has its EOT. */
    public void awaitAnswers() {
      Await.until(
          "every datum is answered",
          () -> ledger.isComplete() || hasEnded(),
          () -> "unanswered " + ledger.unanswered());
      ledger.verifyComplete();
    }
  }
}
