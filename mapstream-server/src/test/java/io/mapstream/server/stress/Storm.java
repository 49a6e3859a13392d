package io.mapstream.server.stress;

import io.grpc.Status;
import io.mapstream.server.OpenServer;
import io.mapstream.server.ServerOptions;
import io.mapstream.server.hostile.Await;
import io.mapstream.server.hostile.GrpcClient;
import io.mapstream.server.hostile.ScriptedHandler;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Clients that send random work over random streams and end those in random ways, and count every
 * single result. What a seed decides is the same in each run; what the threads make of it is not.
 */
final class Storm {

  private static final int CLIENTS = 4;

  /** Less than the clients ask for together, so that streams wait for each other's places. */
  private static final int PLACES = 64;

  private final long seed;
  private final Duration duration;
  private final ScriptedHandler handler = new ScriptedHandler();
  private final AtomicLong sessions = new AtomicLong();
  private final AtomicLong results = new AtomicLong();
  private final AtomicLong answered = new AtomicLong();

  Storm(long seed, Duration duration) {
    this.seed = seed;
    this.duration = duration;
  }

  /** Lets the storm pass and checks what is left; any failure names the seed. */
  void pass(Path folder) throws IOException {
    var options =
        ServerOptions.builder()
            .socketPath(folder.resolve("storm.sock"))
            .maxConcurrency(PLACES)
            .build();
    try (OpenServer server = OpenServer.start(handler, options)) {
      runClients(server);
      Await.until("no handler is left", handler.running()::isEmpty, handler::running);
      Await.until("nothing is in work", () -> server.inWork() == 0, server::inWork);
      if (!server.failures().isEmpty()) {
        throw new AssertionError("handlers failed: " + server.failures());
      }
    } catch (AssertionError e) {
      throw new AssertionError("with seed " + seed + " after " + this + ": " + e.getMessage(), e);
    }
  }

  private void runClients(OpenServer server) {
    long end = System.nanoTime() + duration.toNanos();
    ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
    try {
      List<Future<?>> runs = new ArrayList<>();
      for (int i = 0; i < CLIENTS; i++) {
        Random random = new Random(seed + i);
        runs.add(clients.submit(() -> runClient(server.socket(), random, end)));
      }
      for (Future<?> run : runs) {
        run.get(duration.plus(Await.LIMIT).toMillis(), TimeUnit.MILLISECONDS);
      }
    } catch (ExecutionException e) {
      throw new AssertionError(e.getCause().getMessage(), e.getCause());
    } catch (TimeoutException e) {
      throw new AssertionError("a client does not come to its end", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("the test was stopped", e);
    } finally {
      clients.shutdownNow();
    }
  }

  private void runClient(Path socket, Random random, long end) {
    while (System.nanoTime() - end < 0) {
      try (GrpcClient client = new GrpcClient(socket)) {
        boolean connected = true;
        while (connected && System.nanoTime() - end < 0) {
          connected = runSession(client, random);
        }
      }
    }
  }

  private enum Ending {
    HALF_CLOSE,
    HALF_CLOSE_WHEN_ANSWERED,
    CANCEL,
    HALF_CLOSE_AND_CANCEL,
    DISCONNECT
  }

  /** One stream, from its handshake to its end; returns whether the client is still connected. */
  private boolean runSession(GrpcClient client, Random random) {
    boolean slow = random.nextInt(3) == 0;
    GrpcClient.Stream stream = client.open(slow ? 1 : Integer.MAX_VALUE);
    int datums = 1 + random.nextInt(60);
    for (int i = 0; i < datums; i++) {
      sendWork(stream, "datum-" + i, random);
    }
    Ending ending = Ending.values()[random.nextInt(Ending.values().length)];
    switch (ending) {
      case HALF_CLOSE -> {
        stream.halfClose();
        read(stream, slow, random, stream::hasEnded);
        verifyComplete(stream);
      }
      case HALF_CLOSE_WHEN_ANSWERED -> {
        read(stream, slow, random, () -> stream.ledger().isComplete() || stream.hasEnded());
        stream.finish();
      }
      case CANCEL -> {
        readSome(stream, slow, random);
        stream.cancel();
      }
      case HALF_CLOSE_AND_CANCEL -> {
        readSome(stream, slow, random);
        stream.halfClose();
        stream.cancel();
      }
      case DISCONNECT -> {
        readSome(stream, slow, random);
        client.close();
      }
    }
    stream.awaitEnd();
    stream.ledger().verify();
    sessions.incrementAndGet();
    results.addAndGet(stream.ledger().results());
    answered.addAndGet(stream.ledger().ended());
    return ending != Ending.DISCONNECT;
  }

  private static void sendWork(GrpcClient.Stream stream, String id, Random random) {
    int emitters = 1 + random.nextInt(4);
    int results = random.nextInt(100);
    int size = 1 << random.nextInt(13);
    switch (random.nextInt(10)) {
      case 0 -> stream.fail(id, emitters, results, size);
      case 1 -> stream.fan(id, emitters, results / 10, size, 1, 0);
      case 2 -> stream.fan(id, emitters, 1 + results / 50, 100_000, 0, 100_000);
      default -> stream.fan(id, emitters, results, size);
    }
  }

  /** Reads all there is, a slow reader in small and irregular portions, until that is enough. */
  private static void read(
      GrpcClient.Stream stream, boolean slow, Random random, BooleanSupplier enough) {
    Await.until(
        "everything was read",
        () -> {
          if (slow) {
            stream.read(1 + random.nextInt(50));
            LockSupport.parkNanos(random.nextInt(1_000_000));
          }
          return enough.getAsBoolean();
        },
        () -> stream.ledger().unanswered());
  }

  private static void readSome(GrpcClient.Stream stream, boolean slow, Random random) {
    long some = random.nextInt(500);
    read(
        stream,
        slow,
        random,
        () ->
            stream.ledger().results() >= some || stream.ledger().isComplete() || stream.hasEnded());
  }

  private static void verifyComplete(GrpcClient.Stream stream) {
    Status status = stream.awaitEnd();
    if (!status.isOk()) {
      throw new AssertionError(
          "ended with %s; unanswered %s".formatted(status, stream.ledger().unanswered()));
    }
    stream.ledger().verifyComplete();
  }

  @Override
  public String toString() {
    return "%s streams, %s datums answered, %s results".formatted(sessions, answered, results);
  }
}
