package io.mapstream.testkit;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.mapstream.Datum;
import io.mapstream.proto.Codec;
import io.mapstream.proto.map.v1.MapGrpc;
import io.mapstream.proto.map.v1.MapRequest;
import io.mapstream.proto.map.v1.MapResponse;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One {@code MapFn} stream, as the data plane uses it: a handshake, then datums under ids.
 * Responses are assigned to datums by id: for each, any number of results and then the EOT.
 *
 * <p><b>Ids.</b> {@link #send(Datum)} numbers datums that have none; {@link #send(String, Datum)}
 * accepts any id, even one that was used before. If the earlier datum with that id is still open,
 * responses belong to the earlier one until its EOT, and then to the later one: the protocol has no
 * way to tell them apart.
 *
 * <p><b>Reading.</b> A stream reads responses as fast as they arrive, and a {@link Reply} keeps
 * them until they are taken. {@link #pauseReading()} stops that: no further response is requested,
 * so the server's handlers soon block in {@code emit}. {@link #read(int)} then reads the given
 * number of responses.
 *
 * <p><b>Faults.</b> A violation of the protocol by the server (see {@link ProtocolFaultError})
 * cancels the stream. Methods that are waiting throw the error; if none is, {@link #close()} throws
 * it.
 *
 * <p>All methods may be called from any thread.
 */
public final class ClientStream implements AutoCloseable {

  /** The states of a stream, in order; it never goes back to an earlier one. */
  private enum State {
    /** The handshake was sent and its echo is awaited. */
    OPENING,
    /** Datums are sent and answered. */
    OPEN,
    /** No more datums are sent; the open ones are still being answered. */
    HALF_CLOSED,
    /** The status is known; nothing more is sent or received. */
    ENDED
  }

  /**
   * The number of responses to request at once while reading is not paused: requesting one at a
   * time costs as much as reading it.
   */
  static final int READ_AHEAD = 32;

  private final String name;
  private final Duration timeout;
  private final ClientCall<MapRequest, MapResponse> call;

  /** Returns what the handler of an id threw, if it is known here that the status reports that. */
  private final BiFunction<String, StreamStatus, Optional<Throwable>> failures;

  /** Guards everything below, the sending side of the call, and the replies. */
  final InternalGuard guard = new InternalGuard();

  private final SentDatums open = new SentDatums();

  private State state = State.OPENING;
  private boolean reading;
  private boolean readsRest;
  private long requested;
  private long received;

  /** Whether this side has called {@link #cancel}, even after the end. */
  boolean cancelled;

  private @Nullable StreamStatus status;
  private @Nullable String fault;
  private boolean faultReported;

  ClientStream(
      Channel channel,
      String name,
      boolean reading,
      Duration timeout,
      BiFunction<String, StreamStatus, Optional<Throwable>> failures) {
    this.failures = failures;
    this.name = name;
    this.reading = reading;
    this.timeout = timeout;
    this.call = channel.newCall(MapGrpc.getMapFnMethod(), CallOptions.DEFAULT);
  }

  /** Starts the stream with a handshake. Called once, before any other method. */
  void open() throws InterruptedException {
    Deadline deadline = Deadline.in(timeout);
    guard.run(() -> {
      call.start(new Responses(), new Metadata());
      ask(1);
      call.sendMessage(Codec.handshake());
    });
    await(deadline, () -> state != State.OPENING, () -> "the echo of the handshake on " + name);
    guard.run(() -> throwIfEndedBefore("the echo of the handshake"));
  }

  private void await(Deadline deadline, BooleanSupplier reached, Supplier<String> name)
      throws InterruptedException {
    InternalGuard.throwIfInterrupted();
    guard.await(deadline, reached, name);
  }

  // Sending.

  /**
   * Sends a datum under its {@linkplain Datum#id() id}, or under the next free number if it has
   * none.
   *
   * <p>Waits while the server applies back-pressure (the connection accepts no more data), for at
   * most the client's {@link MapStreamClient.Builder#timeout}. An interruption or the end of the
   * stream ends the wait.
   *
   * @param datum the datum to send
   * @return the reply that receives its results
   * @throws InterruptedException if the thread was interrupted; the datum was not sent
   * @throws WaitTimeoutError if the server did not accept the datum in time; it was not sent
   * @throws StreamBrokenException if the stream has ended
   * @throws ProtocolFaultError if the server violated the protocol
   * @throws IllegalStateException if the stream was half-closed
   */
  public Reply send(Datum datum) throws InterruptedException {
    String id = Objects.requireNonNull(datum, "datum").id();
    return send(id.isEmpty() ? guard.get(open::nextId) : id, datum);
  }

  /**
   * Sends a datum under a given id. Waits and fails as {@link #send(Datum)} does.
   *
   * @param id any text that is not empty; reuse an earlier one to imitate a retry
   * @param datum the datum to send
   * @return the reply that receives its results
   * @throws InterruptedException as {@link #send(Datum)} does
   * @throws IllegalArgumentException if the id is empty
   */
  public Reply send(String id, Datum datum) throws InterruptedException {
    Reply reply = new Reply(this, id, datum, timeout);
    send(id, datum, reply.listener());
    return reply;
  }

  /** Sends the only datum of this stream. {@link #finish} half-closes it when its handler ends. */
  void sendOnly(Reply reply) throws InterruptedException {
    guard.get(() -> {
      send(reply.id(), reply.datum(), reply.listener());
      if (state == State.OPEN) {
        state = State.HALF_CLOSED;
      }
      return null;
    });
  }

  /**
   * Sends a datum under a given id, and notifies a listener of what arrives for it. Waits and fails
   * as {@link #send(Datum)} does.
   *
   * @param id any text that is not empty; reuse an earlier one to imitate a retry
   * @param datum the datum to send
   * @param listener notified of each message and of the end, unless this method throws
   * @throws InterruptedException if the thread was interrupted; the datum was not sent
   * @throws IllegalArgumentException if the id is empty
   */
  public void send(String id, Datum datum, ReplyListener listener) throws InterruptedException {
    if (Objects.requireNonNull(id, "id").isEmpty()) {
      throw new IllegalArgumentException("id must not be empty");
    }
    Objects.requireNonNull(listener, "listener");
    MapRequest request = Codec.request(id, Objects.requireNonNull(datum, "datum"));
    Deadline deadline = Deadline.in(timeout);
    String what = "datum \"" + id + "\"";
    guard.get(() -> {
      await(
          deadline,
          () -> state != State.OPEN || call.isReady(),
          () -> "the server to accept " + what + situation());
      throwIfEndedBefore(what + " could be sent");
      if (state == State.HALF_CLOSED) {
        throw new IllegalStateException(what + " can't be sent: " + name + " was half-closed");
      }
      open.add(id, datum, listener);
      call.sendMessage(request);
      return null;
    });
  }

  /**
   * Tells the server that no more datums follow: it finishes the open ones and then closes with OK.
   * Does not wait for that; see {@link #complete}. Does nothing if the stream was half-closed
   * before or has ended.
   */
  public void halfClose() {
    guard.update(() -> {
      if (state == State.OPEN) {
        state = State.HALF_CLOSED;
        finish();
      }
    });
  }

  void finish() {
    guard.run(() -> {
      if (state == State.HALF_CLOSED) {
        call.halfClose();
      }
    });
  }

  /**
   * Cancels the stream, as the data plane does when it stops: the server interrupts the handlers of
   * all open datums. Does nothing on a stream that has ended.
   */
  public void cancel() {
    guard.run(() -> {
      cancelled = true;
      cancel("cancelled by this client");
    });
  }

  /** Listeners are notified when gRPC reports the end of the call. */
  void cancel(String reason) {
    guard.run(() -> {
      if (state != State.ENDED) {
        end(new StreamStatus("CANCELLED", reason, ""));
        call.cancel(reason, null);
      }
    });
  }

  private void end(StreamStatus how) {
    guard.update(() -> {
      state = State.ENDED;
      status = how;
    });
  }

  // Reading.

  /**
   * Stops reading responses until {@link #resumeReading()} or {@link #read(int)}. A few dozen that
   * were requested before may still arrive; on a stream that was opened paused, none do.
   */
  public void pauseReading() {
    guard.run(() -> reading = false);
  }

  /** Reads responses as they arrive, from now on. */
  public void resumeReading() {
    guard.run(() -> {
      reading = true;
      askNext();
    });
  }

  /** Reads what is still to come; {@link #read} then has nothing to do. */
  void readRest() {
    guard.run(() -> {
      readsRest = true;
      resumeReading();
    });
  }

  private void askNext() {
    long awaited = requested - received;
    if (reading && awaited <= READ_AHEAD / 2) {
      ask((int) (READ_AHEAD - awaited));
    }
  }

  private void ask(int responses) {
    requested += responses;
    call.request(responses);
  }

  /**
   * Requests more responses and returns at once. A response carries one or more results of one
   * datum, or an EOT.
   *
   * @param responses how many, at least 1
   * @throws IllegalStateException if reading isn't paused
   * @throws IllegalArgumentException if it is less than 1
   */
  public void read(int responses) {
    Arguments.atLeastOne("responses", responses);
    guard.run(() -> {
      if (reading && !readsRest) {
        throw new IllegalStateException(
            name + " reads responses as they arrive: pause reading first");
      } else if (!reading) {
        ask(responses);
      }
    });
  }

  // The end.

  /**
   * Half-closes the stream and waits until the server has sent an EOT for every datum and closed
   * the stream with OK. An interruption ends the wait and leaves the stream as it is.
   *
   * @param limit how long to wait at most
   * @throws InterruptedException if the thread was interrupted
   * @throws IllegalArgumentException if the limit is negative; the stream is not half-closed
   * @throws WaitTimeoutError if the server did not close in time
   * @throws StreamBrokenException if the stream ended with a status other than OK
   * @throws ProtocolFaultError if the server violated the protocol
   */
  public void complete(Duration limit) throws InterruptedException {
    Arguments.notNegative("limit", limit);
    halfClose();
    if (!awaitEnd(limit).isOk()) {
      guard.run(() -> throwIfEndedBefore("the server's OK"));
    }
  }

  /**
   * Waits until the stream has ended for any reason. An interruption ends the wait and leaves the
   * stream as it is.
   *
   * @param limit how long to wait at most
   * @return how it ended
   * @throws InterruptedException if the thread was interrupted
   * @throws IllegalArgumentException if the limit is negative
   * @throws WaitTimeoutError if it did not end in time
   * @throws ProtocolFaultError if the server violated the protocol
   */
  public StreamStatus awaitEnd(Duration limit) throws InterruptedException {
    Deadline deadline = Deadline.in(limit);
    return guard.get(() -> {
      await(deadline, () -> state == State.ENDED, () -> "the end of " + name + situation());
      throwFault();
      return Objects.requireNonNull(status);
    });
  }

  /** Whether closing the client has nothing to report about this stream. */
  boolean isForgettable() {
    return guard.get(() -> state == State.ENDED && (fault == null || faultReported));
  }

  /** {@return whether the stream has ended} */
  public boolean hasEnded() {
    return guard.get(() -> state == State.ENDED);
  }

  /**
   * {@return the datums that have no EOT, by id and in the order in which they were sent; of
   * several with the same id, the oldest} The data plane would send all of them again after a
   * broken stream.
   */
  public Map<String, Datum> unanswered() {
    Map<String, Datum> datums = new LinkedHashMap<>();
    allUnanswered().forEach(sent -> datums.putIfAbsent(sent.id(), sent.datum()));
    return Collections.unmodifiableMap(datums);
  }

  List<SentDatums.Sent> allUnanswered() {
    return guard.get(open::all);
  }

  /**
   * Cancels the stream unless it has ended.
   *
   * @throws ProtocolFaultError if the server violated the protocol and that was not thrown before
   */
  @Override
  public void close() {
    cancel();
    guard.run(() -> {
      if (!faultReported) {
        throwFault();
      }
    });
  }

  /** {@return the name and the state of the stream, as in exception messages} */
  @Override
  public String toString() {
    return guard.get(() -> name + situation());
  }

  // Used by replies. The caller holds the lock.

  String situation() {
    return " (stream "
        + (status == null ? state.name().toLowerCase(Locale.ROOT) : status)
        + ", "
        + open
        + (reading ? ")" : ", reading paused)");
  }

  /** Throws if the stream has ended: its protocol fault, or else its status. */
  void throwIfEndedBefore(String awaited) {
    if (state == State.ENDED) {
      throwFault();
      throw broken(awaited);
    }
  }

  /** Returns what the handler of an id threw, if that ended this stream. */
  Optional<Throwable> failure(String id) {
    return isInternal() ? failures.apply(id, Objects.requireNonNull(status)) : Optional.empty();
  }

  /** Returns whether the server has ended the stream with INTERNAL, as for a handler's failure. */
  boolean isInternal() {
    return fault == null && status != null && status.code().equals("INTERNAL");
  }

  /** Requests the first {@code results} of the stream, one per response, unless it reads freely. */
  void request(long results) {
    long responses = 1 + results; // after the handshake
    if (!reading && responses > requested) {
      ask((int) (responses - requested));
    }
  }

  /** Returns how many results were requested, or as many as there are while it reads freely. */
  long requested() {
    return reading ? Long.MAX_VALUE : requested - 1;
  }

  private void throwFault() {
    if (fault != null) {
      faultReported = true;
      throw new ProtocolFaultError(named(fault));
    }
  }

  StreamBrokenException broken(String awaited) {
    return new StreamBrokenException(
        named("ended before " + awaited), Objects.requireNonNull(status));
  }

  private String named(String what) {
    return name + ": " + what;
  }

  /** Receives the responses one after another. Notifies listeners without holding the lock. */
  private final class Responses extends ClientCall.Listener<MapResponse> {

    @Override
    public void onReady() {
      guard.update(() -> {});
    }

    @Override
    public void onMessage(MapResponse response) {
      guard.get(() -> taken(response)).run();
    }

    /** Returns the rest of the work for a response, to be run without the lock. */
    private Runnable taken(MapResponse response) {
      received++;
      if (state == State.ENDED) {
        return () -> {};
      }
      try {
        Runnable delivery = open.received(response);
        if (state == State.OPENING) {
          guard.update(() -> state = State.OPEN);
        }
        return () -> {
          delivery.run();
          guard.run(ClientStream.this::askNext);
        };
      } catch (IllegalArgumentException e) {
        fault = e.getMessage();
        cancel("protocol fault: " + fault);
        return () -> {};
      }
    }

    @Override
    public void onClose(Status grpcStatus, Metadata trailers) {
      guard.get(() -> closed(StreamStatus.of(grpcStatus, trailers))).run();
    }

    private Runnable closed(StreamStatus how) {
      if (state != State.ENDED) {
        end(how);
        if (how.isOk()) {
          fault = open.faultOfOk().orElse(null);
        }
      }
      List<SentDatums.Sent> left = open.all();
      Throwable reason = fault == null ? broken("an EOT") : new ProtocolFaultError(named(fault));
      return () -> left.forEach(sent -> sent.listener().failed(reason));
    }
  }
}
