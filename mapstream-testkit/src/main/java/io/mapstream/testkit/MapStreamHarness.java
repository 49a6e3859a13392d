package io.mapstream.testkit;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Messages;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Runs a map-stream function in memory, as a server runs it, and lets a test read what it emits: no
 * gRPC, no files, no ports, and nothing to wait for but the function.
 *
 * <h2>What comes out for a datum</h2>
 *
 * A harness is made for a handler and closed at the end of the test. {@link #process(String)
 * process} gives the handler a datum on a virtual thread of its own, and returns all its messages:
 *
 * {@snippet lang=java :
 * try (var harness = MapStreamHarness.of(new WordSplitter())) {
 *   assertEquals(List.of("a", "b"), harness.process("a,b").texts());
 * }
 * }
 *
 * <p>Messages and lists of them are equal by content, so a test can also compare whole messages,
 * with keys, tags and marks. {@link TestDatum} makes datums of which only what matters is set; the
 * times of the others are constants.
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
 * <p>What the handler throws comes as the cause of a {@link HandlerFailedException}, which has the
 * messages that were emitted before:
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
 * A map-stream function is worth its name when results leave while it still works. {@link
 * #stream(Datum) stream} returns at once, and the test takes the messages as they come. Here the
 * handler reads from a queue that the test fills:
 *
 * {@snippet lang=java :
 * DatumStream results = harness.stream("orders");
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
 * <p>There is never a reason to sleep: whatever waits does so until something happens, and for a
 * limited time (5 seconds unless {@linkplain Builder#timeLimit set otherwise}). A wait that was in
 * vain fails with what was waited for and with the stack of the handler.
 *
 * <h2>Back-pressure</h2>
 *
 * {@code emit} blocks while the reader is behind by a {@linkplain Builder#bound bound}. With a
 * bound of 1 a test can show that a handler makes its results one by one, where another one reads
 * all of a file before it emits the first line:
 *
 * {@snippet lang=java :
 * try (var harness = MapStreamHarness.builder(counter).bound(1).build()) {
 *   DatumStream numbers = harness.stream("1000000000");
 *
 *   numbers.awaitBlockedEmit();
 *   assertEquals(2, counter.made()); // one to read, and one in the handler's hands
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
 * {@link DatumStream#cancel() cancel} does what a client does that cancels or disconnects: the
 * handler's thread is interrupted, and what it emits is refused with a {@link
 * io.mapstream.SinkClosedException}, the interrupt flag still set. Tests show with it that a
 * handler ends and cleans up:
 *
 * {@snippet lang=java :
 * DatumStream results = harness.stream("orders");
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
 * One handler serves all datums, many at the same time. Each call of {@code stream} starts another
 * one:
 *
 * {@snippet lang=java :
 * List<DatumStream> streams =
 *     IntStream.range(0, 500).mapToObj(i -> harness.stream("a" + i + ",b")).toList();
 *
 * for (int i = 0; i < streams.size(); i++) {
 *   assertEquals(List.of("a" + i, "b"), streams.get(i).remaining().texts());
 * }
 * }
 *
 * <h2>The end of a test</h2>
 *
 * {@link #close()} fails where the test has left something out: a handler still runs, messages were
 * not read, or a handler has failed and nobody asked. In a try-with-resources statement it doesn't
 * hide an earlier failure, to which it is added as suppressed. With JUnit, {@link
 * MapStreamHarnessExtension} makes a harness for each test and closes it.
 *
 * <h2>What is not simulated</h2>
 *
 * <ul>
 *   <li><b>The wire.</b> Nothing is encoded; arrays go from the handler to the test as they are. An
 *       emit that is too large for a server fails here with the same sizes, where a server gives
 *       the datum the same id: ids are counted from 1, and the platform's are longer. Datums that
 *       are too large, which a server refuses, are handled.
 *   <li><b>The other datums of the stream.</b> A server bounds what waits by its bytes and over all
 *       datums of a client; here each datum has a bound of its own, in messages. There a client's
 *       cancel and a handler's failure end all datums in work; here only their own.
 *   <li><b>What follows a failure.</b> No process ends and nothing is delivered again; the {@code
 *       errorPolicy} of a server has no part in it. Drops, nacks and fails are messages that a test
 *       can see, and what the platform makes of them doesn't happen.
 *   <li><b>Admission.</b> As many handlers run as the test starts; no {@code maxConcurrency}, no
 *       budget in bytes, no drain and no grace period.
 *   <li><b>Time.</b> Event times and watermarks are the test's, and no watermark moves. Only the
 *       limits of waits are measured by a clock.
 * </ul>
 *
 * <p>Safe for use by several threads.
 */
public final class MapStreamHarness implements AutoCloseable {

  private static final int DEFAULT_BOUND = 1000;
  private static final Duration DEFAULT_TIME_LIMIT = Duration.ofSeconds(5);
  private static final int DEFAULT_MAX_MESSAGE_SIZE = 64 * 1024 * 1024;

  private final MapStreamer handler;
  private final int bound;
  private final Duration timeLimit;
  private final int maxMessageSize;

  private final ReentrantLock lock = new ReentrantLock();

  // Guarded by the lock.
  private final Map<Long, HandlerRun> runs = new LinkedHashMap<>();
  private long lastNumber;
  private boolean closed;

  private MapStreamHarness(Builder builder) {
    handler = builder.handler;
    bound = builder.bound;
    timeLimit = builder.timeLimit;
    maxMessageSize = builder.maxMessageSize;
  }

  /**
   * Makes a harness with the default settings.
   *
   * @param handler the function to test; one instance for all datums, as in a server
   * @return the harness, to be closed
   * @throws IllegalArgumentException if the handler is {@code null}
   */
  public static MapStreamHarness of(MapStreamer handler) {
    return builder(handler).build();
  }

  /**
   * Starts a harness with settings.
   *
   * @param handler the function to test; one instance for all datums, as in a server
   * @return a builder with the defaults
   * @throws IllegalArgumentException if the handler is {@code null}
   */
  public static Builder builder(MapStreamer handler) {
    return new Builder(required("handler", handler));
  }

  private static <T> T required(String name, @Nullable T given) {
    if (given == null) {
      throw new IllegalArgumentException(name + " is required but was null");
    }
    return given;
  }

  /**
   * Runs the handler on a datum to its end, and gives all its messages.
   *
   * <p>Waits until the handler has returned, at most for the harness's time limit, after which the
   * datum is given up and the handler interrupted.
   *
   * @param datum what the handler is given
   * @return the messages in the order of their emission, with drops, nacks and fails among them
   * @throws HandlerFailedException if the handler has thrown; that is its cause, and it holds the
   *     messages emitted before
   * @throws AssertionError if the handler doesn't return within the limit, with its stack; if the
   *     waiting thread is interrupted, whose flag stays set
   * @throws IllegalArgumentException if the datum is {@code null}
   * @throws IllegalStateException if the harness is closed
   */
  public Messages process(Datum datum) {
    HandlerRun run = start(datum);
    try {
      return new DatumStream(run, datum, timeLimit).remaining();
    } finally {
      // Effective only where the wait was in vain.
      run.stop(HandlerRun.GIVEN_UP);
      forget(run);
    }
  }

  /**
   * Runs the handler on a datum of this text, made by {@link TestDatum#of(String)}, as {@link
   * #process(Datum)} does.
   *
   * @param text the datum's payload; {@code null} for no bytes
   * @return the messages in the order of their emission
   * @throws HandlerFailedException as {@link #process(Datum)} does
   * @throws AssertionError as {@link #process(Datum)} does
   * @throws IllegalStateException if the harness is closed
   */
  public Messages process(@Nullable String text) {
    return process(TestDatum.of(text));
  }

  /**
   * Starts the handler on a datum, and returns at once.
   *
   * @param datum what the handler is given
   * @return the handle to read the messages with, while the handler goes on
   * @throws IllegalArgumentException if the datum is {@code null}
   * @throws IllegalStateException if the harness is closed
   */
  public DatumStream stream(Datum datum) {
    return new DatumStream(start(datum), datum, timeLimit);
  }

  /**
   * Starts the handler on a datum of this text, made by {@link TestDatum#of(String)}, and returns
   * at once.
   *
   * @param text the datum's payload; {@code null} for no bytes
   * @return the handle to read the messages with, while the handler goes on
   * @throws IllegalStateException if the harness is closed
   */
  public DatumStream stream(@Nullable String text) {
    return stream(TestDatum.of(text));
  }

  private HandlerRun start(Datum datum) {
    required("datum", datum);
    lock.lock();
    try {
      if (closed) {
        throw new IllegalStateException("the harness is closed and takes no datum: " + datum);
      }
      long number = ++lastNumber;
      var run = new HandlerRun(handler, number, datum, bound, maxMessageSize);
      runs.put(number, run);
      run.start();
      return run;
    } finally {
      lock.unlock();
    }
  }

  /** Nothing is left to be checked, unless the handler goes on after it was given up. */
  private void forget(HandlerRun run) {
    lock.lock();
    try {
      if (!run.isRunning()) {
        runs.remove(run.number());
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Ends all that is left and checks that the test has seen all of it: no handler still runs, all
   * messages were read, every failure was shown to the test. Of a cancelled datum nothing has to be
   * read, and an {@link InterruptedException} or {@link io.mapstream.SinkClosedException} is no
   * failure then.
   *
   * <p>Waits for handlers that are about to return, at most for the time limit over all of them,
   * and not for one whose {@code emit} waits for the test. Then interrupts those that still run and
   * waits once more, so that no thread is left where the handler reacts. An interruption of the
   * calling thread ends the waits, and its flag stays set. A second call does nothing.
   *
   * @throws AssertionError if something is left; it names everything, shows the stacks of handlers
   *     that still ran and the beginning of what was not read, and has the failures that the test
   *     did not ask for as its cause and suppressed
   */
  @Override
  public void close() {
    close(timeLimit);
  }

  /** Closes with a limit of its own for handlers that are about to return. */
  void close(Duration patience) {
    List<HandlerRun> left;
    lock.lock();
    try {
      closed = true;
      left = List.copyOf(runs.values());
      runs.clear();
    } finally {
      lock.unlock();
    }
    if (!left.isEmpty()) {
      new Closing(left).close(TimeLimit.of(patience));
    }
  }

  /** What closing goes through, and what it finds. */
  private final class Closing {

    private final List<HandlerRun> runs;
    private final List<String> findings = new ArrayList<>();
    private final List<Throwable> failures = new ArrayList<>();
    private boolean interrupted;

    Closing(List<HandlerRun> runs) {
      this.runs = runs;
    }

    void close(TimeLimit patience) {
      runs.forEach(run -> awaitLeftOrBlocked(run, patience));
      List<HandlerRun> running = runs.stream().filter(HandlerRun::isRunning).toList();
      // All stacks before the first interruption, which could let another handler go on.
      running.forEach(run -> findings.add("still running: " + run.report()));
      runs.forEach(this::checkSeen);
      running.forEach(run -> run.stop(HandlerRun.HARNESS_CLOSED));
      TimeLimit limit = TimeLimit.of(timeLimit);
      running.stream()
          .filter(run -> !join(run, limit))
          .forEach(run -> findings.add("goes on after an interrupt: " + run.report()));
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      if (!findings.isEmpty()) {
        throw failure();
      }
    }

    private void awaitLeftOrBlocked(HandlerRun run, TimeLimit patience) {
      try {
        if (!interrupted) {
          run.awaitLeftOrBlocked(patience);
        }
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }

    private boolean join(HandlerRun run, TimeLimit limit) {
      try {
        return interrupted || run.join(limit);
      } catch (InterruptedException e) {
        interrupted = true;
        return true;
      }
    }

    private void checkSeen(HandlerRun run) {
      Messages unread = run.unread();
      if (!unread.isEmpty()) {
        findings.add("not read: " + run.state() + ": " + unread);
      }
      Throwable failure = run.unseenFailure();
      if (failure != null) {
        findings.add("failed, and the test did not ask: " + run.state());
        failures.add(failure);
      }
    }

    private AssertionError failure() {
      String text = "the harness was closed too early:\n- " + String.join("\n- ", findings);
      if (failures.isEmpty()) {
        return new AssertionError(text);
      }
      var error = new AssertionError(text, failures.getFirst());
      failures.stream().skip(1).forEach(error::addSuppressed);
      return error;
    }
  }

  /** {@return one line with the settings} */
  @Override
  public String toString() {
    return "MapStreamHarness[handler="
        + handler
        + ", bound="
        + bound
        + ", timeLimit="
        + timeLimit
        + ", maxMessageSize="
        + maxMessageSize
        + "]";
  }

  /** Collects the settings of a harness. Not safe for use by several threads. */
  public static final class Builder {

    private final MapStreamer handler;
    private int bound = DEFAULT_BOUND;
    private Duration timeLimit = DEFAULT_TIME_LIMIT;
    private int maxMessageSize = DEFAULT_MAX_MESSAGE_SIZE;

    private Builder(MapStreamer handler) {
      this.handler = handler;
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
      if (messages < 1) {
        throw new IllegalArgumentException("bound must be at least 1 message but was " + messages);
      }
      this.bound = messages;
      return this;
    }

    /**
     * Sets how long each call waits at most; 5 seconds unless set.
     *
     * @param limit more than zero
     * @return this builder
     * @throws IllegalArgumentException if it is zero, negative or {@code null}
     */
    public Builder timeLimit(Duration limit) {
      if (TimeLimit.checkNotNegative("timeLimit", limit).isZero()) {
        throw new IllegalArgumentException("timeLimit must be more than zero but was " + limit);
      }
      this.timeLimit = limit;
      return this;
    }

    /**
     * Sets the largest encoded response, above which {@code emit} fails with a {@link
     * io.mapstream.MessageTooLargeException}; 64 MiB unless set, as in a server.
     *
     * @param bytes at least 1
     * @return this builder
     * @throws IllegalArgumentException if it is less than 1
     */
    public Builder maxMessageSize(int bytes) {
      if (bytes < 1) {
        throw new IllegalArgumentException(
            "maxMessageSize has to be at least 1 byte but was " + bytes);
      }
      this.maxMessageSize = bytes;
      return this;
    }

    /**
     * Makes a harness; each call makes another one for the same handler.
     *
     * @return the harness, to be closed
     */
    public MapStreamHarness build() {
      return new MapStreamHarness(this);
    }
  }
}
