package io.mapstream.server;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.mapstream.Datum;
import io.mapstream.MapStreamer;
import io.mapstream.Message;
import io.mapstream.MessageSink;
import io.mapstream.SinkClosedException;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Phaser;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A handler that does what its datum says, and counts what it does. The datum's first line is one
 * of
 *
 * <ul>
 *   <li>{@code fan emitters count size delayMillis [gate]}: this many concurrent emitters (if one:
 *       the handler's own thread) emit {@code count} results of {@code size} bytes each, sleep
 *       before each, and wait at the gate of that number after half of them; the first eight bytes
 *       of a result are the emitter's number and the result's index;
 *   <li>{@code go gate}: emits nothing and opens the gates up to that number permanently;
 *   <li>{@code fail emitters count size delayMillis}: like {@code fan}, with at least one emitter
 *       besides the handler's own thread, which emits the fail mark meanwhile; everything after it
 *       is refused;
 *   <li>{@code throw emitters count size delayMillis}: the same, but the handler throws meanwhile;
 *   <li>{@code hold}: emits nothing and waits until it is interrupted or {@link #release()}d;
 *   <li>{@code account file}: emits nothing and writes a {@link ProcessAccount} to the file.
 * </ul>
 *
 * The rest of the datum is padding, to reach the size that a test needs.
 */
public final class ScriptedHandler implements MapStreamer {

  /** Bytes of a result that identify it. */
  public static final int RESULT_HEADER = 2 * Integer.BYTES;

  /** The exception of a handler whose datum asks for it. */
  public static final class OnPurpose extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  private final Set<Thread> running = ConcurrentHashMap.newKeySet();
  private final AtomicInteger started = new AtomicInteger();
  private final AtomicLong emitted = new AtomicLong();
  private final AtomicLong refused = new AtomicLong();
  private final AtomicInteger interrupted = new AtomicInteger();
  private final Map<String, Throwable> stoppedBy = new ConcurrentHashMap<>();
  private final Queue<WeakReference<Datum>> datums = new ConcurrentLinkedQueue<>();

  /** Its phase is the number of gates that are open. */
  private final Phaser gates = new Phaser(1);

  private volatile CountDownLatch released = new CountDownLatch(1);

  @Override
  public void handle(List<String> keys, Datum datum, MessageSink sink) throws Exception {
    // Read before it counts as started, since the test may then release it.
    CountDownLatch gate = released;
    started.incrementAndGet();
    remember(datum);
    running.add(Thread.currentThread());
    try {
      String[] words = firstLine(datum.value()).split(" ");
      switch (words[0]) {
        case "hold" -> gate.await();
        case "fan" -> fan(sink, Work.of(words), Last.RETURN);
        case "fail" -> fan(sink, Work.of(words), Last.FAIL_MARK);
        case "throw" -> fan(sink, Work.of(words), Last.THROW);
        case "go" -> openGates(Integer.parseInt(words[1]));
        case "account" -> ProcessAccount.take().writeTo(Path.of(words[1]));
        default -> throw new IllegalArgumentException("not in the script: " + words[0]);
      }
    } catch (InterruptedException | SinkClosedException e) {
      if (e instanceof InterruptedException) {
        interrupted.incrementAndGet();
      }
      keys.forEach(key -> stoppedBy.put(key, e));
      throw e;
    } finally {
      running.remove(Thread.currentThread());
    }
  }

  /** For {@link #reachableDatums}; references to collected datums are dropped. */
  private void remember(Datum datum) {
    datums.add(new WeakReference<>(datum));
    for (var oldest = datums.peek(); oldest != null && oldest.get() == null; ) {
      datums.remove(oldest);
      oldest = datums.peek();
    }
  }

  private static String firstLine(byte[] value) {
    int end = 0;
    while (end < value.length && value[end] != '\n') {
      end++;
    }
    return new String(value, 0, end, ISO_8859_1);
  }

  private record Work(int emitters, int count, int size, int delayMillis, int gate) {
    static Work of(String[] words) {
      int[] numbers = Arrays.stream(words).skip(1).mapToInt(Integer::parseInt).toArray();
      int size = Math.max(numbers[2], RESULT_HEADER);
      int gate = numbers.length > 4 ? numbers[4] : 0;
      return new Work(numbers[0], numbers[1], size, numbers[3], gate);
    }
  }

  /** How a handler ends. */
  private enum Last {
    RETURN,
    FAIL_MARK,
    THROW
  }

  private void fan(MessageSink sink, Work work, Last last) throws InterruptedException {
    if (work.emitters() == 1 && last == Last.RETURN) {
      emitAll(sink, 0, work);
      return;
    }
    List<Thread> threads = new ArrayList<>();
    for (int emitter = 0; emitter < work.emitters(); emitter++) {
      int number = emitter;
      threads.add(
          Thread.ofVirtual()
              .name("emitter-" + number)
              .unstarted(() -> emitUntilRefused(sink, number, work)));
    }
    running.addAll(threads);
    threads.forEach(Thread::start);
    switch (last) {
      case RETURN -> {}
      case FAIL_MARK -> emitLast(sink, Message.toFail());
      case THROW -> throw new OnPurpose();
    }
    // Not interrupted with the handler: the closed sink alone must end them.
    for (Thread thread : threads) {
      thread.join();
    }
  }

  private static void emitLast(MessageSink sink, Message mark) {
    sink.emit(mark);
    try {
      sink.emit(mark);
    } catch (SinkClosedException e) {
      return;
    }
    throw new AssertionError("a result was accepted after the fail mark");
  }

  private void emitUntilRefused(MessageSink sink, int emitter, Work work) {
    try {
      emitAll(sink, emitter, work);
    } catch (SinkClosedException | InterruptedException e) {
      // Counted where it was thrown; the handler's outcome shows the rest.
    } finally {
      running.remove(Thread.currentThread());
    }
  }

  private void openGates(int upTo) {
    while (gates.getPhase() < upTo) {
      gates.arrive();
    }
  }

  private void pass(int gate) throws InterruptedException {
    for (int open = gates.getPhase(); open < gate; open = gates.getPhase()) {
      gates.awaitAdvanceInterruptibly(open);
    }
  }

  private void emitAll(MessageSink sink, int emitter, Work work) throws InterruptedException {
    for (int index = 0; index < work.count(); index++) {
      if (index == work.count() / 2) {
        pass(work.gate());
      }
      if (work.delayMillis() > 0) {
        Thread.sleep(work.delayMillis());
      }
      byte[] value = new byte[work.size()];
      ByteBuffer.wrap(value).putInt(emitter).putInt(index);
      try {
        sink.emit(value);
      } catch (SinkClosedException e) {
        refused.incrementAndGet();
        throw e;
      }
      emitted.incrementAndGet();
    }
  }

  /** Lets every current {@code hold} return. */
  public void release() {
    CountDownLatch held = released;
    released = new CountDownLatch(1);
    held.countDown();
  }

  /** Threads of handlers and of their emitters that have not ended. */
  public Set<Thread> running() {
    return running;
  }

  /** Handlers called so far. */
  public int started() {
    return started.get();
  }

  /** Results that were accepted. */
  public long emitted() {
    return emitted.get();
  }

  /** Results that were refused with a {@link SinkClosedException}. */
  public long refused() {
    return refused.get();
  }

  /** Handlers that were interrupted while they waited for something other than the client. */
  public int interrupted() {
    return interrupted.get();
  }

  /** What stopped the handler of a datum with this key, or null. */
  public Throwable stoppedBy(String key) {
    return stoppedBy.get(key);
  }

  /** Handled datums that are still reachable. */
  public long reachableDatums() {
    return datums.stream().filter(datum -> datum.get() != null).count();
  }
}
