package io.mapstream.server;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** The server that a test class attacks, with checks of what an attack leaves behind. */
final class HostileServer implements BeforeAllCallback, AfterEachCallback, AfterAllCallback {

  /** The size limit of a request. */
  static final int MAX_MESSAGE_SIZE = 1 << 20;

  private final ScriptedHandler handler = new ScriptedHandler();
  private Path folder;
  private LeakWatch leaks;
  private OpenServer server;

  @Override
  public void beforeAll(ExtensionContext context) throws IOException {
    folder = TestServer.newFolder();
    leaks = new LeakWatch();
    server =
        OpenServer.start(
            handler,
            MapStreamServer.builder(handler)
                .socketPath(folder.resolve("hostile.sock"))
                .maxMessageSize(MAX_MESSAGE_SIZE)
                .build()
                .options());
  }

  ScriptedHandler handler() {
    return handler;
  }

  RawConnection connect() throws IOException {
    return new RawConnection(server.socket());
  }

  int inWork() {
    return server.inWork();
  }

  /** After each attack, an ordinary client is served in full, and nothing else is in work. */
  @Override
  public void afterEach(ExtensionContext context) {
    try (WireClient client = new WireClient(server.socket())) {
      ScriptStream stream = ScriptStream.open(client);
      for (int i = 0; i < 10; i++) {
        stream.fan("next-" + i, 2, 50, 100);
      }
      stream.finish();
    }
    Waits.until("no handlers", handler.running()::isEmpty, handler::running);
    Waits.until("nothing is in work", () -> server.inWork() == 0, server::inWork);
    if (!server.failures().isEmpty()) {
      throw new AssertionError("handlers failed: " + server.failures());
    }
  }

  /** At the end, no heap, buffers or threads of past calls are still held. */
  @Override
  public void afterAll(ExtensionContext context) throws IOException {
    try (LeakWatch watched = leaks) {
      Waits.untilCollected(
          "datums and calls can be collected",
          () -> handler.reachableDatums() == 0 && server.reachableCalls() == 0,
          () -> handler.reachableDatums() + " datums, " + server.reachableCalls() + " calls");
      watched.verify();
      server.close();
      for (String prefix : List.of("mapstream-", "emitter-")) {
        Waits.until(
            "threads \"" + prefix + "\" have ended",
            () -> LiveThreads.named(prefix).isEmpty(),
            () -> LiveThreads.named(prefix));
      }
    } finally {
      TestServer.delete(folder);
    }
  }
}
