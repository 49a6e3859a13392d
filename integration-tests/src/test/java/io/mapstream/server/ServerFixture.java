package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertFalse;

import io.mapstream.testkit.InternalTemporaryFolder;
import io.mapstream.testkit.MapStreamClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A server in its own folder, with the clients that a test connects to it. A test class has one as
 * a field with {@code @AutoClose}, and each test sets it up and starts it.
 */
abstract class ServerFixture implements AutoCloseable {

  private final InternalTemporaryFolder folder;
  private final List<MapStreamClient> clients = new ArrayList<>();

  ServerFixture() {
    try {
      folder = InternalTemporaryFolder.create();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Path file(String name) {
    return folder.resolve(name);
  }

  Path socket() {
    return file("s.sock");
  }

  Path info() {
    return file("info");
  }

  /** A client of a server that is ready, or will be soon; the caller closes it. */
  static MapStreamClient client(Path socket) throws InterruptedException {
    return MapStreamClient.builder(socket)
        .timeout(Waits.LIMIT)
        .maxMessageSize(Integer.MAX_VALUE)
        .connect();
  }

  MapStreamClient connect() throws InterruptedException {
    return connect(socket());
  }

  /** A client that is closed before the server. */
  MapStreamClient connect(Path socket) throws InterruptedException {
    MapStreamClient client = client(socket);
    clients.add(client);
    return client;
  }

  /** A new client's stream, after the handshake. */
  Call open() throws InterruptedException {
    return Call.open(connect());
  }

  /** As above, for a client that reads nothing more until {@link Call#read}. */
  Call openPaused() throws InterruptedException {
    return new Call(connect(), 1).shakeHands();
  }

  /** Waits until a stop has begun: it removes the listening socket first. */
  void awaitStopping() {
    Waits.until("a stop", () -> !Files.exists(socket()), () -> "the socket still exists");
  }

  void assertFilesGone() {
    assertFalse(Files.exists(socket()), "the socket still exists");
    assertFalse(Files.exists(info()), "the server info file still exists");
  }

  /** Ends the server; called when its clients are closed. */
  abstract void end();

  /** Closes the clients, then the server, and removes the folder. */
  @Override
  public void close() {
    clients.forEach(MapStreamClient::close);
    end();
    folder.delete();
  }
}
