package io.mapstream.server;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The files by which clients find a server: its socket, and the server info file. They are removed
 * when the server or its process ends, even if the heap is full: some memory is reserved for that.
 */
final class ServerFiles {

  private static final ServerLog log = ServerLog.of(MapStreamServer.class);

  private static final long RETRY_NANOS = 3_000_000_000L;
  private static final long RETRY_PAUSE_NANOS = 20_000_000;
  private static final int PIECES = 16;

  /** The classes that are caught here when the heap is full, as in {@link HeapWatch}. */
  @SuppressWarnings("UnusedVariable")
  private static final List<Class<? extends Throwable>> CAUGHT =
      List.of(Throwable.class, IOException.class);

  /** Removes one file if it still belongs to this server. */
  interface Removal {
    void run() throws IOException;
  }

  private final Removal socket;
  private final Removal info;

  /** Released one by one if files can't be removed for lack of memory. */
  private final byte[] @Nullable [] pieces = new byte[PIECES][Tuning.reserveBytes() / PIECES];

  ServerFiles(Removal socket, Removal info) {
    this.socket = socket;
    this.info = info;
  }

  /**
   * Removes each file if it still belongs to this server. Tries again after an Error, for a limited
   * time: each time, a piece of memory is released. No lambda is linked here, since one whose
   * linkage has failed for lack of memory can never be linked again.
   */
  @SuppressWarnings("CatchingUnchecked")
  void remove() {
    long deadline = System.nanoTime() + RETRY_NANOS;
    boolean done = false;
    while (!done) {
      try {
        removeBoth();
        done = true;
      } catch (Throwable t) {
        giveUpPiece();
        done = System.nanoTime() - deadline > 0;
        LockSupport.parkNanos(RETRY_PAUSE_NANOS);
      }
    }
  }

  /** Removes the files and ends the process at once. */
  void removeAndHalt() {
    remove();
    Runtime.getRuntime().halt(1);
  }

  private void removeBoth() {
    try {
      info.run();
    } catch (IOException e) {
      log.warn("failed to remove the server info file", e);
    } finally {
      removeSocket(); // also after an Error
    }
  }

  private void removeSocket() {
    try {
      socket.run();
    } catch (IOException e) {
      log.warn("failed to remove the socket", e);
    }
  }

  private void giveUpPiece() {
    int next = 0;
    while (next < PIECES && pieces[next] == null) {
      next++;
    }
    if (next < PIECES) {
      pieces[next] = null;
    }
  }
}
