package io.mapstream.server;

import java.util.concurrent.ThreadFactory;

/**
 * Starts platform daemon threads for parts of a stop, since handlers may keep all carriers of
 * virtual threads busy. Starts a virtual thread if the system has no more threads, which may be the
 * reason for the stop.
 */
final class PlatformThread {

  private static final ServerLog log = ServerLog.of(PlatformThread.class);

  private PlatformThread() {}

  /** Runs an action on a thread with the given name. */
  static Thread start(String name, Runnable action) {
    return start(Thread.ofPlatform().daemon().name(name).factory(), name, action);
  }

  static Thread start(ThreadFactory threads, String name, Runnable action) {
    try {
      Thread thread = threads.newThread(action);
      thread.start();
      return thread;
    } catch (OutOfMemoryError e) {
      return Thread.ofVirtual()
          .name(name)
          .start(() -> {
            log.debug("{} is a virtual thread: {}", name, String.valueOf(e.getMessage()));
            action.run();
          });
    }
  }
}
