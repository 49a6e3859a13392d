package io.mapstream.testkit;

import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.MessageSink;
import io.mapstream.Messages;
import io.mapstream.server.InternalMapStreamServer;
import io.mapstream.server.MapStreamServer;
import io.mapstream.server.MapStreamServerBuilder;
import io.mapstream.server.ServerOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Runs a map-stream function in memory, on the server's own engine, and lets a test read what it
 * emits. There is no socket, no file and no port, and a test waits only for the function.
 *
 * <h2>What comes out for a datum</h2>
 *
 * A test creates a harness for a handler and closes it at the end. {@link #process(String) process}
 * runs the handler on a datum, on a new virtual thread, and returns all its messages:
 *
 * {@snippet lang=java :
 * try (var harness = MapStreamHarness.of(new WordSplitter())) {
 *   assertEquals(List.of("a", "b"), harness.process("a,b").texts());
 * }
 * }
 *
 * <p>Messages and lists of them are equal by content, so a test can also compare whole messages,
 * with keys, tags and marks. {@link TestDatum} creates datums in which a test sets only what
 * matters; times that are not set are constants.
 *
 * {@snippet lang=java :
 * Datum datum = TestDatum.builder().keys("k").text("a,b").build();
 *
 * Messages words = harness.process(datum);
 *
 * assertEquals(
 *     List.of(Message.of("a").withKeys("k"), Message.of("b").withKeys("k")), words);
 * assertTrue(harness.process("").get(0).isDrop());
 * }
 *
 * <p>An exception of the handler becomes the cause of a {@link HandlerFailedException}, which holds
 * the messages that were emitted before:
 *
 * {@snippet lang=java :
 * var failed =
 *     assertThrows(HandlerFailedException.class, () -> harness.process("1,2,three,4"));
 *
 * assertInstanceOf(NumberFormatException.class, failed.getCause());
 * assertEquals(List.of("1", "2"), failed.messages().texts());
 * }
 *
 * <h2>Message by message</h2>
 *
 * A map-stream function sends results while it is still running. {@link #send(Datum) send} does not
 * wait for it, and the test takes the messages as they arrive. Here the handler reads from a queue
 * that the test fills:
 *
 * {@snippet lang=java :
 * Reply results = harness.send("orders");
 *
 * lines.put("first");
 * assertEquals("first", results.next().text());
 * assertTrue(results.isRunning());
 *
 * lines.put("second");
 * lines.put("END");
 * assertEquals(List.of("second"), results.remaining().texts());
 * assertFalse(results.isRunning());
 * }
 *
 * <p>A test never needs to sleep: every wait for the handler ends as soon as the awaited event
 * happens, or after a time limit (5 seconds unless {@linkplain Builder#timeLimit set otherwise}). A
 * wait that times out fails with a description of the awaited event and the stack of the handler.
 *
 * <h2>Back-pressure</h2>
 *
 * {@code emit} blocks while the reader is behind by a {@linkplain Builder#bound bound}. With a
 * bound of 1, a test can show that a handler produces its results one by one, and does not read a
 * whole file before it emits the first line:
 *
 * {@snippet lang=java :
 * try (var harness = MapStreamHarness.builder(counter).bound(1).build()) {
 *   Reply numbers = harness.send("1000000000");
 *
 *   numbers.awaitBlockedEmit();
 *   assertEquals(2, counter.made()); // one to read, and one in emit
 *
 *   assertEquals("1", numbers.next().text());
 *   numbers.awaitBlockedEmit();
 *   assertEquals(3, counter.made());
 *
 *   numbers.cancel();
 * }
 * }
 *
 * <h2>Cancel</h2>
 *
 * {@link Reply#cancel() cancel} has the effect of a client that cancels or disconnects: the
 * handler's thread is interrupted, and {@code emit} throws a {@link
 * io.mapstream.SinkClosedException} and leaves the interrupt flag set. A test can show with it that
 * a handler ends and cleans up:
 *
 * {@snippet lang=java :
 * Reply results = harness.send("orders");
 * lines.put("first");
 * assertEquals("first", results.next().text());
 *
 * results.cancel(); // while the handler waits for another line
 *
 * assertInstanceOf(InterruptedException.class, results.failure().orElseThrow());
 * assertTrue(handler.isClosed());
 * }
 *
 * <h2>Several datums at once</h2>
 *
 * One handler serves all datums, many at the same time. Each call of {@code send} starts one more:
 *
 * {@snippet lang=java :
 * List<Reply> replies =
 *     IntStream.range(0, 500).mapToObj(i -> harness.send("a" + i + ",b")).toList();
 *
 * for (int i = 0; i < replies.size(); i++) {
 *   assertEquals(List.of("a" + i, "b"), replies.get(i).remaining().texts());
 * }
 * }
 *
 * <h2>The end of a test</h2>
 *
 * {@link #close()} fails if the test did not finish or check something: a handler still runs,
 * messages were not read, a handler failed and the test did not check for it, or a thread of a
 * handler emitted after the handler had ended. If the test has already failed inside
 * try-with-resources, the error of {@code close()} is added to that failure as suppressed. With
 * JUnit, {@link MapStreamHarnessExtension} creates a harness for each test and closes it.
 *
 * <h2>What is not simulated</h2>
 *
 * Requests are decoded, handlers started, and results encoded, bounded and written by the classes
 * that do this in production. The parts outside those classes are missing:
 *
 * <ul>
 *   <li><b>The wire.</b> gRPC's in-process transport replaces HTTP/2 on a socket, and is never slow
 *       by itself.
 *   <li><b>The stream that datums share.</b> Each datum has its own stream, so a cancel or a
 *       failure affects only that datum, and the bound counts only its messages; a server counts
 *       the bytes of all datums of a stream. {@code maxConcurrency} applies to all datums together.
 *   <li><b>The platform.</b> A failure does not end a process, and nothing is delivered again.
 *       Drops, nacks and fails are ordinary messages to a test. Event times and watermarks are
 *       those that the test sets.
 *   <li><b>The stop.</b> {@link MessageSink#isStopping() isStopping()} is never true, and {@code
 *       onStop} is not called. A handler that ends only at a stop can be tested with a sink of the
 *       test, or with {@link MapStreamTestServer#server()}, whose {@code close()} begins a stop.
 * </ul>
 *
 * <p>{@link MapStreamTestServer} has the wire and the shared stream.
 *
 * <p>Thread-safe.
 */
public final class MapStreamHarness implements AutoCloseable {

  /** Limits the start of a stream, which loads most classes in a new JVM. */
  private static final Duration OPENING_TIMEOUT = Duration.ofSeconds(30);

  private final MapStreamer handler;
  private final int bound;
  final Duration timeLimit;
  private final ExecutorService loop;
  private final Server server;
  private final ManagedChannel channel;

  private final Queue<String> lateEmits = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean closed = new AtomicBoolean();
  private final InternalGuard guard = new InternalGuard();

  // Guarded by it.
  private final Map<String, HarnessReply> replies = new LinkedHashMap<>();
  private long lastId;

  private MapStreamHarness(Builder builder) {
    handler = builder.handler;
    bound = builder.bound;
    timeLimit = builder.timeLimit;
    ServerOptions options = builder.server.build().options();
    loop =
        Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("mapstream-harness").factory());
    String name = InProcessServerBuilder.generateName();
    try {
      server =
          InProcessServerBuilder.forName(name)
              .executor(loop)
              .addService(InternalMapStreamServer.service(this::handle, options, bound, loop))
              .build()
              .start();
    } catch (IOException e) {
      loop.shutdown();
      throw new UncheckedIOException("the in-process server could not be started", e);
    }
    channel = InProcessChannelBuilder.forName(name).directExecutor().build();
  }

  /**
   * {@return a harness with the default settings; the caller closes it}
   *
   * @param handler the function to test; one instance for all datums, as in a server
   */
  public static MapStreamHarness of(MapStreamer handler) {
    return builder(handler).build();
  }

  /**
   * {@return a harness builder with the default settings}
   *
   * @param handler the function to test; one instance for all datums, as in a server
   */
  public static Builder builder(MapStreamer handler) {
    return new Builder(Objects.requireNonNull(handler, "handler"));
  }

  /**
   * Runs the handler on a datum until it returns, and returns all its messages.
   *
   * <p>Waits until the handler has returned, for at most the harness's time limit; after that, the
   * datum is cancelled. Before that, the datum's stream is opened as in {@link #send(Datum)}.
   *
   * @param datum the handler's input
   * @return the messages in the order of their emission, including drops, nacks and fails
   * @throws HandlerFailedException if the handler threw an exception, even after the fail mark; it
   *     is the cause, and the messages emitted before are in it
   * @throws WaitTimeoutError if the handler does not return within the limit; the message has its
   *     stack
   * @throws AssertionError if the waiting thread is interrupted; its interrupt flag stays set
   * @throws IllegalStateException if the harness is closed
   */
  public Messages process(Datum datum) {
    HarnessReply reply = start(datum);
    try {
      return reply.all();
    } finally {
      if (reply.isRunning()) {
        reply.cancel();
      } else {
        guard.run(() -> replies.remove(reply.id()));
      }
    }
  }

  /**
   * {@return the messages of {@link #process(Datum)} for {@link TestDatum#of(String)} of a text}
   *
   * @param text the datum's payload; {@code null} for no bytes
   */
  public Messages process(@Nullable String text) {
    return process(TestDatum.of(text));
  }

  /**
   * Starts the handler on a datum and does not wait for it. Waits only until the datum's stream is
   * open, for at most 30 seconds: the first one in a JVM loads gRPC's classes.
   *
   * @param datum the handler's input
   * @return the reply that receives the messages while the handler runs
   * @throws WaitTimeoutError if the stream is not open in time
   * @throws StreamBrokenException if the stream ends while it is opened
   * @throws AssertionError if the calling thread is interrupted; its interrupt flag stays set
   * @throws IllegalStateException if the harness is closed
   */
  public Reply send(Datum datum) {
    return start(datum);
  }

  /**
   * {@return the reply of {@link #send(Datum)} to {@link TestDatum#of(String)} of a text}
   *
   * @param text the datum's payload; {@code null} for no bytes
   */
  public Reply send(@Nullable String text) {
    return send(TestDatum.of(text));
  }

  private HarnessReply start(Datum datum) {
    HarnessReply reply = register(datum);
    boolean sent = false;
    try {
      reply.stream().open();
      reply.stream().sendOnly(reply);
      sent = true;
      return reply;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted while sending " + datum, e);
    } finally {
      if (!sent) {
        guard.run(() -> replies.remove(reply.id()));
        reply.cancel();
      }
    }
  }

  private HarnessReply register(Datum datum) {
    Objects.requireNonNull(datum, "datum");
    return guard.get(() -> {
      if (closed.get()) {
        throw new IllegalStateException(
            "the harness is closed and does not accept datums: " + datum);
      }
      String id = Long.toString(++lastId);
      var stream =
          new ClientStream(
              channel, "stream " + id, false, OPENING_TIMEOUT, (any, status) -> Optional.empty());
      var reply = new HarnessReply(stream, id, datum, timeLimit, bound, lateEmits);
      replies.put(id, reply);
      return reply;
    });
  }

  /** Called by the server for each datum. The id on the wire is assigned by the harness. */
  private void handle(List<String> keys, Datum datum, MessageSink sink) throws Exception {
    HarnessReply reply = guard.get(() -> replies.get(datum.id()));
    if (reply == null) {
      throw new IllegalStateException("no datum was sent with the id " + datum.id());
    }
    Thread own = Thread.currentThread();
    Thread.startVirtualThread(() -> halfCloseAfter(own, reply.stream()));
    String id = reply.datum().id();
    reply.run(handler, keys, id.isEmpty() ? datum : datum.toBuilder().id(id).build(), sink);
  }

  /**
   * Half-closes a stream when the server has processed the end of its handler, whose thread has
   * then put its last task into the loop. So a failure after the fail mark meets an open stream and
   * stops a server, as in production.
   */
  private void halfCloseAfter(Thread handler, ClientStream stream) {
    try {
      handler.join();
      loop.execute(stream::finish);
    } catch (InterruptedException | RejectedExecutionException e) {
      // The harness was closed before the handler ended.
    }
  }

  /**
   * Ends everything that is open and checks that the test left nothing: no handler still runs, all
   * messages were read, every failure was reported to the test, and nothing was emitted after the
   * end of a handler. Messages that a {@link HandlerFailedException} contains need not be read. Nor
   * need those of a cancelled datum, and an {@link InterruptedException} or {@link
   * io.mapstream.SinkClosedException} of its handler is not a failure.
   *
   * <p>Waits for handlers that are about to return, for at most the time limit in total, but not
   * for a handler that is blocked in {@code emit}. Then interrupts those that still run and waits
   * once more, so that no thread is left if the handlers react. An interruption of the calling
   * thread ends the waits, and its interrupt flag stays set. A second call does nothing.
   *
   * @throws AssertionError if something is left; the message lists everything, with the stacks of
   *     handlers that still ran and the beginning of what was not read; failures that the test did
   *     not check for are its cause and suppressed exceptions
   */
  @Override
  public void close() {
    close(false);
  }

  /**
   * Closes the harness; after a failed test, does not wait for handlers that are about to return.
   */
  void close(boolean testFailed) {
    if (closed.getAndSet(true)) {
      return;
    }
    List<HarnessReply> left = guard.get(() -> List.copyOf(replies.values()));
    List<String> findings = new ArrayList<>();
    List<Throwable> failures = new ArrayList<>();
    try {
      Deadline deadline = Deadline.in(testFailed ? Duration.ZERO : timeLimit);
      left.forEach(reply -> isReached(() -> reply.awaitEnd(deadline, true)));
      // Collect all stacks before the first interruption, which could unblock another handler.
      left.forEach(reply -> reply.findLeftovers(findings, failures));
      lateEmits.forEach(late -> findings.add("emitted after the handler had ended: " + late));
      left.forEach(reply -> reply.stream().cancel("the harness was closed"));
      Deadline ended = Deadline.in(timeLimit);
      left.stream()
          .filter(reply -> !isReached(() -> reply.awaitEnd(ended, false)))
          .forEach(reply ->
              findings.add("still runs after an interrupt" + reply.guard.get(reply::report)));
    } finally {
      channel.shutdownNow();
      server.shutdownNow();
      loop.shutdown();
    }
    if (!findings.isEmpty()) {
      String all = String.join("\n- ", findings);
      var error = new AssertionError("the test did not finish or check everything:\n- " + all);
      failures.stream().limit(1).forEach(error::initCause);
      failures.stream().skip(1).forEach(error::addSuppressed);
      throw error;
    }
  }

  /** Waits, and returns false if that timed out. An interruption ends the wait and returns true. */
  static boolean isReached(Runnable wait) {
    try {
      wait.run();
      return true;
    } catch (WaitTimeoutError e) {
      return false;
    } catch (AssertionError e) {
      return Thread.currentThread().isInterrupted();
    }
  }

  /** Collects the settings of a harness. Not thread-safe. */
  public static final class Builder {

    private final MapStreamer handler;
    private int bound = 1000;
    private Duration timeLimit = Duration.ofSeconds(5);
    private final MapStreamServerBuilder server;

    private Builder(MapStreamer handler) {
      this.handler = handler;
      this.server = MapStreamServer.builder(handler);
    }

    /**
     * Sets how many messages of a datum may wait to be read before {@code emit} blocks; 1000 unless
     * set.
     *
     * @param messages at least 1
     * @return this builder
     * @throws IllegalArgumentException if it is less than 1
     */
    public Builder bound(int messages) {
      this.bound = Arguments.atLeastOne("bound", messages);
      return this;
    }

    /**
     * Sets how long each call waits for the handler at most; 5 seconds unless set. This does not
     * include the start of a datum's stream, which loads most classes for the first datum.
     *
     * @param timeLimit more than zero
     * @return this builder
     * @throws IllegalArgumentException if it is zero or negative
     */
    public Builder timeLimit(Duration timeLimit) {
      this.timeLimit = Arguments.positive("timeLimit", timeLimit);
      return this;
    }

    /**
     * Changes settings of the server: {@code maxConcurrency}, {@code maxMessageSize}, {@code
     * errorPolicy}, {@code numaflowVersion} and others have the same effect as in production.
     * Paths, the grace period and {@code onStop} are not used, since a harness does not stop. With
     * the error policy {@code STOP}, the default, an exception of the handler ends the datum's
     * stream, which the test receives as a {@link HandlerFailedException}, even after the fail
     * mark; nothing else stops. With {@code FAIL}, the datum is answered with the fail mark, and
     * {@link Reply#failure()} returns the exception.
     *
     * @param change called at once
     * @return this builder
     */
    public Builder options(Consumer<MapStreamServerBuilder> change) {
      Objects.requireNonNull(change, "change").accept(server);
      return this;
    }

    /**
     * {@return a new harness for the handler; the caller closes it}
     *
     * @throws IllegalArgumentException if the server's settings contradict each other
     */
    public MapStreamHarness build() {
      return new MapStreamHarness(this);
    }
  }
}
