package io.mapstream.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mapstream.MapStreamer;
import io.mapstream.testkit.InternalTemporaryFolder;
import io.mapstream.testkit.MapStreamClient;
import java.io.IOException;
import java.net.BindException;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** The socket's path: what a start may find there, and what a stop leaves there. */
@ParameterizedClass
@EnumSource(InternalSocketKind.class)
class SocketFileTest {

  private static final MapStreamer NOTHING = (keys, datum, sink) -> {};

  private final InternalSocketKind kind;
  private final List<MapStreamServer> servers = new ArrayList<>();
  private InternalTemporaryFolder folder;
  private Path socket;

  SocketFileTest(InternalSocketKind kind) {
    this.kind = kind;
  }

  @BeforeEach
  void makeFolder() throws IOException {
    folder = InternalTemporaryFolder.create();
    socket = folder.resolve("map.sock");
  }

  @AfterEach
  void closeAndDelete() throws Exception {
    for (MapStreamServer server : servers) {
      stop(server);
    }
    folder.delete();
  }

  private MapStreamServer server(Path at) {
    MapStreamServer server =
        MapStreamServer.builder(NOTHING)
            .socketPath(at)
            .serverInfoFile(folder.resolve("info"))
            .build();
    servers.add(server);
    return server;
  }

  private static void stop(MapStreamServer server) throws InterruptedException {
    Waits.get(Waits.inBackground(server::close));
  }

  private <E extends IOException> void assertRefused(Class<E> type, Path at, String... said) {
    E refused = assertThrows(type, () -> server(at).start(kind));
    for (String part : said) {
      assertTrue(refused.getMessage().contains(part), refused::getMessage);
    }
    assertTrue(refused.getMessage().contains(at.toString()), refused::getMessage);
  }

  private static boolean answers(Path at) throws InterruptedException {
    try (MapStreamClient client = ServerFixture.client(at)) {
      return client.readiness().isOk();
    }
  }

  /** A socket file without a listener, as a killed process leaves it. */
  private void leaveStaleSocket() throws IOException {
    try (ServerSocketChannel killed = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      killed.bind(UnixDomainSocketAddress.of(socket));
    }
    assertTrue(Files.exists(socket));
  }

  @Test
  void theSocketIsThereFromStartToClose() throws Exception {
    MapStreamServer server = server(socket).start(kind);
    assertTrue(answers(socket));

    stop(server);

    assertFalse(Files.exists(socket));
    try (var left = Files.list(socket.getParent())) {
      assertEquals(List.of(), left.toList());
    }
  }

  @Test
  void staleSocketIsReplaced() throws Exception {
    leaveStaleSocket();

    server(socket).start(kind);

    assertTrue(answers(socket));
  }

  @Test
  void liveServerIsRefusedAndUnharmed() throws Exception {
    server(socket).start(kind);

    assertRefused(BindException.class, socket, "live server");

    assertTrue(answers(socket));
    assertTrue(Files.exists(folder.resolve("info")));
  }

  /**
   * A server that listens but accepts nothing: its queue is full, so a connect would not return.
   */
  @Test
  void liveServerThatHangsIsRefused() throws Exception {
    List<SocketChannel> queue = new ArrayList<>();
    try (ServerSocketChannel hanging = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      hanging.bind(UnixDomainSocketAddress.of(socket), 1);
      assertThrows(
          SocketException.class,
          () -> {
            while (true) {
              SocketChannel client = SocketChannel.open(StandardProtocolFamily.UNIX);
              queue.add(client);
              client.configureBlocking(false);
              client.connect(UnixDomainSocketAddress.of(socket));
            }
          },
          "resource temporarily unavailable");

      Waits.get(
          Waits.inBackground(() -> assertRefused(BindException.class, socket, "live server")));

      assertTrue(Files.exists(socket));
    } finally {
      for (SocketChannel client : queue) {
        client.close();
      }
    }
  }

  @Test
  void regularFileIsLeftAlone() throws Exception {
    Files.writeString(socket, "precious");

    assertRefused(BindException.class, socket, "not a socket");

    assertEquals("precious", Files.readString(socket));
  }

  @Test
  void emptyFolderIsLeftAlone() throws Exception {
    Files.createDirectory(socket);

    assertRefused(BindException.class, socket, "not a socket");

    assertTrue(Files.isDirectory(socket));
  }

  /** A pipe is neither a file nor a folder, and connect refuses it like a stale socket. */
  @Test
  void namedPipeIsLeftAlone() throws Exception {
    Process mkfifo = new ProcessBuilder("mkfifo", socket.toString()).start();
    assertTrue(mkfifo.waitFor(Waits.LIMIT.toSeconds(), TimeUnit.SECONDS));

    assertRefused(BindException.class, socket, "not a socket");

    assertTrue(Files.exists(socket));
  }

  @Test
  void missingFolderIsNamedWithTheRemedy() {
    assertRefused(
        NoSuchFileException.class, folder.resolve("missing/map.sock"), "MAPSTREAM_SOCKET_PATH");
  }

  private Path pathOfLength(int length) {
    return folder.resolve("x".repeat(length - socket.getParent().toString().length() - 1));
  }

  @Test
  void thePathOfASocketHasALimit() throws Exception {
    assertRefused(BindException.class, pathOfLength(107), "106 bytes");
    assertRefused(BindException.class, folder.resolve("ß".repeat(60)), "106 bytes");

    server(pathOfLength(106)).start(kind);

    assertTrue(answers(pathOfLength(106)));
  }

  @Test
  void aMissingFolderOfTheInfoFileLeavesNoSocketBehind() throws Exception {
    Path info = folder.resolve("missing/info");
    MapStreamServer server =
        MapStreamServer.builder(NOTHING).socketPath(socket).serverInfoFile(info).build();

    NoSuchFileException refused = assertThrows(NoSuchFileException.class, () -> server.start(kind));

    assertTrue(refused.getMessage().contains(info.toString()), refused::getMessage);
    assertTrue(refused.getMessage().contains("MAPSTREAM_SERVER_INFO_FILE"), refused::getMessage);
    assertFalse(Files.exists(socket));
  }

  /** The files of the first server were removed, so the second one found no files there. */
  @Test
  void anotherServersFilesSurviveTheStopOfTheFirst() throws Exception {
    MapStreamServer first = server(socket).start(kind);
    Files.delete(socket);
    Files.delete(folder.resolve("info"));
    MapStreamServer second = server(socket).start(kind);

    stop(first);

    assertTrue(Files.exists(folder.resolve("info")), "the server info of the second");
    assertTrue(answers(socket));
    stop(second);
    assertFalse(Files.exists(socket));
    assertFalse(Files.exists(folder.resolve("info")));
  }

  @Test
  void aFileThatReplacedTheSocketSurvivesTheStop() throws Exception {
    MapStreamServer server = server(socket).start(kind);
    Files.delete(socket);
    Files.writeString(socket, "precious");

    stop(server);

    assertEquals("precious", Files.readString(socket));
  }

  @Test
  void aSocketThatIsAlreadyGoneIsNotAnErrorAtTheStop() throws Exception {
    MapStreamServer server = server(socket).start(kind);
    Files.delete(socket);
    Files.delete(folder.resolve("info"));

    stop(server);

    assertFalse(Files.exists(socket));
  }
}
