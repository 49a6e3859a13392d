package io.mapstream.testkit;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.mapstream.Datum;
import io.mapstream.Message;
import io.mapstream.proto.map.v1.MapGrpc;
import io.mapstream.proto.map.v1.MapRequest;
import io.mapstream.proto.map.v1.MapResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One {@code MapFn} stream as the data plane has it: after the handshake, datums go out under ids,
 * and what comes back is sorted by these ids, any number of results and then the EOT for each.
 *
 * <p><b>Ids.</b> {@link #send(Datum)} counts them up; {@link #send(String, Datum)} takes any, also
 * one that was used before. If the earlier datum with that id is still open, what arrives belongs
 * to that one until its EOT, and to the later one then: the wire can't tell more.
 *
 * <p><b>Reading.</b> A stream reads as fast as responses come, and a {@link Reply} keeps them until
 * they are taken. {@link #pauseReading()} stops that: no further response is asked for, so that a
 * server's handlers soon wait in {@code emit}. {@link #read(int)} then reads as many responses as
 * the test says.
 *
 * <p><b>Faults.</b> What a server must not do (see {@link ProtocolFaultException}) cancels the
 * stream, and is thrown by whatever waits here, or by {@link #close()} if nothing did.
 *
 * <p>All methods may be called from any thread.
 */
public final class ClientStream implements AutoCloseable {

  /** Where a stream is in its life; it only moves downwards. */
  private enum State {
    /** The handshake is on its way and its echo is awaited. */
    OPENING,
    /** Datums are sent and answered. */
    OPEN,
    /** No more datums are sent; those that are open are answered. */
    HALF_CLOSED,
    /** There is a status; nothing is sent or received any more. */
    ENDED
  }

  /**
   * Responses asked for at once while all are read: asking for each alone costs as much as reading
   * it.
   */
  static final int READ_AHEAD = 32;

  /** Ids kept after their EOT, to name a fault for what it is. */
  private static final int ENDED_IDS = 1000;

  private final String name;
  private final Duration sendLimit;
  private final ClientCall<MapRequest, MapResponse> call;

  /** Guards everything below, the sending side of the call, and the replies. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Condition changed = lock.newCondition();
  private final Map<String, Sent> open = new LinkedHashMap<>();
  private final Set<String> endedIds = new LinkedHashSet<>();

  private State state = State.OPENING;
  private boolean reading;

  /** Responses that were asked for and have not arrived. */
  private int asked;

  private long lastId;
  private @Nullable StreamStatus status;
  private @Nullable String fault;
  private boolean faultReported;

  /** A datum that has no EOT yet. */
  private static final class Sent {
    final Datum datum;
    final ReplyListener listener;

    /** Sent under the same id while this one was open. */
    @Nullable Sent next;

    boolean failed;

    Sent(Datum datum, ReplyListener listener) {
      this.datum = datum;
      this.listener = listener;
    }
  }

  ClientStream(Channel channel, String name, boolean reading, Duration sendLimit) {
    this.name = name;
    this.reading = reading;
    this.sendLimit = sendLimit;
    this.call = channel.newCall(MapGrpc.getMapFnMethod(), CallOptions.DEFAULT);
  }

  /** Shakes hands. Called once, before anything else. */
  void open(Deadline deadline) throws InterruptedException {
    lock.lock();
    try {
      call.start(new Responses(), new Metadata());
      ask(1);
      call.sendMessage(ClientMapping.handshake());
      if (!deadline.await(changed, () -> state != State.OPENING)) {
        throw new WaitTimeoutException(
            "waited " + deadline.limit() + " for the echo of the handshake on " + name);
      }
      if (state == State.ENDED) {
        throw endedBefore("the echo of the handshake");
      }
    } finally {
      lock.unlock();
    }
  }

  // Sending.

  /**
   * Sends a datum under an id of its own, the next free number.
   *
   * <p>Waits while the connection takes nothing more, which is when the server holds the client
   * back: for at most the builder's {@link MapStreamClient.Builder#timeout}. An interruption ends
   * the wait; so does the end of the stream.
   *
   * @param datum what to send
   * @return where its results arrive
   * @throws InterruptedException if the thread was interrupted; the datum was not sent
   * @throws WaitTimeoutException if the server took nothing for too long; the datum was not sent
   * @throws StreamBrokenException if the stream has ended
   * @throws ProtocolFaultException if the server has broken the protocol
   * @throws IllegalStateException if the stream was half-closed
   */
  public Reply send(Datum datum) throws InterruptedException {
    return send(nextId(), datum);
  }

  /**
   * Sends a datum under a given id. Waits and fails as {@link #send(Datum)} does.
   *
   * @param id any text but the empty one; one that was used before for a retry
   * @param datum what to send
   * @return where its results arrive
   * @throws InterruptedException if the thread was interrupted; the datum was not sent
   * @throws WaitTimeoutException if the server took nothing for too long; the datum was not sent
   * @throws StreamBrokenException if the stream has ended
   * @throws ProtocolFaultException if the server has broken the protocol
   * @throws IllegalStateException if the stream was half-closed
   * @throws IllegalArgumentException if the id is empty
   */
  public Reply send(String id, Datum datum) throws InterruptedException {
    Reply reply = new Reply(this, id, datum, lock);
    send(id, datum, reply.listener());
    return reply;
  }

  /**
   * Sends a datum under an id of its own, and has a listener told of what arrives. Waits and fails
   * as {@link #send(Datum)} does.
   *
   * @param datum what to send
   * @param listener told of each message and of the end, unless this method throws
   * @return the id
   * @throws InterruptedException if the thread was interrupted; the datum was not sent
   * @throws WaitTimeoutException if the server took nothing for too long; the datum was not sent
   * @throws StreamBrokenException if the stream has ended
   * @throws ProtocolFaultException if the server has broken the protocol
   * @throws IllegalStateException if the stream was half-closed
   */
  public String send(Datum datum, ReplyListener listener) throws InterruptedException {
    String id = nextId();
    send(id, datum, listener);
    return id;
  }

  /**
   * Sends a datum under a given id, and has a listener told of what arrives. Waits and fails as
   * {@link #send(Datum)} does.
   *
   * @param id any text but the empty one; one that was used before for a retry
   * @param datum what to send
   * @param listener told of each message and of the end, unless this method throws
   * @throws InterruptedException if the thread was interrupted; the datum was not sent
   * @throws WaitTimeoutException if the server took nothing for too long; the datum was not sent
   * @throws StreamBrokenException if the stream has ended
   * @throws ProtocolFaultException if the server has broken the protocol
   * @throws IllegalStateException if the stream was half-closed
   * @throws IllegalArgumentException if the id is empty
   */
  public void send(String id, Datum datum, ReplyListener listener) throws InterruptedException {
    if (id.isEmpty()) {
      throw new IllegalArgumentException("id is required but was empty");
    }
    Objects.requireNonNull(listener, "listener");
    MapRequest request = ClientMapping.request(id, datum);
    Deadline deadline = Deadline.in(sendLimit);
    lock.lock();
    try {
      if (!deadline.await(changed, () -> state != State.OPEN || call.isReady())) {
        throw new WaitTimeoutException(
            "waited "
                + deadline.limit()
                + " for the server to take datum "
                + quoted(id)
                + situation());
      }
      if (state == State.ENDED) {
        throw endedBefore("datum " + quoted(id) + " could be sent");
      }
      if (state == State.HALF_CLOSED) {
        throw new IllegalStateException(
            "datum " + quoted(id) + " can't be sent: " + name + " was half-closed");
      }
      register(id, new Sent(datum, listener));
      call.sendMessage(request);
    } finally {
      lock.unlock();
    }
  }

  private String nextId() {
    lock.lock();
    try {
      String id;
      do {
        id = Long.toString(++lastId);
      } while (open.containsKey(id));
      return id;
    } finally {
      lock.unlock();
    }
  }

  private void register(String id, Sent sent) {
    Sent earlier = open.putIfAbsent(id, sent);
    while (earlier != null) {
      Sent later = earlier.next;
      if (later == null) {
        earlier.next = sent;
      }
      earlier = later;
    }
  }

  /**
   * Tells the server that no more datums follow; it is to finish those that are open and then to
   * close with OK. Does not wait for that, see {@link #complete}. Does nothing on a stream that has
   * been half-closed or has ended.
   */
  public void halfClose() {
    lock.lock();
    try {
      if (state == State.OPEN) {
        state = State.HALF_CLOSED;
        call.halfClose();
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Cancels the stream, as the data plane does when it stops. The server interrupts the handlers of
   * what is open. Does nothing on a stream that has ended.
   */
  public void cancel() {
    lock.lock();
    try {
      if (state != State.ENDED) {
        cancel("cancelled by this client");
      }
    } finally {
      lock.unlock();
    }
  }

  /** The caller holds the lock. Listeners are told when gRPC says that the call is over. */
  private void cancel(String reason) {
    end(new StreamStatus("CANCELLED", reason, ""));
    call.cancel(reason, null);
  }

  private void end(StreamStatus how) {
    state = State.ENDED;
    status = how;
    changed.signalAll();
  }

  // Reading.

  /**
   * Reads no more responses until {@link #resumeReading()} or {@link #read(int)}. Some dozens that
   * were asked for before may still arrive; on a stream that was opened paused none do.
   */
  public void pauseReading() {
    lock.lock();
    try {
      reading = false;
    } finally {
      lock.unlock();
    }
  }

  /** Reads responses as they come, from now on. */
  public void resumeReading() {
    lock.lock();
    try {
      reading = true;
      askNext();
    } finally {
      lock.unlock();
    }
  }

  private void askNext() {
    if (reading && asked <= READ_AHEAD / 2) {
      ask(READ_AHEAD - asked);
    }
  }

  private void ask(int responses) {
    asked += responses;
    call.request(responses);
  }

  /**
   * Asks for some more responses and returns at once. A response carries one or many results of one
   * datum, or an EOT.
   *
   * @param responses how many, at least 1
   * @throws IllegalStateException if reading isn't paused
   * @throws IllegalArgumentException if there are less than 1
   */
  public void read(int responses) {
    if (responses < 1) {
      throw new IllegalArgumentException("responses has to be at least 1 but was " + responses);
    }
    lock.lock();
    try {
      if (reading) {
        throw new IllegalStateException(name + " reads all that comes: pause reading first");
      }
      ask(responses);
    } finally {
      lock.unlock();
    }
  }

  // The end.

  /**
   * Half-closes the stream and waits until the server has closed it with OK, every datum with its
   * EOT. An interruption ends the wait and leaves the stream as it is.
   *
   * @param limit how long to wait
   * @throws InterruptedException if the thread was interrupted
   * @throws WaitTimeoutException if the server did not close in time
   * @throws StreamBrokenException if the stream ended with another status than OK
   * @throws ProtocolFaultException if the server has broken the protocol
   */
  public void complete(Duration limit) throws InterruptedException {
    halfClose();
    if (!awaitEnd(limit).isOk()) {
      lock.lock();
      try {
        throw endedBefore("the server's OK");
      } finally {
        lock.unlock();
      }
    }
  }

  /**
   * Waits until the stream has ended, whatever ends it. An interruption ends the wait and leaves
   * the stream as it is.
   *
   * @param limit how long to wait
   * @return how it ended
   * @throws InterruptedException if the thread was interrupted
   * @throws WaitTimeoutException if it did not end in time
   * @throws ProtocolFaultException if the server has broken the protocol
   */
  public StreamStatus awaitEnd(Duration limit) throws InterruptedException {
    Deadline deadline = Deadline.in(limit);
    lock.lock();
    try {
      if (!deadline.await(changed, () -> state == State.ENDED)) {
        throw new WaitTimeoutException(
            "waited " + deadline.limit() + " for the end of " + name + situation());
      }
      if (fault != null) {
        throw reportedFault(fault);
      }
      return Objects.requireNonNull(status);
    } finally {
      lock.unlock();
    }
  }

  /** Whether nothing about this stream has to be told at the close of the client. */
  boolean isForgettable() {
    lock.lock();
    try {
      return state == State.ENDED && (fault == null || faultReported);
    } finally {
      lock.unlock();
    }
  }

  /** {@return whether the stream has ended} */
  public boolean hasEnded() {
    lock.lock();
    try {
      return state == State.ENDED;
    } finally {
      lock.unlock();
    }
  }

  /**
   * {@return the datums that have no EOT, by their ids and in the order in which they were sent:
   * what the data plane sends again when the stream is broken}
   */
  public Map<String, Datum> unanswered() {
    lock.lock();
    try {
      Map<String, Datum> datums = new LinkedHashMap<>();
      open.forEach((id, sent) -> datums.put(id, sent.datum));
      return Collections.unmodifiableMap(datums);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Cancels the stream unless it has ended.
   *
   * @throws ProtocolFaultException if the server has broken the protocol and nothing has thrown
   *     that yet
   */
  @Override
  public void close() {
    cancel();
    lock.lock();
    try {
      if (fault != null && !faultReported) {
        throw reportedFault(fault);
      }
    } finally {
      lock.unlock();
    }
  }

  /** {@return the name of the stream and its state, as in messages of exceptions} */
  @Override
  public String toString() {
    lock.lock();
    try {
      return name + situation();
    } finally {
      lock.unlock();
    }
  }

  // What replies need. The caller holds the lock.

  String situation() {
    StringBuilder text = new StringBuilder(" (stream ");
    text.append(status == null ? state.name().toLowerCase(Locale.ROOT) : status);
    text.append(", ").append(open.size()).append(" datums without an EOT");
    if (!open.isEmpty()) {
      text.append(": ").append(String.join(", ", open.keySet().stream().limit(5).toList()));
      text.append(open.size() > 5 ? ", …" : "");
    }
    return text.append(reading ? ")" : ", reading paused)").toString();
  }

  /** Why nothing comes after the end of the stream: its fault, or its status. */
  RuntimeException endedBefore(String awaited) {
    return fault == null ? broken(awaited) : reportedFault(fault);
  }

  private StreamBrokenException broken(String awaited) {
    return new StreamBrokenException(
        named("ended before " + awaited), Objects.requireNonNull(status));
  }

  private ProtocolFaultException reportedFault(String what) {
    faultReported = true;
    return new ProtocolFaultException(named(what));
  }

  private String named(String what) {
    return name + ": " + what;
  }

  static String quoted(String id) {
    return "\"" + id + "\"";
  }

  // What arrives, one call after the other.

  /** Receives the responses of the call. Listeners are told outside of the lock. */
  private final class Responses extends ClientCall.Listener<MapResponse> {

    @Override
    public void onReady() {
      lock.lock();
      try {
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void onMessage(MapResponse response) {
      boolean eot = response.getStatus().getEot();
      List<Message> messages = List.of();
      Sent receiver = null;
      lock.lock();
      try {
        asked--;
        if (state == State.ENDED) {
          return;
        }
        if (state == State.OPENING) {
          shakeHands(response);
        } else {
          messages = read(response);
          receiver = accept(response.getId(), messages, eot);
        }
      } catch (Fault e) {
        fault = e.getMessage();
        cancel("protocol fault: " + fault);
        return;
      } finally {
        lock.unlock();
      }
      if (receiver != null) {
        messages.forEach(receiver.listener::message);
        if (eot) {
          receiver.listener.ended();
        }
      }
      readOn();
    }

    private void shakeHands(MapResponse response) throws Fault {
      if (!response.getHandshake().getSot()) {
        throw new Fault(
            "the first response is no handshake with sot = true but has " + shown(response));
      }
      if (response.getResultsCount() > 0 || response.hasStatus()) {
        throw new Fault("the handshake carries " + shown(response));
      }
      state = State.OPEN;
      changed.signalAll();
    }

    private List<Message> read(MapResponse response) throws Fault {
      if (response.hasHandshake()) {
        throw new Fault("a second handshake, with " + shown(response));
      }
      if (response.getStatus().getEot() && response.getResultsCount() > 0) {
        throw new Fault(
            "an EOT that carries results, which the platform drops: " + shown(response));
      }
      List<Message> messages = new ArrayList<>(response.getResultsCount());
      for (MapResponse.Result result : response.getResultsList()) {
        try {
          messages.add(ClientMapping.message(result));
        } catch (IllegalArgumentException e) {
          throw new Fault("a result of datum " + quoted(response.getId()) + ": " + e.getMessage());
        }
      }
      return messages;
    }

    private Sent accept(String id, List<Message> messages, boolean eot) throws Fault {
      Sent sent = open.get(id);
      if (sent == null) {
        String what = eot ? "an EOT" : messages.size() + " result(s)";
        throw new Fault(
            endedIds.contains(id)
                ? what + " after the EOT of datum " + quoted(id)
                : what + " for the id " + quoted(id) + ", which was not sent");
      }
      for (Message message : messages) {
        if (sent.failed) {
          throw new Fault("a result after the fail mark of datum " + quoted(id) + ": " + message);
        }
        sent.failed = message.isFail();
      }
      if (eot) {
        if (sent.next == null) {
          open.remove(id);
        } else {
          open.put(id, sent.next);
        }
        remember(id);
      }
      return sent;
    }

    private void remember(String id) {
      endedIds.add(id);
      if (endedIds.size() > ENDED_IDS) {
        endedIds.remove(endedIds.iterator().next());
      }
    }

    private static String shown(MapResponse response) {
      return "id "
          + quoted(response.getId())
          + ", "
          + response.getResultsCount()
          + " result(s), status.eot = "
          + response.getStatus().getEot();
    }

    private void readOn() {
      lock.lock();
      try {
        askNext();
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void onClose(Status grpcStatus, Metadata trailers) {
      List<Sent> left;
      RuntimeException reason;
      lock.lock();
      try {
        if (state != State.ENDED) {
          end(StreamStatus.of(grpcStatus, trailers));
          if (grpcStatus.isOk() && !open.isEmpty()) {
            fault =
                "the stream was closed with OK, and datums had no EOT: "
                    + String.join(", ", open.keySet());
          }
        }
        left = allOpen();
        reason = fault == null ? broken("an EOT") : new ProtocolFaultException(named(fault));
      } finally {
        lock.unlock();
      }
      left.forEach(sent -> sent.listener.failed(reason));
    }

    private List<Sent> allOpen() {
      List<Sent> all = new ArrayList<>();
      for (Sent first : open.values()) {
        for (Sent sent = first; sent != null; sent = sent.next) {
          all.add(sent);
        }
      }
      return all;
    }
  }

  /** The server broke the protocol; caught where responses come in. */
  private static final class Fault extends Exception {
    private static final long serialVersionUID = 1L;

    Fault(String message) {
      super(message);
    }
  }
}
