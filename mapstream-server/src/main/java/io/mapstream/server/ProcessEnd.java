package io.mapstream.server;

import java.lang.Thread.UncaughtExceptionHandler;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Ends a process that exists to run a server: what {@link MapStreamServer#run()} does in addition
 * to starting the server and waiting for it.
 *
 * <p>A signal is handled before the JVM begins to shut down. The drain therefore happens in an
 * intact process: the log works, {@code run} returns, its caller cleans up and ends, and only then
 * does the process exit, with all its hooks. A shutdown hook covers the rest: {@code System.exit}
 * elsewhere, and signals that could not be handled.
 */
final class ProcessEnd {

  private static final ServerLog log = ServerLog.of(MapStreamServer.class);

  /** How long the hook waits for others, if the JVM has handled a signal. */
  private static final Duration HOOK_TIMEOUT = Duration.ofSeconds(5);

  /** How long others may take if the log blocks, since it may block them as well. */
  private static final Duration BLOCKED_TIMEOUT = Duration.ofSeconds(2);

  /** The methods in which threads of the JDK's pools wait for work. */
  private static final Set<String> WAITING_FOR_WORK =
      Set.of(
          "java.util.concurrent.ThreadPoolExecutor.getTask",
          "java.util.concurrent.ForkJoinPool.awaitWork");

  private static final String SIGNAL_THREAD = "mapstream-signal";

  /** The class in which a thread is that has called {@code System.exit}. */
  private static final String SHUTDOWN = "java.lang.Shutdown";

  /** The JVM's thread for a signal. */
  private static final Pattern SIGNAL_HANDLER = Pattern.compile("SIG[A-Z0-9]+ handler");

  private static final Duration LOOK = Duration.ofMillis(20);
  private static final Duration QUIET = Duration.ofSeconds(5);

  private final MapStreamServer server;
  private final Thread runner = Thread.currentThread();
  private final Thread hook = new Thread(this::onShutdown, "mapstream-hook");
  private final AtomicBoolean signalled = new AtomicBoolean();

  /** Not a daemon: if {@code main} ends first, the JVM waits for the exit code of this thread. */
  private final Thread exitAfterSignal =
      Thread.ofPlatform().daemon(false).name(SIGNAL_THREAD).unstarted(this::stopAndExit);

  private final Signals signals;

  /** Created early: a process that is out of memory can't link a method. */
  private final UncaughtExceptionHandler onUncaught = this::failed;

  private UncaughtExceptionHandler former = onUncaught;
  private volatile boolean failedAfterwards;
  private volatile boolean runReturned;

  /** Prepares the process for a server that the calling thread is about to run. */
  ProcessEnd(MapStreamServer server) {
    this.server = server;
    server.shutdown().endsProcess();
    // Before the hook: a signal in between would run it, in a process that is half shut down.
    this.signals = Signals.take(this::onSignal);
    Runtime.getRuntime().addShutdownHook(hook);
  }

  boolean isSignalled() {
    return signalled.get();
  }

  /**
   * Makes an exception that ends {@code main} end the process, whatever other threads there are.
   * For a failure before there is a server.
   */
  static void endIfUncaught() {
    Thread caller = Thread.currentThread();
    UncaughtExceptionHandler former = caller.getUncaughtExceptionHandler();
    caller.setUncaughtExceptionHandler((thread, thrown) -> endAfter(former, thread, thrown));
  }

  /** Called by the running thread when {@code run} returns, or throws a failure. */
  void runReturns(boolean throwsFailure) {
    if (!signalled.get()) {
      signals.giveBack();
    }
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The hook is running or has run.
    }
    if (throwsFailure || signalled.get()) {
      former = runner.getUncaughtExceptionHandler();
      runner.setUncaughtExceptionHandler(onUncaught);
    }
    runReturned = true;
  }

  /**
   * Called when the running thread ends with an exception. If that is the main thread, the process
   * fails, whatever other threads there are. Any other thread may belong to a test.
   */
  private void failed(Thread thread, Throwable thrown) {
    failedAfterwards = true;
    endAfter(former, thread, thrown);
  }

  private static void endAfter(UncaughtExceptionHandler handler, Thread thread, Throwable thrown) {
    try {
      handler.uncaughtException(thread, thrown);
    } finally {
      if (thread.getName().equals("main") && !isUnderWay(SHUTDOWN)) {
        System.exit(1);
      }
    }
  }

  // Signals.

  private void onSignal(String name, int number) {
    Thread.currentThread().setName(SIGNAL_THREAD); // by this name, it does not wait for the log
    if (!signalled.compareAndSet(false, true)) {
      haltAfterSecond(name, number);
    }
    try {
      exitAfterSignal.start();
    } catch (OutOfMemoryError e) {
      stopAndExit(); // the system has no more threads
    }
  }

  private void stopAndExit() {
    server.close();
    boolean ended = false;
    try {
      ended = awaitRunner();
    } catch (InterruptedException e) {
      log.debug("the wait for {} was interrupted", runner, e);
    }
    exit(ended);
  }

  private void haltAfterSecond(String name, int number) {
    long inWork = server.metrics().datumsInWork();
    log.warn(
        "SIG{} after another signal: the process ends at once; {} datums in work get no EOT",
        name,
        inWork);
    LogThread.OF_PROCESS.flush(Shutdown.STEP_TIMEOUT);
    server.shutdown().removeFiles();
    Runtime.getRuntime().halt(128 + number);
  }

  /**
   * Waits until the thread that called {@code run} has ended, or has returned from it and waits for
   * other work in a pool, or is a daemon and nothing but daemons is left. {@code run} may take a
   * while if the signal came during the start.
   *
   * @return false if that may never happen, since the log blocks
   */
  private boolean awaitRunner() throws InterruptedException {
    long begun = System.nanoTime();
    boolean told = false;
    while (!runner.join(LOOK) && !(runReturned && (isIdle(runner) || onlyDaemonsAreLeft()))) {
      long waited = System.nanoTime() - begun;
      if (server.shutdown().isLogBlocked() && waited > BLOCKED_TIMEOUT.toNanos()) {
        return false;
      }
      if (!told && waited > QUIET.toNanos()) {
        log.info("the server has stopped; the process exits when {} ends", runner);
        told = true;
      }
    }
    return true;
  }

  /** As in the JVM, which ends then; this thread alone keeps it alive. */
  private static boolean onlyDaemonsAreLeft() {
    return Thread.getAllStackTraces().keySet().stream()
        .allMatch(
            thread -> thread.isDaemon() || thread == Thread.currentThread() || isEndOfMain(thread));
  }

  /** Returns whether it is the thread of the JVM that waits after {@code main} has returned. */
  private static boolean isEndOfMain(Thread thread) {
    return thread.getName().equals("DestroyJavaVM");
  }

  private static boolean isIdle(Thread thread) {
    return Stream.of(thread.getStackTrace())
        .map(frame -> frame.getClassName() + "." + frame.getMethodName())
        .anyMatch(WAITING_FOR_WORK::contains);
  }

  /** Exits with 0 if all went well: nothing has failed, and nothing was cut off. */
  private void exit(boolean ended) {
    int code = !ended || failedAfterwards || server.shutdown().hasFailed() ? 1 : 0;
    if (server.shutdown().isLogBlocked()) {
      // Hooks of logging libraries wait for the log.
      Thread exit = PlatformThread.start("mapstream-exit", () -> System.exit(code));
      try {
        exit.join(BLOCKED_TIMEOUT);
      } catch (InterruptedException e) {
        log.debug("the wait for the hooks was interrupted", e);
      }
      Runtime.getRuntime().halt(code);
    }
    System.exit(code);
  }

  // The JVM's own shutdown.

  private void onShutdown() {
    boolean bySignal = false;
    try {
      bySignal = isUnderWay("java.lang.Terminator");
      if (!isUnderWay(SHUTDOWN) && isExitOfHandler()) {
        server.shutdown().requestAtOnce();
      }
    } catch (OutOfMemoryError e) {
      server.shutdown().requestAtOnce(); // stacks take memory
    }
    server.close();
    if (bySignal && !server.shutdown().hasFailed()) {
      haltAfterOthers();
    }
  }

  /** Returns whether a platform thread executes the given class of the JDK, or one nested in it. */
  private static boolean isUnderWay(String className) {
    return Thread.getAllStackTraces().values().stream().anyMatch(stack -> isIn(className, stack));
  }

  private static boolean isIn(String className, StackTraceElement[] stack) {
    return Stream.of(stack)
        .anyMatch(frame ->
            frame.getClassName().equals(className)
                || frame.getClassName().startsWith(className + "$"));
  }

  /** Returns whether a handler has called {@code System.exit}, and not another virtual thread. */
  private boolean isExitOfHandler() {
    try {
      return server.shutdown().anyHandler(task -> isIn(SHUTDOWN, task.stack()), true);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return true;
    }
  }

  /**
   * Halts with 0 if no other thread is left. The JVM would exit with 143 after the hooks, and
   * {@code halt}, the only way to exit with 0, waits for no thread.
   */
  private void haltAfterOthers() {
    long deadline = System.nanoTime() + HOOK_TIMEOUT.toNanos();
    List<Thread> others = others();
    for (Thread other : others) {
      try {
        other.join(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
    List<Thread> left = others.stream().filter(Thread::isAlive).toList();
    if (left.isEmpty()) {
      Runtime.getRuntime().halt(0);
    }
    log.warn(
        "the process exits with the JVM's code for a signal and waits only for hooks; still"
            + " running: {}",
        left);
    LogThread.OF_PROCESS.flush(Shutdown.STEP_TIMEOUT);
  }

  /** Returns the caller of {@code run} and the hooks: neither daemons, nor the JVM's, nor idle. */
  private List<Thread> others() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> !thread.equals(hook))
        .filter(thread -> thread.equals(runner) || !thread.isDaemon())
        .filter(thread -> !isEndOfMain(thread))
        .filter(thread -> !SIGNAL_HANDLER.matcher(thread.getName()).matches())
        .filter(thread -> !isIdle(thread))
        .toList();
  }
}
