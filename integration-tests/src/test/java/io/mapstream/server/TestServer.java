package io.mapstream.server;

import io.mapstream.MapStreamer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Future;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * A server on a real Unix socket in its own folder, with the clients that were connected to it.
 * Closing it closes the clients, then the server, and removes the folder.
 */
final class TestServer implements AutoCloseable {

  private final Path folder;
  private final MapStreamServer server;
  private final List<WireClient> clients = new ArrayList<>();

  private TestServer(Path folder, MapStreamServer server) {
    this.folder = folder;
    this.server = server;
  }

  static TestServer start(InternalSocketKind kind, MapStreamer handler) throws IOException {
    return start(kind, handler, options -> options);
  }

  static TestServer start(
      InternalSocketKind kind, MapStreamer handler, UnaryOperator<MapStreamServerBuilder> with)
      throws IOException {
    TestServer server = unstarted(handler, with);
    server.server.start(kind);
    return server;
  }

  static TestServer unstarted(MapStreamer handler, UnaryOperator<MapStreamServerBuilder> with)
      throws IOException {
    Path folder = newFolder();
    MapStreamServerBuilder builder =
        MapStreamServer.builder(handler)
            .socketPath(folder.resolve("s.sock"))
            .serverInfoFile(folder.resolve("info"))
            .shutdownGrace(Duration.ofSeconds(20));
    return new TestServer(folder, with.apply(builder).build());
  }

  /** A folder with a short path, since that of a Unix socket is limited. */
  static Path newFolder() throws IOException {
    return Files.createTempDirectory(Path.of("/tmp"), "ms");
  }

  static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }

  WireClient connect() {
    WireClient client = new WireClient(socket());
    clients.add(client);
    return client;
  }

  /** A new client's stream, after the handshake. */
  Call open() throws InterruptedException {
    return connect().open().shakeHands();
  }

  MapStreamServer server() {
    return server;
  }

  Path folder() {
    return folder;
  }

  Path socket() {
    return server.options().socketPath();
  }

  Path info() {
    return server.options().serverInfoFile();
  }

  /** Closes the server on a separate thread. */
  Future<Void> closing() {
    return Waits.inBackground(server::close);
  }

  /** Waits until a stop has begun: it removes the listening socket first. */
  void awaitStopping() {
    Waits.until("a stop", () -> !Files.exists(socket()), () -> "the socket still exists");
  }

  @Override
  public void close() throws IOException {
    clients.forEach(WireClient::close);
    try {
      Waits.get(closing());
    } catch (InterruptedException e) {
      throw new AssertionError("interrupted while the server was closing", e);
    }
    delete(folder);
  }
}
