package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mapstream.Datum;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which handlers start together, on an event loop and a clock that the test controls. */
class StartQueueTest {

  private static final long LIMIT = Tuning.LONGEST_GATHERING_NANOS;

  private final ArrayDeque<Runnable> loop = new ArrayDeque<>();
  private final List<String> started = new ArrayList<>();

  /** Overflows during the test, as {@link System#nanoTime} may. */
  private long now = Long.MAX_VALUE - LIMIT / 2;

  private MapStream stream;

  @BeforeEach
  void open() {
    StreamContext context =
        StreamContext.builder((keys, datum, sink) -> {}, ServerOptions.in(Map.of()), loop::add)
            .threads((name, task) ->
                new Thread(task, name) {
                  @Override
                  public void start() {
                    started.add(name);
                  }
                })
            .clock(() -> now)
            .build();
    stream = new MapStream(context, new StreamRegistry(context), new FakeObserver());
    stream.onNext(new Request.Handshake(true));
  }

  /** A datum that arrives in the current read. */
  private void read(String id) {
    Datum datum = Datum.builder().eventTime(Instant.EPOCH).watermark(Instant.EPOCH).build();
    stream.onNext(new Request.Data(id, datum, 10));
  }

  private void endRead() {
    while (!loop.isEmpty()) {
      loop.remove().run();
    }
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
    assertStarted("a", "b", "c");

    read("d");
    endRead();
    assertStarted("d");
  }

  @Test
  void whenReadingTakesLongTheFirstHandlersDoNotWaitForTheRest() {
    read("a");
    now += LIMIT;
    read("b");
    assertStarted("a", "b");

    read("c");
    now += LIMIT / 2;
    read("d");
    assertStarted();
    now += LIMIT / 2;
    read("e");
    assertStarted("c", "d", "e");

    read("f");
    endRead();
    assertStarted("f");
    endRead();
    assertStarted();
  }
}
