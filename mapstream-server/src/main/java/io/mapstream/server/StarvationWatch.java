package io.mapstream.server;

import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Detects that handlers wait for a carrier (a platform thread that runs virtual threads) and get
 * none, since other handlers compute or block in native code. Such a handler is starved if it waits
 * for {@link Tuning#STARVED_NANOS} and no other handler begins meanwhile. A long queue that moves
 * is not starvation.
 *
 * <p>While started handlers wait, one check is scheduled. When none waits but many are at work, a
 * probe is started now and then instead of a handler, since handlers that continue after a pause
 * also wait for a carrier. On an idle server nothing is scheduled.
 *
 * <p>Belongs to the event loop, except {@link #begins}.
 */
final class StarvationWatch {

  /** Something that was started on a virtual thread. */
  interface Start {
    /** Returns whether it has run on a carrier, or never will. */
    boolean hasBegun();
  }

  /** A virtual thread that does nothing, started at once. */
  private static final class Probe implements Start, Runnable {

    private volatile boolean begun;

    @Override
    public void run() {
      begun = true;
    }

    @Override
    public boolean hasBegun() {
      return begun;
    }
  }

  private final SlowHandlers.Timer timer;
  private final BooleanSupplier isBusy;
  private final Supplier<Start> probes;
  private final Runnable onStarved;

  /** What the scheduled check examines; null while no check is scheduled. */
  private @Nullable Start watched;

  private @Nullable Start newest;
  private boolean pausing;

  /** Whether a handler has begun since the check was scheduled. Set by any thread. */
  private volatile boolean moving;

  /**
   * Creates a watch with nothing scheduled.
   *
   * @param isBusy whether enough handlers are at work to hold all carriers
   * @param probes starts a virtual thread that does nothing
   * @param onStarved called at each check that finds starvation; must not throw or wait
   */
  StarvationWatch(
      SlowHandlers.Timer timer,
      BooleanSupplier isBusy,
      Supplier<Start> probes,
      Runnable onStarved) {
    this.timer = timer;
    this.isBusy = isBusy;
    this.probes = probes;
    this.onStarved = onStarved;
  }

  /** Starts a virtual thread that does nothing. */
  static Start startProbe() {
    Probe probe = new Probe();
    Thread.ofVirtual().start(probe);
    return probe;
  }

  /** Called when a virtual thread was started, or will be soon. */
  void started(Start start) {
    newest = start;
    if (watched == null) {
      watch(start);
    }
  }

  /** Called when a handler begins. Any thread. */
  void begins() {
    if (!moving) { // Reads first: a write by each handler would move the cache line around.
      moving = true;
    }
  }

  private void watch(Start start) {
    moving = false;
    timer.after(Tuning.STARVED_NANOS, this::check);
    watched = start;
  }

  private void check() {
    Start waiting = Objects.requireNonNull(watched);
    watched = null;
    if (!waiting.hasBegun()) {
      if (!moving) {
        onStarved.run();
      }
      watch(waiting);
    } else if (newest != null && !newest.hasBegun()) {
      watch(newest);
    } else {
      newest = null;
      pause();
    }
  }

  private void pause() {
    if (isBusy.getAsBoolean() && !pausing) {
      timer.after(Tuning.PROBE_PAUSE_NANOS, this::watchProbe);
      pausing = true;
    }
  }

  private void watchProbe() {
    pausing = false;
    if (watched == null && isBusy.getAsBoolean()) {
      started(probes.get());
    }
  }
}
