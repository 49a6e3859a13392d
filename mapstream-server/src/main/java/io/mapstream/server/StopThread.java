package io.mapstream.server;

import java.util.concurrent.ThreadFactory;

/**
 * A thread for a part of a stop: one of the system, since handlers may keep all carriers of virtual
 * threads busy; a virtual one if the system has no more threads to give, which may be what the stop
 * is for.
 */
final class StopThread {

  private static final ServerLog log = ServerLog.of(StopThread.class);

  private StopThread() {}

  /** Runs an action on a thread of that name. */
  static Thread start(String name, Runnable action) {
    return start(task -> new Thread(task, name), name, action);
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
            log.warn("{} is a virtual thread: {}", name, e.getMessage());
            action.run();
          });
    }
  }
}
