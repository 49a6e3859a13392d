package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.Datum;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which handlers start together, on an event loop and a clock that the test controls. */
class StartQueueTest {

  private static final long LIMIT = Tuning.LONGEST_GATHERING_NANOS;

  private final ArrayDeque<Runnable> loop = new ArrayDeque<>();
  private final List<String> started = new ArrayList<>();

  /** The starter's work, which a test runs as a thread would. */
  private final ArrayDeque<Runnable> starters = new ArrayDeque<>();

  /** What can't be started, by name. */
  private String withoutMemory = "";

  private boolean makesNoStarter;
  private boolean startThrowsAfterTheRun;
  private boolean loopIsFull;

  /** Overflows during the test, as {@link System#nanoTime} may. */
  private long now = Long.MAX_VALUE - LIMIT / 2;

  private StreamContext context;
  private MapStream stream;

  @BeforeEach
  void open() {
    context =
        StreamContext.builder((keys, datum, sink) -> {}, ServerOptions.in(Map.of()), this::onLoop)
            .threads(this::thread)
            .clock(() -> now)
            .build();
    stream = openStream();
  }

  private MapStream openStream() {
    MapStream opened = new MapStream(context, new StreamRegistry(context), new FakeObserver());
    opened.onNext(new Request.Handshake(true));
    return opened;
  }

  private void onLoop(Runnable task) {
    if (loopIsFull) {
      loopIsFull = false;
      throw new OutOfMemoryError("no task for the loop, as the test wants it");
    }
    loop.add(task);
  }

  private Thread thread(String name, Runnable task) {
    if (makesNoStarter && name.equals(StartQueue.STARTER)) {
      throw new OutOfMemoryError("no thread, as the test wants it");
    }
    return new Thread(task, name) {
      @Override
      public void start() {
        started(name, task);
      }
    };
  }

  private void started(String name, Runnable task) {
    if (name.equals(withoutMemory)) {
      throw new OutOfMemoryError("not started, as the test wants it");
    }
    if (!name.equals(StartQueue.STARTER)) {
      started.add(name);
    } else if (startThrowsAfterTheRun) {
      task.run();
      throw new OutOfMemoryError("no carrier, as the test wants it");
    } else {
      starters.add(task);
    }
  }

  /** A datum that arrives in the current read. */
  private void read(String id) {
    read(id, stream);
  }

  private static void read(String id, MapStream on) {
    Datum datum = Datum.builder().eventTime(Instant.EPOCH).watermark(Instant.EPOCH).build();
    on.onNext(new Request.Data(id, datum, 10));
  }

  private void endRead() {
    while (!loop.isEmpty()) {
      loop.remove().run();
    }
  }

  private void assertStartedTogether(String... ids) {
    assertStarted();
    assertEquals(1, starters.size());
    starters.remove().run();
    assertStarted(ids);
  }

  private void assertStarted(String... ids) {
    assertEquals(List.of(ids).stream().map("mapstream-"::concat).toList(), started);
    started.clear();
  }

  @Test
  void handlersStartAfterTheReadInTheOrderOfTheirDatums() {
    read("a");
    read("b");
    now += LIMIT - 1;
    read("c");
    assertStarted();

    endRead();
    assertStartedTogether("a", "b", "c");

    read("d");
    endRead();
    assertStarted("d");
  }

  @Test
  void whenReadingTakesLongTheFirstHandlersDoNotWaitForTheRest() {
    read("a");
    now += LIMIT;
    read("b");
    assertStartedTogether("a", "b");

    read("c");
    now += LIMIT / 2;
    read("d");
    assertStarted();
    now += LIMIT / 2;
    read("e");
    assertStartedTogether("c", "d", "e");

    read("f");
    endRead();
    assertStarted("f");
    endRead();
    assertStarted();
  }

  @Test
  void handlersStartWithoutAStarterIfItCanNotBeStarted() {
    withoutMemory = StartQueue.STARTER;
    read("a");
    read("b");
    endRead();
    assertStarted("a", "b");

    withoutMemory = "";
    makesNoStarter = true;
    read("c");
    read("d");
    endRead();
    assertStarted("c", "d");

    makesNoStarter = false;
    read("e");
    read("f");
    endRead();
    assertStartedTogether("e", "f");
  }

  @Test
  void handlersStartOnceIfTheStarterRunsAndItsStartThrows() {
    startThrowsAfterTheRun = true;
    read("a");
    read("b");
    endRead();
    assertStarted("a", "b");
    assertEquals(0, starters.size());
  }

  @Test
  void twoStartersMayWaitForACarrier() {
    read("a");
    read("b");
    endRead();
    read("c");
    read("d");
    endRead();
    starters.removeLast().run();
    assertStarted("c", "d");
    assertStartedTogether("a", "b");
  }

  @Test
  void aHandlerThatCanNotBeStartedDoesNotKeepTheOthers() {
    withoutMemory = "mapstream-a";
    read("a");
    read("b");
    endRead();
    assertStartedTogether("b");
  }

  @Test
  void aReleaseThatFailsDoesNotKeepTheHandlersOfOtherStreams() {
    MapStream other = openStream();
    read("a");
    read("b", other);
    endRead();
    stream.onError(new IllegalStateException("the client is gone"));
    loopIsFull = true;
    assertStartedTogether("b");
    endRead();
    assertEquals(1, context.admission().datums());
  }

  @Test
  void handlersDoNotStartIfTheirStreamEndsBeforeTheStarterRuns() {
    read("a");
    read("b");
    endRead();
    stream.onError(new IllegalStateException("the client is gone"));
    assertStartedTogether();
    endRead();
    assertEquals(0, context.admission().datums());
  }

  /**
   * The stream may end after the starter has seen that it is open, and before it starts the thread.
   */
  @Test
  void aHandlerThatIsInterruptedBeforeItsThreadStartsSeesIt() throws Exception {
    CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
    Thread thread =
        HandlerTask.Threads.virtual(
            "mapstream-a", () -> interrupted.complete(Thread.currentThread().isInterrupted()));
    thread.interrupt();
    thread.start();
    assertTrue(interrupted.get(10, TimeUnit.SECONDS));
  }
}
