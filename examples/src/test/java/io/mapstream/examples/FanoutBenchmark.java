package io.mapstream.examples;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.mapstream.Datum;
import io.mapstream.Message;
import io.mapstream.testkit.ClientStream;
import io.mapstream.testkit.MapStreamClient;
import io.mapstream.testkit.ReplyListener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Measures {@link Fanout} in a server process of its own, with the test kit's client: {@code mvn -q
 * -DskipTests -Pbench package}. The client is a gRPC client in Java and takes most of the
 * processor, so that requests per second say less than the server's CPU time per result, which
 * shows a regression of the engine; compare two versions on the same machine, one right after the
 * other.
 */
public final class FanoutBenchmark {

  private record Work(String name, int datums, int fan, int size) {
    Datum datum() {
      byte[] head = "%d %d 0 ".formatted(fan, size).getBytes(US_ASCII);
      byte[] value = Arrays.copyOf(head, Math.max(head.length, size));
      Arrays.fill(value, head.length, value.length, (byte) ' ');
      return Datum.of(List.of("k"), value, Instant.EPOCH, Instant.EPOCH, Map.of());
    }
  }

  private static final List<Work> WORK =
      List.of(
          new Work("fan1", 100_000, 1, 100),
          new Work("fan20", 15_000, 20, 100),
          new Work("large", 3_000, 2, 65_536));

  private static final int IN_FLIGHT = 500;
  private static final int WARM_UPS = 3;
  private static final int ROUNDS = 3;
  private static final Duration LIMIT = Duration.ofSeconds(60);

  private FanoutBenchmark() {}

  /** Prints a line for each kind of work and round. */
  public static void main(String[] args) throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory("bench");
    Path socket = folder.resolve("s");
    Path info = folder.resolve("info");
    Process server = start(socket, info);
    try (MapStreamClient client = MapStreamClient.builder(socket).serverInfoFile(info).connect()) {
      for (Work work : WORK) {
        for (int i = 0; i < WARM_UPS; i++) {
          run(client.stream(), work);
        }
        for (int i = 0; i < ROUNDS; i++) {
          measure(client.stream(), work, server.toHandle());
        }
      }
    } finally {
      server.destroy();
      server.waitFor(10, TimeUnit.SECONDS);
      Files.deleteIfExists(folder);
    }
  }

  private static Process start(Path socket, Path info) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx1g",
            "--enable-native-access=ALL-UNNAMED",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-cp",
            System.getProperty("java.class.path"),
            Fanout.class.getName());
    builder.environment().put("MAPSTREAM_SOCKET_PATH", socket.toString());
    builder.environment().put("MAPSTREAM_SERVER_INFO_FILE", info.toString());
    return builder.inheritIO().start();
  }

  private static void measure(ClientStream stream, Work work, ProcessHandle server)
      throws InterruptedException {
    long cpu = cpuNanos(server);
    long start = System.nanoTime();
    run(stream, work);
    double seconds = (System.nanoTime() - start) / 1e9;
    double cpuMicros = (cpuNanos(server) - cpu) / 1e3;
    long results = (long) work.datums() * work.fan();
    System.out.printf(
        Locale.ROOT,
        "%-6s %9.0f datums/s %9.0f results/s %7.1f us server CPU/result%n",
        work.name(),
        work.datums() / seconds,
        results / seconds,
        cpuMicros / results);
  }

  private static long cpuNanos(ProcessHandle server) {
    return server.info().totalCpuDuration().map(Duration::toNanos).orElse(0L);
  }

  /** Sends all datums, {@value #IN_FLIGHT} in flight, and waits for every EOT. */
  private static void run(ClientStream stream, Work work) throws InterruptedException {
    Semaphore places = new Semaphore(IN_FLIGHT);
    AtomicLong results = new AtomicLong();
    Datum datum = work.datum();
    for (int i = 0; i < work.datums(); i++) {
      acquire(places, 1, work);
      stream.send(
          datum,
          new ReplyListener() {
            @Override
            public void message(Message message) {
              results.incrementAndGet();
            }

            @Override
            public void ended() {
              places.release();
            }

            @Override
            public void failed(RuntimeException reason) {
              throw reason;
            }
          });
    }
    acquire(places, IN_FLIGHT, work);
    if (results.get() != (long) work.datums() * work.fan()) {
      throw new IllegalStateException(work + " got " + results + " results");
    }
  }

  private static void acquire(Semaphore places, int number, Work work) throws InterruptedException {
    if (!places.tryAcquire(number, LIMIT.toSeconds(), TimeUnit.SECONDS)) {
      throw new IllegalStateException(work + " was not answered within " + LIMIT);
    }
  }
}
