package io.mapstream.server;

import io.grpc.Status;
import io.mapstream.testkit.MapStreamClient;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Clients that send random work over random streams, end the streams in random ways, and count
 * every single result. A seed makes the choices reproducible, but not the timing of the threads.
 */
final class Storm {

  /** Less than the clients request together, so that streams wait for each other's capacity. */
  static final int MAX_CONCURRENCY = 64;

  private static final int CLIENTS = 4;

  private enum Ending {
    HALF_CLOSE,
    HALF_CLOSE_WHEN_ANSWERED,
    CANCEL,
    HALF_CLOSE_AND_CANCEL,
    DISCONNECT
  }

  private final long seed;
  private final LongAdder streams = new LongAdder();
  private final LongAdder answered = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final LongAdder results = new LongAdder();

  Storm(long seed) {
    this.seed = seed;
  }

  /** Runs the storm against a server in this process, and checks what it leaves behind. */
  void runWithServer(Duration duration) throws IOException, InterruptedException {
    try (OpenServer server =
        new OpenServer(options ->
            options.maxConcurrency(MAX_CONCURRENCY).errorPolicy(ServerOptions.ErrorPolicy.FAIL))) {
      runAgainst(server.socket(), duration);
      server.verifyIdle();
    }
  }

  /**
   * Runs the clients against the server on that socket until they are done; a failure names the
   * seed.
   */
  void runAgainst(Path socket, Duration duration) throws InterruptedException {
    long end = System.nanoTime() + duration.toNanos();
    List<Future<Void>> clients = new ArrayList<>();
    for (int i = 0; i < CLIENTS; i++) {
      Random random = new Random(seed + i);
      clients.add(Waits.inBackground(() -> runClient(socket, random, end)));
    }
    try {
      for (Future<Void> client : clients) {
        Waits.get(client, duration.plus(Waits.LIMIT));
      }
    } catch (AssertionError e) {
      throw new AssertionError("with seed " + seed + " after " + this + ": " + e.getMessage(), e);
    } finally {
      clients.forEach(client -> client.cancel(true));
    }
  }

  private void runClient(Path socket, Random random, long end) throws InterruptedException {
    do {
      try (MapStreamClient client = ServerFixture.client(socket)) {
        Ending ending;
        do {
          ending = new Session(client, random).run();
        } while (ending != Ending.DISCONNECT && System.nanoTime() - end < 0);
      }
    } while (System.nanoTime() - end < 0);
  }

  /** One stream: random work, a random reading speed, and a random ending. */
  private final class Session {

    private final MapStreamClient client;
    private final Random random;
    private final boolean slow;
    private final ScriptStream stream;
    private final Ledger ledger;

    Session(MapStreamClient client, Random random) {
      this.client = client;
      this.random = random;
      this.slow = random.nextInt(3) == 0;
      this.stream = new ScriptStream(client, slow ? 1 : Integer.MAX_VALUE);
      this.ledger = stream.ledger();
    }

    /** Runs from the handshake to the end. */
    Ending run() throws InterruptedException {
      int datums = 1 + random.nextInt(60);
      for (int i = 0; i < datums; i++) {
        sendWork("datum-" + i);
      }
      List<Ending> all = List.of(Ending.values());
      Ending ending = all.get(random.nextInt(all.size()));
      switch (ending) {
        case HALF_CLOSE -> {
          stream.halfClose();
          read(() -> false);
          stream.endsWith(Status.Code.OK);
          ledger.verifyComplete();
        }
        case HALF_CLOSE_WHEN_ANSWERED -> {
          read(ledger::isComplete);
          stream.finish();
        }
        case CANCEL -> {
          readSome();
          stream.cancel();
        }
        case HALF_CLOSE_AND_CANCEL -> {
          readSome();
          stream.halfClose();
          stream.cancel();
        }
        case DISCONNECT -> {
          readSome();
          client.close();
        }
      }
      stream.ended();
      ledger.verify();
      streams.increment();
      answered.add(ledger.ended());
      failed.add(ledger.failed());
      results.add(ledger.results());
      return ending;
    }

    private void sendWork(String id) {
      int emitters = 1 + random.nextInt(4);
      int count = random.nextInt(100);
      int size = 1 << random.nextInt(13);
      int kind = random.nextInt(100);
      if (kind < 10) {
        stream.fail("fail", id, emitters, count, size);
      } else if (kind < 15) {
        stream.fail("throw", id, emitters, count, size);
      } else if (kind < 25) {
        stream.fan(id, emitters, count / 10, size, 1, 0);
      } else if (kind < 35) {
        stream.fan(id, emitters, 1 + count / 50, 100_000, 0, 100_000);
      } else if (kind < 36) {
        // All clients together stay below the limit of requests that are not yet admitted.
        stream.fan(id, 1, 1, 2_000_000, 0, 1_000_000);
      } else {
        stream.fan(id, emitters, count, size);
      }
    }

    private void readSome() {
      long some = random.nextInt(500);
      read(() -> ledger.results() >= some || ledger.isComplete());
    }

    /** Reads until {@code enough}, or the end; a slow client reads in small, irregular portions. */
    private void read(BooleanSupplier enough) {
      Waits.until(
          "everything was read",
          () -> {
            if (slow) {
              stream.read(1 + random.nextInt(50));
              LockSupport.parkNanos(random.nextInt(1_000_000));
            }
            return enough.getAsBoolean() || !stream.isOpen();
          },
          stream::toString);
    }
  }

  @Override
  public String toString() {
    return "%s streams, %s datums answered, %s of them with the fail mark, %s results"
        .formatted(streams, answered, failed, results);
  }
}
