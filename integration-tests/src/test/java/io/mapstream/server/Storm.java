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
 * Clients that send random work over random streams, end the streams in random ways, and count
 * every single result. A seed makes the choices reproducible, but not the timing of the threads.
 */
final class Storm {

  /** Less than the clients request together, so that streams wait for each other's capacity. */
  static final int MAX_CONCURRENCY = 64;

  private static final int CLIENTS = 4;

  private final long seed;
  private final Tally tally = new Tally();

  Storm(long seed) {
    this.seed = seed;
  }

  /** Runs the storm against a server in this process, and checks what it leaves behind. */
  void runWithServer(Path folder, Duration duration) throws IOException {
    ScriptedHandler handler = new ScriptedHandler();
    var options =
        MapStreamServer.builder(handler)
            .socketPath(folder.resolve("storm.sock"))
            .maxConcurrency(MAX_CONCURRENCY)
            .errorPolicy(ServerOptions.ErrorPolicy.FAIL)
            .build()
            .options();
    try (OpenServer server = OpenServer.start(handler, options)) {
      runAgainst(server.socket(), duration);
      Waits.until("no handlers", handler.running()::isEmpty, handler::running);
      Waits.until("nothing is in work", () -> server.inWork() == 0, server::inWork);
      // A handler that throws on purpose may do so after its stream has ended; that is also
      // reported.
      List<Throwable> failures = new ArrayList<>(server.failures());
      failures.removeIf(ScriptedHandler.OnPurpose.class::isInstance);
      if (!failures.isEmpty()) {
        throw new AssertionError("handlers failed: " + failures);
      }
    }
  }

  /**
   * Runs the clients against the server on that socket until they are done; a failure names the
   * seed.
   */
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
      throw new AssertionError("a client does not end", e);
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
