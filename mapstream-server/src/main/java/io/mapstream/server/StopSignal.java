package io.mapstream.server;

import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Stops a server when the process is told to end, and lets a stop by signal be a success: the
 * platform expects exit code 0 after a SIGTERM that was obeyed, where the JVM's own is 143.
 *
 * <p>The JVM offers a shutdown hook for that and nothing to choose the code with but {@code halt},
 * which passes over everything that is still running. So the hook first lets the caller of {@code
 * run} and the process's other hooks come to their end, for a limited time. Where the shutdown has
 * another reason ({@code System.exit}), the code is not touched.
 */
final class StopSignal {

  private static final long PATIENCE_SECONDS = 5;

  private final MapStreamServer server;
  private final Thread runner;
  private final Thread hook;

  /** Installs the hook. The calling thread is the one that waits for the server. */
  StopSignal(MapStreamServer server) {
    this.server = server;
    this.runner = Thread.currentThread();
    this.hook = new Thread(this::stop, "mapstream-signal");
    Runtime.getRuntime().addShutdownHook(hook);
  }

  private void stop() {
    boolean bySignal = endsBySignal();
    server.close();
    if (bySignal && !server.hasFailed()) {
      awaitOthers();
      Runtime.getRuntime().halt(0);
    }
  }

  /** The JVM handles each signal on a thread named after it, which waits for the hooks. */
  private static boolean endsBySignal() {
    Set<String> handlers = Set.of("SIGTERM handler", "SIGINT handler", "SIGHUP handler");
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .anyMatch(handlers::contains);
  }

  private void awaitOthers() {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    try {
      for (Thread thread : Thread.getAllStackTraces().keySet()) {
        if (thread == runner || isOtherHook(thread)) {
          long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
          thread.join(Math.max(1, left));
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Hooks are the threads that keep a process alive which is ending: neither daemon nor the JVM's.
   */
  private boolean isOtherHook(Thread thread) {
    return thread != hook
        && !thread.isDaemon()
        && !thread.getName().endsWith(" handler")
        && !thread.getName().equals("DestroyJavaVM");
  }

  /** Removes the hook, unless the process is ending already. */
  void remove() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The hook runs or has run.
    }
  }
}
