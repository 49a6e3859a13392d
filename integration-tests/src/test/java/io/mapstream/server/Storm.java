package io.mapstream.server;

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

/**
 * Clients that send random work over random streams and end those in random ways, and count every
 * single result. What a seed decides is the same in each run; what the threads make of it is not.
 */
final class Storm {

  /** Less than the clients ask for together, so that streams wait for each other's places. */
  static final int PLACES = 64;

  private static final int CLIENTS = 4;

  private final long seed;
  private final Tally tally = new Tally();

  Storm(long seed) {
    this.seed = seed;
  }

  /** Lets the storm pass over a server in this process, and checks what is left of it. */
  void runWithServer(Path folder, Duration duration) throws IOException {
    ScriptedHandler handler = new ScriptedHandler();
    var options =
        MapStreamServer.builder(handler)
            .socketPath(folder.resolve("storm.sock"))
            .maxConcurrency(PLACES)
            .errorPolicy(ServerOptions.ErrorPolicy.FAIL)
            .build()
            .options();
    try (OpenServer server = OpenServer.start(handler, options)) {
      runAgainst(server.socket(), duration);
      Waits.until("no handler is left", handler.running()::isEmpty, handler::running);
      Waits.until("nothing is in work", () -> server.inWork() == 0, server::inWork);
      // A handler that throws on purpose may do so when its stream is over; that is told as well.
      List<Throwable> failures = new ArrayList<>(server.failures());
      failures.removeIf(ScriptedHandler.OnPurpose.class::isInstance);
      if (!failures.isEmpty()) {
        throw new AssertionError("handlers failed: " + failures);
      }
    }
  }

  /** Returns when all clients are done with the server on that socket; a failure names the seed. */
  void runAgainst(Path socket, Duration duration) {
    try {
      runClients(socket, duration);
    } catch (AssertionError e) {
      throw new AssertionError("with seed " + seed + " after " + this + ": " + e.getMessage(), e);
    }
  }

  private void runClients(Path socket, Duration duration) {
    long end = System.nanoTime() + duration.toNanos();
    ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
    try {
      List<Future<?>> runs = new ArrayList<>();
      for (int i = 0; i < CLIENTS; i++) {
        Random random = new Random(seed + i);
        runs.add(clients.submit(() -> runClient(socket, random, end)));
      }
      for (Future<?> run : runs) {
        run.get(duration.plus(Waits.LIMIT).toMillis(), TimeUnit.MILLISECONDS);
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
    do {
      try (WireClient client = new WireClient(socket)) {
        boolean connected;
        do {
          connected = new StormSession(client, random, tally).run();
        } while (connected && System.nanoTime() - end < 0);
      }
    } while (System.nanoTime() - end < 0);
  }

  @Override
  public String toString() {
    return tally.toString();
  }
}
