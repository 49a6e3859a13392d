package io.mapstream.server;

import io.mapstream.SinkClosedException;
import io.mapstream.testkit.MapStreamClient;
import java.io.IOException;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** The server that a test class attacks, with checks of what an attack leaves behind. */
final class HostileServer implements BeforeAllCallback, AfterEachCallback, AfterAllCallback {

  /** The size limit of a request. */
  static final int MAX_MESSAGE_SIZE = 1 << 20;

  private LeakWatch leaks;
  private OpenServer server;

  @Override
  public void beforeAll(ExtensionContext context) throws IOException {
    leaks = new LeakWatch();
    server = new OpenServer(options -> options.maxMessageSize(MAX_MESSAGE_SIZE));
  }

  ScriptedHandler handler() {
    return server.handler();
  }

  RawConnection connect() throws IOException {
    return new RawConnection(server.socket());
  }

  int inWork() {
    return server.inWork();
  }

  /** Waits until the handler of the datum with this id is interrupted, or its emit refused. */
  void awaitStopped(String id) {
    Waits.until(
        id + " stopped",
        () ->
            handler().stoppedBy(id) instanceof InterruptedException
                || handler().stoppedBy(id) instanceof SinkClosedException,
        () -> handler().stoppedBy(id));
  }

  /** After each attack, an ordinary client is served in full, and nothing else is in work. */
  @Override
  public void afterEach(ExtensionContext context) throws InterruptedException {
    try (MapStreamClient client = ServerFixture.client(server.socket())) {
      ScriptStream stream = new ScriptStream(client);
      for (int i = 0; i < 10; i++) {
        stream.fan("next-" + i, 2, 50, 100);
      }
      stream.finish();
    }
    server.verifyIdle();
  }

  /** At the end, no heap, buffers or threads of past calls are still held. */
  @Override
  public void afterAll(ExtensionContext context) {
    try (LeakWatch watched = leaks;
        OpenServer closed = server) {
      closed.verifyCollected();
      watched.verify();
    }
    Waits.until(
        "all threads have ended",
        () -> ProcessAccount.liveThreads().isEmpty(),
        ProcessAccount::liveThreads);
  }
}
